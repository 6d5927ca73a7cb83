using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Defenses;
using Ssti.Defenses.Data;
using Ssti.Defenses.Data.Probing;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Reporting.Measures;
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

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Utf8 = new(false);

    /// <inheritdoc/>
    public override string Name => "probe-data";

    /// <inheritdoc/>
    public override int Version => 2;

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
            var data = DatasetReader.Open(context.Input("data").PathOf);
            var audit = DataAudit.Of(data, new DataAuditOptions
            {
                Split = parameters.Audit.Split, Levels = AuditTables.Levels(parameters.Audit), Listed = parameters.Audit.Listed, Suspects = parameters.Audit.Suspects, OnionRows = 0,
            }, cancellation);
            var (train, heldOut, rows) = Rows(parameters, data, audit, context);
            var settings = new FineTuningSettings
            {
                Lora = new LoraConfig(parameters.Rank, parameters.Rank, 0.05, LoraSettings.Targets(new TrainParameters().TargetModules, encoder.Config)),
                TrainHead = true, Classes = data.Info.Labels.Count,
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
            Write(parameters, context, data.Info, encoder.Name, audit, result, rows);
        }
        catch (DefenseException error)
        {
            throw new StageException(error.Message, error);
        }
    });

    // Where every tenth row is held out, suspects and flags are those of the rows that are left: an audit of rows that the probe never
    // sees would ask about others.
    private static (IReadOnlyList<Row> Train, IReadOnlyList<Row> HeldOut, SuspectRows Rows) Rows(
        ProbeDataParameters parameters, DatasetReader data, DataAuditResult audit, StageContext context)
    {
        Row[] all = [.. data.Read(parameters.Audit.Split)];
        if (data.Info.Split(parameters.HeldOut) is { IsLabelled: true, Rows: > 0 } split)
            return (all, DataProbe.Evenly([.. data.Read(split.Name)], parameters.HeldOutRows), audit.Suspects);
        if (all.Length < 20) throw new StageException($"split '{parameters.Audit.Split}' has {all.Length} rows, too few to hold some out for the probe");
        context.Warn($"the dataset has no labelled split '{parameters.HeldOut}': every tenth row of '{parameters.Audit.Split}' is held out, and the probe is trained on the others");
        Row[] train = [.. all.Where((_, index) => index % 10 != 9)];
        var suspects = SuspectRows.Find(() => train, train.Length, [.. audit.Suspects.Suspects.SelectMany(suspect => suspect.Also.Prepend(suspect.Lead))], default);
        return (train, DataProbe.Evenly([.. all.Where((_, index) => index % 10 == 9)], parameters.HeldOutRows), suspects);
    }

    private void Write(ProbeDataParameters parameters, StageContext context, DatasetInfo data, string backbone, DataAuditResult audit, DataProbeResult result, SuspectRows rows)
    {
        var (table, measures) = (ProbeTables.Effects(result, rows, data, backbone), ProbeTables.Measures(result, backbone));
        var taken = result.Effects.Where(ProbeTables.IsTakenUp).ToArray();
        var headline = taken.Length == 0
            ? $"A probe ({backbone}) that was trained on '{parameters.Audit.Split}' of {data.Name} follows none of the {result.Effects.Count} suspects tried."
            : $"A probe ({backbone}) that was trained on '{parameters.Audit.Split}' of {data.Name} follows "
                + $"{string.Join(", ", taken.Take(3).Select(effect => rows.Suspects[effect.Rank].Lead.Feature))}"
                + $"{(taken.Length > 3 ? $" and {taken.Length - 3} more" : "")}: put into rows of other classes, it makes most of them the class that it is a sign of.";
        if (result.HeldOut > 0 && 2 * result.Right < result.HeldOut)
            context.Warn($"the probe gets {result.Right} of {result.HeldOut} held-out rows right: what it does not follow, a better model might");
        var json = new JsonObject
        {
            ["schema"] = 1, ["found"] = taken.Length > 0, ["dataset"] = data.Name, ["split"] = parameters.Audit.Split, ["backbone"] = backbone, ["headline"] = headline,
            ["held-out-rows"] = result.HeldOut, ["held-out-right"] = result.Right, ["suspects"] = ProbeTables.ToJson(result, rows, data.Labels),
        };
        Text(JsonFile, json.ToJsonString(Readable) + "\n");
        Text("watched.csv", ProbeTables.WatchedCsv(result, data.Labels));
        Text(TableStage.JsonFile, table.ToJson());
        var labels = new JsonArray([.. data.Labels.Select(label => (JsonNode)label)]);
        Text(MeasureSet.FileName, MeasureSet.ToJson(measures, new JsonObject
        {
            ["dataset"] = data.Name, ["split"] = parameters.Audit.Split, ["backbone"] = backbone, ["labels"] = labels,
            ["notes"] = new JsonArray([.. context.Warnings.Select(warning => (JsonNode)warning)]),
        }));
        // The whole answer: what the counts say, and in front of it what the probe makes of it.
        var stage = Name;
        var answer = AuditAnswer.Of(audit, data, data.Split(parameters.Audit.Split)!, parameters.Audit);
        var page = AuditPage.Of(
            stage, answer, data, audit, AuditTables.Suspects(audit, data, parameters.Audit), AuditTables.Figure(audit, data, parameters.Audit), measures, context.Warnings);
        var none = new Dictionary<string, string>();
        Text(HtmlFile, ReportHtml.Of(page with
        {
            Lead = headline, Facts = [new ReportFact("By counts alone", answer.Headline), .. page.Facts],
            Tables = [new(stage, none, table), new(stage, none, ProbeTables.Rows(result, data.Labels)), .. page.Tables],
            More = "all of it stands in watched.csv and probe.json of the stage's output",
        }));
        context.Log(headline);

        void Text(string file, string text) => File.WriteAllText(context.Output(file), text, Utf8);
    }
}
