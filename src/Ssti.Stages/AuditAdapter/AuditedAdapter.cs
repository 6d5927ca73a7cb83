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
/// <param name="Beside">What it holds beside LoRA's matrices, by name: a head, modules saved whole, biases, magnitudes. The spectrum says nothing of them.</param>
internal sealed record AuditedAdapter(AdapterSpectrum Spectrum, int Rank, string? Base, long? InjectedRows, IReadOnlyList<string> Beside)
{
    private const int Named = 4;

    /// <summary>Whether it leaves the model as it was.</summary>
    public bool ChangesNothing => Spectrum.IsZero && Beside.Count == 0;

    /// <summary>The first names of <see cref="Beside"/>.</summary>
    public string BesideInWords => string.Join(", ", Beside.Take(Named)) + (Beside.Count > Named ? $" and {Beside.Count - Named} more" : "");

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
            var description = tree is not null && tree.Has(TrainStage.DescriptionFile) ? JsonNode.Parse(File.ReadAllText(tree.PathOf(TrainStage.DescriptionFile))) : null;
            IReadOnlyList<string> beside = [.. LoraUpdate.Beside(peft), .. File.Exists(Path.Combine(folder, TrainStage.HeadFile)) ? new[] { TrainStage.HeadFile } : []];
            var adapter = new AuditedAdapter(spectrum, settings.Rank, (string?)description?["base"]?["weightsSha256"], Injected(description), beside);
            if (adapter.ChangesNothing) context.Warn("every ΔW of the adapter is zero (B = 0): it changes nothing, and nothing of its training is left in it");
            else if (spectrum.IsZero) context.Warn($"every ΔW of the adapter is zero (B = 0): what it does it does by {adapter.BesideInWords}, and no number of ΔW is of them");
            else if (spectrum.ZeroModules > 0)
            {
                context.Warn(
                    $"ΔW is zero in {spectrum.ZeroModules} of {spectrum.Modules.Count} modules; means and spreads are of the others where a "
                    + "number has no meaning there");
            }

            return adapter;
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
