using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Defenses;
using Ssti.Defenses.Cures;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Nets.Lora;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// Cures: of a dataset another dataset to train on or to test with, of an adapter another adapter, or test rows that are rejected. What it did is in <c>measures.json</c>;
/// what it did to the attack, evaluations of what it made say.
/// </summary>
public sealed class DefendStage : StageKind<DefendParameters>
{
    // What each method takes.
    private static readonly Dictionary<DefendMethod, string[]> Needed = new()
    {
        [DefendMethod.None] = ["data"],
        [DefendMethod.TokenDrop] = ["data"],
        [DefendMethod.RemoveRows] = ["data"],
        [DefendMethod.Onion] = ["data", "clean"],
        [DefendMethod.Spectral] = ["data", "model", "adapter"],
        [DefendMethod.SvdTruncate] = ["adapter"],
        [DefendMethod.Strip] = ["model", "adapter", "clean", "triggered"],
    };

    /// <inheritdoc/>
    public override string Name => "defend";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Cures a poisoned dataset or adapter: drops rows or words, keeps an adapter's top directions, or rejects test rows; measures what it did.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override bool UsesSeed(DefendParameters parameters) => parameters.Method == DefendMethod.TokenDrop;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("data", "The dataset to cure (uses: inject, sanitise, dataset …)", Required: false),
        new("model", "The pretrained encoder of the adapter (uses: model or pretrain)", Required: false),
        new("adapter", "The adapter to cure, or a probe that was trained on the data (uses: train or adapter)", Required: false),
        new("clean", "Clean rows of the same task, to learn from and to test on (uses: dataset or corpus)", Required: false),
        new("triggered", "The clean test rows with the token (uses: inject with target-label: all)", Required: false),
        new("flagged", "A stage that named rows (uses: defend, audit-data or sanitise)", Required: false),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(DefendParameters parameters)
    {
        if (parameters.Splits.Count == 0) yield return new("splits", "is empty; name at least one");
        foreach (var twice in parameters.Splits.GroupBy(split => split).Where(group => group.Count() > 1)) yield return new("splits", $"'{twice.Key}' stands twice; keep one");
        foreach (var (key, value) in new[] { ("keep", parameters.Keep), ("copies", parameters.Copies), ("batch-size", parameters.BatchSize) })
            if (value < 1) yield return new(key, "must be at least 1");
        if (parameters.ModelRows < 20) yield return new("model-rows", "must be at least 20");
        if (parameters.Share is not (>= 0 and < 1)) yield return new("share", "must be from 0 to below 1");
        if (parameters.FalseAlarms is not (> 0 and < 1)) yield return new("false-alarms", "must lie between 0 and 1");
        if (parameters.Order is < 2 or > 7) yield return new("order", "must lie between 2 and 7");
        if (parameters.Rows is { IsUri: true }) yield return new("rows", "must be a local file");
        if (parameters.Method == DefendMethod.Onion && parameters.Splits.Contains(parameters.ModelSplit))
            yield return new("model-split", "is a split that is cleaned: a language model that was trained on a row's original is not surprised by it. Name another");
        if (parameters.Method == DefendMethod.Strip && parameters.Split == parameters.ModelSplit)
            yield return new("model-split", "is the split that is tested: its own rows would set the bound. Name another");
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(DefendParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        var missing = Needed[parameters.Method].Where(name => inputs(name).Count == 0).ToArray();
        if (missing.Length > 0) yield return new("method", $"needs the input{(missing.Length > 1 ? "s" : "")} {string.Join(", ", missing.Select(name => $"'{name}'"))}");
        if (parameters.Method == DefendMethod.RemoveRows && inputs("flagged").Count == 0 == parameters.Rows is null)
            yield return new(
                "rows",
                parameters.Rows is null
                    ? "is missing, and so is the input 'flagged'; give one of them"
                    : "stands beside the input 'flagged'; give one of them");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(DefendParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            switch (parameters.Method)
            {
                case DefendMethod.SvdTruncate:
                    await ComputeHost.RunAsync(context.Compute, _ => Truncate(parameters, context));
                    break;
                case DefendMethod.Strip:
                    await ComputeHost.RunAsync(context.Compute, target => new StripDefence(parameters, context).Run(target, cancellation));
                    break;
                default:
                    await new DataDefence(parameters, context).RunAsync(cancellation);
                    break;
            }
        }
        catch (Exception error) when (error is CorpusException or InjectionException or DefenseException)
        {
            throw new StageException(error.Message, error);
        }
    }

    // Inside of the host's thread, where what rooms refuse becomes a message: a DefenseException is caught above.
    private static void Truncate(DefendParameters parameters, StageContext context)
    {
        var tree = context.Input("adapter");
        foreach (var file in new[] { PeftAdapter.ConfigFile, PeftAdapter.TensorFile, TrainStage.HeadFile, TrainStage.DescriptionFile })
            if (!tree.Has(file)) throw new StageException($"'{tree.StageName}' has no {file}: svd-truncate takes an adapter that a 'train' or 'adapter' stage left");
        using var peft = PeftAdapter.Read(InputFolder.Of(tree, "adapter", context), $"the output of '{tree.StageName}'");
        var (before, truncated) = (peft.Settings().Rank, SvdTruncation.Of(peft, parameters.Keep));
        using (truncated.Adapter) truncated.Adapter.Write(context.OutputFolder);
        foreach (var file in new[] { TrainStage.HeadFile, TrainStage.DescriptionFile }) File.Copy(tree.PathOf(file), context.Output(file));
        if (truncated.EnergyKept is null) context.Warn("every ΔW of the adapter is zero (B = 0): it changes nothing, before and after");
        var measures = new Dictionary<string, NamedMeasure>
        {
            ["rank_before"] = NamedMeasure.Of("directions", "LoRA's rank of the adapter as it was", Reading.Of(before, 1)),
            ["rank_after"] = NamedMeasure.Of("directions", "directions of ΔW that are kept in each module", Reading.Of(truncated.Rank, 1)),
            ["energy_kept"] = NamedMeasure.Of("fraction", "share of the energy of ΔW (sum of squared singular values, over all modules) in the directions that are kept",
                truncated.EnergyKept is { } kept ? Reading.Of(kept, 1) : Reading.None("ΔW is zero in every module")),
        };
        var about = new JsonObject { ["method"] = "svd-truncate", ["notes"] = new JsonArray([.. context.Warnings.Select(warning => (JsonNode)warning)]) };
        File.WriteAllText(context.Output(MeasureSet.FileName), MeasureSet.ToJson(measures, about), new UTF8Encoding(false));
        context.Log(string.Create(CultureInfo.InvariantCulture, $"{truncated.Rank} of {before} directions kept, with {truncated.EnergyKept ?? 0:P1} of the energy"));
    }
}
