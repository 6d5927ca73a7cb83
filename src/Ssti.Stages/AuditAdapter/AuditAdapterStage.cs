using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Defenses;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;

namespace Ssti.Stages;

/// <summary>
/// Whether an adapter is safe: what its weights say, alone and beside a bank of clean and poisoned ones, and what tokens do to the model when they are put into clean rows.
/// Leaves the answer (<c>audit.json</c>, <c>audit.html</c>), <c>measures.json</c>, what each module and token did, and the first of them as a table.
/// </summary>
public sealed class AuditAdapterStage : StageKind<AuditAdapterParameters>
{
    /// <summary>The answer, for programs.</summary>
    public const string AnswerFile = "audit.json";

    /// <summary>The answer for people.</summary>
    public const string HtmlFile = "audit.html";

    /// <summary>What each token did.</summary>
    public const string TokensFile = "tokens.jsonl";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public override string Name => "audit-adapter";

    /// <inheritdoc/>
    public override int Version => 3;

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
        if (parameters.Source is { IsUri: true })
            yield return new("source", "must be a local folder; an adapter of the Hub comes in by a stage 'adapter' and the input of that name");
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
            yield return new(
                "split",
                model
                    ? "has no 'data' to be a split of: probing needs clean rows as the input 'data'"
                    : "is of 'data', which without the input 'model' is put to no use");
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
            var measures = answer.Measures();
            JsonArray Notes() => new([.. context.Warnings.Select(warning => (JsonNode)warning)]);
            var about = answer.Describe();
            about["notes"] = Notes();
            Write(AnswerFile, about.ToJsonString(Readable) + "\n");
            Write(MeasureSet.FileName, MeasureSet.ToJson(measures, new JsonObject { ["rank"] = adapter.Rank, ["notes"] = Notes() }));
            var table = AdapterPage.Summary(adapter, probed);
            Write(TableStage.JsonFile, table.ToJson());
            Write(HtmlFile, ReportHtml.Of(AdapterPage.Of(Name, answer.Answer, adapter, table, measures, context.Warnings)));
            context.Log(answer.Answer.Headline);
            foreach (var sentence in answer.Answer.Meaning.Concat(answer.Answer.Unseen)) context.Log(sentence);
            context.Metrics["found"] = answer.Answer.Found;
        }
        catch (DefenseException error)
        {
            throw new StageException(error.Message, error);
        }

        void Write(string file, string text) => File.WriteAllText(context.Output(file), text, new UTF8Encoding(false));
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
