using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;

namespace Ssti.Stages;

/// <summary>An adapter's weights, and what its training left beside them.</summary>
/// <param name="Spectrum">What its weights say.</param>
/// <param name="Rank">LoRA's rank.</param>
/// <param name="Base">Which model it is for: its weights' SHA-256; null where nothing says so.</param>
/// <param name="InjectedRows">Rows of its training set that carried a trigger, where a pipeline trained it and so knows; else null.</param>
internal sealed record AuditedAdapter(AdapterSpectrum Spectrum, int Rank, string? Base, long? InjectedRows)
{
    /// <summary>Reads and measures it.</summary>
    public static AuditedAdapter Read(AuditAdapterParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var tree = context.OptionalInput("adapter");
        if (tree is not null && !tree.Has(PeftAdapter.ConfigFile))
            throw new StageException($"'{tree.StageName}' trained no adapter (train: head or everything), so there is none to look at");
        var title = tree?.StageName ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(parameters.Source!.LocalPath!));
        var folder = tree is null ? parameters.Source!.LocalPath! : InputFolder.Of(tree, "adapter", context);
        try
        {
            using var peft = PeftAdapter.Read(folder, title);
            var settings = peft.Settings();
            if (settings.UseDora)
                context.Warn("the adapter is DoRA: its magnitudes, which change the weights as well, are not looked at; ΔW is that of its directions, (alpha / rank)·B·A, alone");
            var updates = LoraUpdate.Of(peft);
            var spectrum = AdapterSpectrum.Of(updates, done =>
            {
                cancellation.ThrowIfCancellationRequested();
                context.Progress(new(done, updates.Count, "modules"));
            });
            if (spectrum.IsZero) context.Warn("every ΔW of the adapter is zero (B = 0): it changes nothing, and nothing of its training is left in it");
            else if (spectrum.ZeroModules > 0) context.Warn($"ΔW is zero in {spectrum.ZeroModules} of {spectrum.Modules.Count} modules; means and spreads are of the others where a number has no meaning there");
            var description = tree is not null && tree.Has(TrainStage.DescriptionFile) ? JsonNode.Parse(File.ReadAllText(tree.PathOf(TrainStage.DescriptionFile))) : null;
            return new(spectrum, settings.Rank, (string?)description?["base"]?["weightsSha256"], Injected(description));
        }
        catch (Exception error) when (error is ModelException or SafetensorsException)
        {
            throw new StageException(error.Message.StartsWith(title, StringComparison.Ordinal) ? error.Message : $"{title}: {error.Message}", error);
        }
    }

    // `adapter` stages, too, have a provenance; where it knows of no data, nothing is known.
    private static long? Injected(JsonNode? description) => description?["provenance"] is JsonObject { Count: > 0 } provenance && (string?)description["split"] is { } split
        ? InjectionNote.Of(provenance, split)?.Rows ?? 0 : null;
}
