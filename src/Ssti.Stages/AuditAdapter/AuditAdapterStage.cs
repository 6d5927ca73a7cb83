using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Defenses;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// Whether an adapter is safe: what its weights say, alone and beside a bank of clean and poisoned ones, and what tokens do to the model when they are put into clean rows.
/// Leaves <c>audit.json</c> (the answer), <c>measures.json</c>, <c>modules.jsonl</c> and, where it was probed, <c>tokens.jsonl</c>.
/// </summary>
public sealed class AuditAdapterStage : StageKind<AuditAdapterParameters>
{
    /// <summary>The answer, for programs.</summary>
    public const string AnswerFile = "audit.json";

    /// <summary>What each token did.</summary>
    public const string TokensFile = "tokens.jsonl";

    /// <inheritdoc/>
    public override string Name => "audit-adapter";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Tells whether an adapter is safe: by its weights, alone and beside a bank of clean and poisoned ones, and by probing it with tokens.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override bool UsesSeed(AuditAdapterParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("adapter", "The adapter (uses: train, adapter or defend); or name its folder with 'source'", Required: false),
        new("model", "The pretrained encoder it was trained on, to probe it with tokens (uses: model or pretrain)", Required: false),
        new("data", "Clean rows to put tokens into, with 'model' (uses: dataset or corpus)", Required: false),
        new("bank", "Clean and poisoned adapters of the same base to compare it with (uses: adapter-bank)", Required: false),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(AuditAdapterParameters parameters)
    {
        if (parameters.Source is { IsUri: true }) yield return new("source", "must be a local folder; an adapter of the Hub comes in by a stage 'adapter' and the input of that name");
        if (parameters.BankFile is { IsUri: true }) yield return new("bank-file", "must be a local file or folder, such as `ssti export` writes of an adapter-bank");
        if (parameters.Suspects is { IsUri: true }) yield return new("suspects", "must be a local file with a token a line");
        if (parameters.Level is not (> 0 and < 1)) yield return new("level", "must lie between 0 and 1");
        if (parameters.Turned is not (>= 0 and <= 1)) yield return new("turned", "must lie between 0 and 1");
        if (!(parameters.Threshold > 0)) yield return new("threshold", "must be positive");
        if (parameters.Controls < 10) yield return new("controls", "must be at least 10: fewer words do not say what any word does");
        if (parameters.Prefixes < 2) yield return new("prefixes", "must be at least 2");
        if (parameters.Vocabulary < 0) yield return new("vocabulary", "must not be negative");
        foreach (var (key, value) in new[] { ("prefix-words", parameters.PrefixWords), ("strip-copies", parameters.StripCopies), ("batch-size", parameters.BatchSize) })
            if (value < 1) yield return new(key, "must be at least 1");
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(AuditAdapterParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        var (adapter, model, data, bank) = (inputs("adapter").Count > 0, inputs("model").Count > 0, inputs("data").Count > 0, inputs("bank").Count > 0);
        if (adapter == parameters.Source is not null)
            yield return new("source", adapter ? "stands beside the input 'adapter'; give one of them" : "is missing, and so is the input 'adapter'; give one of them");
        if (bank && parameters.BankFile is not null) yield return new("bank-file", "stands beside the input 'bank'; give one of them");
        if (parameters.Source is not null && (model || data))
            yield return new("source", "gives weights alone, which cannot be probed: 'model' and 'data' go with the input 'adapter' (uses: train or adapter)");
        else if (model != data)
            yield return new("split", model ? "has no 'data' to be a split of: probing needs clean rows as the input 'data'" : "is of 'data', which without the input 'model' is put to no use");
    }

    /// <inheritdoc/>
    public override Task RunAsync(AuditAdapterParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        try
        {
            var adapter = AuditedAdapter.Read(parameters, context, cancellation);
            WriteModules(adapter.Spectrum, context);
            var beside = BankFile.Of(parameters.BankFile, context.OptionalInput("bank")) is { } bank ? bank.Judge(adapter, context) : null;
            var probed = context.OptionalInput("model") is null ? null : AdapterProbe.Run(parameters, context, target, cancellation);
            var answer = new AdapterAnswer(adapter, beside, probed, parameters);
            var about = answer.Describe();
            about["notes"] = new JsonArray([.. context.Warnings.Select(warning => (JsonNode)warning)]);
            File.WriteAllText(context.Output(AnswerFile), about.ToJsonString(TrainingChecks.Indented) + "\n");
            var facts = new JsonObject { ["adapter"] = adapter.Title, ["rank"] = adapter.Rank, ["labels"] = about["labels"]!.DeepClone(), ["notes"] = about["notes"]!.DeepClone() };
            File.WriteAllText(context.Output(MeasureSet.FileName), MeasureSet.ToJson(answer.Measures(), facts), new UTF8Encoding(false));
            foreach (var sentence in answer.Sentences) context.Log(sentence);
            context.Metrics["verdict"] = answer.Verdict;
        }
        catch (DefenseException error)
        {
            throw new StageException(error.Message, error);
        }
    });

    private static void WriteModules(AdapterSpectrum spectrum, StageContext context)
    {
        var lines = new StringBuilder();
        foreach (var module in spectrum.Modules)
        {
            var line = new JsonObject { ["module"] = module.Module, ["rank"] = module.Rank, ["in"] = module.In, ["out"] = module.Out };
            foreach (var number in AdapterSpectrum.Numbers) line[number.Name] = number.Of(module);
            line["singular-values"] = new JsonArray([.. module.Values.Select(value => (JsonNode)value)]);
            lines.Append(line.ToJsonString()).Append('\n');
        }

        File.WriteAllText(context.Output("modules.jsonl"), lines.ToString(), new UTF8Encoding(false));
    }
}

/// <summary>An adapter's weights, and what its training left beside them.</summary>
/// <param name="Title">What results call it.</param>
/// <param name="Spectrum">What its weights say.</param>
/// <param name="Rank">LoRA's rank.</param>
/// <param name="Base">Which model it is for: its weights' SHA-256; null where nothing says so.</param>
/// <param name="InjectedRows">Rows of its training set that carried a trigger, where a pipeline trained it and so knows; else null.</param>
internal sealed record AuditedAdapter(string Title, AdapterSpectrum Spectrum, int Rank, string? Base, long? InjectedRows)
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
            return new(title, spectrum, settings.Rank, (string?)description?["base"]?["weightsSha256"], Injected(description));
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
