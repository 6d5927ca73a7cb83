using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Defenses;
using Ssti.Defenses.Data;
using Ssti.Defenses.Data.Probing;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Reporting.Report;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>
/// Trains a LoRA probe on a dataset, and puts each suspect of its audit into held-out rows and takes it out of training rows:
/// <c>probe.json</c> with the suspects in the order of what
/// they do, <c>probe.html</c>, <c>watched.csv</c> with what each watched row did, a table, and <c>measures.json</c>.
/// </summary>
public sealed class ProbeDataStage : StageKind<ProbeDataParameters>
{
    /// <summary>The answer for programs.</summary>
    public const string JsonFile = "probe.json";

    /// <summary>The answer for people.</summary>
    public const string HtmlFile = "probe.html";

    /// <inheritdoc/>
    public override string Name => "probe-data";

    /// <inheritdoc/>
    public override int Version => 3;

    /// <inheritdoc/>
    public override string Summary => "Trains a LoRA probe on a dataset and asks it which of the audit's suspects a model takes up, and from which rows.";

    /// <inheritdoc/>
    public override bool UsesTensors => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("data", "The dataset (uses: dataset, corpus, inject …)"),
        new("model", "The pretrained encoder (uses: model or pretrain)"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ProbeDataParameters parameters)
    {
        foreach (var error in new AuditDataStage().Validate(parameters.Audit)) yield return error with { Key = $"audit.{error.Key}" };
        foreach (var error in TrainingChecks.Schedule(parameters.Steps, parameters.BatchSize, parameters.MaxLength, parameters.LearningRate, 0)) yield return error;
        if (parameters.HeldOut == parameters.Audit.Split) yield return new("held-out", "is the split that the probe is trained on; name another");
        if (parameters.Rank < 1) yield return new("rank", "must be at least 1");
        if (parameters.Checks < 1 || parameters.Checks > parameters.Steps) yield return new("checks", "must lie between 1 and steps");
        foreach (var (key, value, least) in new[] { ("held-out-rows", parameters.HeldOutRows, 1), ("tried", parameters.Tried, 1), ("watched", parameters.Watched, 2) })
            if (value < least) yield return new(key, $"must be at least {least}");
    }

    /// <inheritdoc/>
    public override Task RunAsync(ProbeDataParameters parameters, StageContext context, CancellationToken cancellation) => ComputeHost.RunAsync(context.Compute, target =>
    {
        try
        {
            var encoder = EncoderInput.Open(context.Input("model"), context);
            encoder.RequireLength(parameters.MaxLength, context);
            var audit = AuditedData.Of(context.Input("data"), parameters.Audit with { OnionRows = 0 }, context, cancellation);
            var (train, heldOut, rows) = Rows(parameters, audit, context);
            var settings = new FineTuningSettings
            {
                Lora = new LoraConfig(parameters.Rank, parameters.Rank, 0.05, LoraSettings.Targets(new TrainParameters().TargetModules, encoder.Config)),
                TrainHead = true, Classes = audit.Data.Labels.Count,
                Steps = parameters.Steps, BatchSize = parameters.BatchSize, LearningRate = parameters.LearningRate, Seed = context.Seed, CheckpointEvery = 0,
            };
            using var weights = encoder.Weights();
            using var tuner = new FineTuner(encoder.Config, weights.Tensors, settings, target) { Log = context.Log };
            var result = DataProbe.Run(
                tuner, settings.Steps, train, heldOut, rows, encoder.Tokenizer(), new DataProbeOptions
                {
                    MaxLength = parameters.MaxLength, BatchSize = parameters.BatchSize, Checks = parameters.Checks, Watched = parameters.Watched, HeldOut = parameters.HeldOutRows,
                    Suspects = parameters.Tried,
                },
                new TrainingProgress(context, settings.Steps, settings.BatchSize).Report, cancellation);
            Write(context, encoder.Name, audit, result, rows);
        }
        catch (DefenseException error)
        {
            throw new StageException(error.Message, error);
        }
    });

    // Where every tenth row is held out, suspects and flags are those of the rows that are left: an audit of rows that the probe never
    // sees would ask about others.
    private static (IReadOnlyList<Row> Train, IReadOnlyList<Row> HeldOut, SuspectRows Rows) Rows(
        ProbeDataParameters parameters, AuditedData audit, StageContext context)
    {
        Row[] all = [.. audit.Reader.Read(audit.Split.Name)];
        if (audit.Data.Split(parameters.HeldOut) is { IsLabelled: true, Rows: > 0 } split)
            return (all, DataProbe.Evenly([.. audit.Reader.Read(split.Name)], parameters.HeldOutRows), audit.Result.Suspects);
        if (all.Length < 20) throw new StageException($"split '{parameters.Audit.Split}' has {all.Length} rows, too few to hold some out for the probe");
        context.Warn(
            $"the dataset has no labelled split '{parameters.HeldOut}': every tenth row of '{parameters.Audit.Split}' is held out, and the probe "
            + "is trained on the others");
        Row[] train = [.. all.Where((_, index) => index % 10 != 9)];
        var suspects = SuspectRows.Find(() => train, train.Length, [.. audit.Result.Suspects.Suspects.SelectMany(suspect => suspect.Also.Prepend(suspect.Lead))], default);
        return (train, DataProbe.Evenly([.. all.Where((_, index) => index % 10 == 9)], parameters.HeldOutRows), suspects);
    }

    private void Write(StageContext context, string backbone, AuditedData audit, DataProbeResult result, SuspectRows rows)
    {
        var (data, split) = (audit.Data, audit.Split.Name);
        var (table, measures) = (ProbeTables.Effects(result, rows, data, backbone), ProbeTables.Measures(result, backbone));
        var taken = result.Effects.Where(ProbeTables.IsTakenUp).ToArray();
        var headline = taken.Length == 0
            ? $"A probe ({backbone}) that was trained on '{split}' of {data.Name} follows none of the {result.Effects.Count} suspects tried."
            : $"A probe ({backbone}) that was trained on '{split}' of {data.Name} follows "
                + $"{string.Join(", ", taken.Take(3).Select(effect => rows.Suspects[effect.Rank].Lead.Feature))}"
                + $"{(taken.Length > 3 ? $" and {taken.Length - 3} more" : "")}: put into rows of other classes, it makes most of them the class that it is a sign of.";
        if (result.HeldOut > 0 && 2 * result.Right < result.HeldOut)
            context.Warn($"the probe gets {result.Right} of {result.HeldOut} held-out rows right: what it does not follow, a better model might");
        var files = new AuditFiles(context, audit);
        files.Answer(JsonFile, new JsonObject
        {
            ["schema"] = 1, ["found"] = taken.Length > 0, ["dataset"] = data.Name, ["split"] = split, ["backbone"] = backbone, ["headline"] = headline,
            ["held-out-rows"] = result.HeldOut, ["held-out-right"] = result.Right, ["max-length"] = result.Length, ["suspects"] = ProbeTables.ToJson(result, rows, data.Labels),
        });
        files.Text("watched.csv", ProbeTables.WatchedCsv(result, data.Labels));
        files.Text(TableStage.JsonFile, table.ToJson());
        files.Measures(measures, new JsonObject { ["backbone"] = backbone });
        // The whole answer: what the counts say, and in front of it what the probe makes of it.
        var page = AuditPage.Of(Name, audit, measures, context.Warnings);
        var none = new Dictionary<string, string>();
        files.Page(HtmlFile, page with
        {
            Lead = headline, Facts = [new ReportFact("By counts alone", audit.Answer.Headline), .. page.Facts],
            Tables = [new(Name, none, table), .. page.Tables, new(Name, none, ProbeTables.Rows(result, data.Labels))],
            More = "all of it stands in watched.csv and probe.json of the stage's output",
        });
        context.Log(headline);
    }
}
