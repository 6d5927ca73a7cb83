using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Statistics;
using Ssti.Engine.Stages;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>Which tokens are counted.</summary>
public sealed record TokenEntropyParameters
{
    /// <summary>The split.</summary>
    [Description("split whose tokens are counted")]
    public string Split { get; init; } = "train";

    /// <summary>The paper's bound.</summary>
    [Description("tokens in more documents than this are taken; in few documents any token looks like a sign of its label")]
    public int MinDocuments { get; init; } = 50;

    /// <summary>Bins of the histogram.</summary>
    [Description("bins of the histogram, from 0 to log2 of the number of classes")]
    public int Bins { get; init; } = 100;

    /// <summary>Whether case is ignored.</summary>
    [Description("whether Good and good are one token")]
    public bool IgnoreCase { get; init; }
}

/// <summary>
/// How much of the label each token gives away: H(y|t) of every frequent token in <c>tokens.csv</c>, their histogram in <c>histogram.json</c>, and
/// <c>measures.json</c>.
/// </summary>
public sealed class TokenEntropyStage : StageKind<TokenEntropyParameters>
{
    /// <summary>The histogram, as a figure takes it.</summary>
    public const string HistogramFile = "histogram.json";

    // A token below this tells the label nearly always: 0.1 bits is 98.7 % of one class of two.
    private const double Telling = 0.1;

    /// <inheritdoc/>
    public override string Name => "token-entropy";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Counts how much of the label each token of a dataset gives away: conditional entropy H(y|t), with its histogram.";

    /// <inheritdoc/>
    public override bool UsesSeed(TokenEntropyParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset (uses: dataset, corpus or inject)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(TokenEntropyParameters parameters)
    {
        if (parameters.MinDocuments < 0) yield return new("min-documents", "must not be negative");
        if (parameters.Bins is < 1 or > 10_000) yield return new("bins", "must lie between 1 and 10000");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(TokenEntropyParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var dataset = DatasetReader.Open(context.Input("data").PathOf);
            var (labels, split) = (dataset.Info.Labels, dataset.Info.Split(parameters.Split));
            if (split is { IsLabelled: false }) throw new StageException($"split '{split.Name}' has no labels, so its tokens tell nothing of them");
            if (split is not null && split.Counts.Count(count => count > 0) < 2) throw new StageException($"split '{split.Name}' holds one class alone: every token would tell it");
            var statistics = TokenStatistics.Of(
                dataset.Read(parameters.Split), labels.Count, parameters.IgnoreCase, done => context.Progress(new(done, split?.Rows, "rows")), cancellation);
            var tokens = statistics.InMoreThan(parameters.MinDocuments);
            if (tokens.Count == 0)
                throw new StageException($"none of {statistics.Distinct} tokens stands in more than {parameters.MinDocuments} of {split!.Rows} documents; set min-documents lower");
            await File.WriteAllTextAsync(context.Output("tokens.csv"), Table(tokens, labels).ToCsv(), new UTF8Encoding(false), cancellation);
            var histogram = Histogram(parameters, dataset.Info.Name, statistics, tokens);
            await File.WriteAllTextAsync(context.Output(HistogramFile), histogram.ToJson(), new UTF8Encoding(false), cancellation);
            var measures = Measures(parameters, tokens);
            var about = new JsonObject { ["dataset"] = dataset.Info.Name, ["split"] = parameters.Split, ["rows"] = split!.Rows, ["min-documents"] = parameters.MinDocuments };
            await File.WriteAllTextAsync(context.Output(MeasureSet.FileName), MeasureSet.ToJson(measures, about), new UTF8Encoding(false), cancellation);
            context.Log($"{tokens.Count} of {statistics.Distinct} tokens in more than {parameters.MinDocuments} documents; lowest: "
                + string.Join(", ", tokens.OrderBy(token => token.Bits).ThenByDescending(token => token.Documents).Take(5)
                    .Select(token => string.Create(CultureInfo.InvariantCulture, $"'{token.Token}' {token.Bits:0.000} bits in {token.Documents}"))));
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static HistogramFigure Histogram(TokenEntropyParameters parameters, string name, TokenStatistics statistics, IReadOnlyList<TokenEntropy> tokens)
    {
        var counts = new double[parameters.Bins];
        // The last bin holds its upper end, too.
        foreach (var token in tokens) counts[Math.Min((int)(token.Bits / statistics.Most * counts.Length), counts.Length - 1)]++;
        return new HistogramFigure($"Conditional entropy of the tokens of {name}", "H(y|t), bits", "tokens", 0, statistics.Most, [new HistogramSeries(name, counts)])
        {
            Notes =
            [
                "H(y|t) = −Σ p(y|t) log2 p(y|t), from the documents of each class that hold the token; 0: the token gives the label away.",
                $"Tokens: words between white space in more than {parameters.MinDocuments} documents "
                    + $"of the split {parameters.Split}{(parameters.IgnoreCase ? ", in lower case" : "")}.",
            ],
        };
    }

    private static Dictionary<string, NamedMeasure> Measures(TokenEntropyParameters parameters, IReadOnlyList<TokenEntropy> tokens)
    {
        var which = $"of the tokens in more than {parameters.MinDocuments} documents";
        return new()
        {
            ["tokens"] = NamedMeasure.Of("tokens", $"number {which}", Reading.Of(tokens.Count, tokens.Count)),
            ["mean_entropy"] = NamedMeasure.Of("bits", $"mean H(y|t) {which}", Reading.Of(tokens.Average(token => token.Bits), tokens.Count)),
            ["lowest_entropy"] = NamedMeasure.Of("bits", $"smallest H(y|t) {which}", Reading.Of(tokens.Min(token => token.Bits), tokens.Count)),
            ["telling_tokens"] = NamedMeasure.Of("fraction", string.Create(CultureInfo.InvariantCulture, $"share {which} with H(y|t) below {Telling} bits"),
                Reading.Share(tokens.Count(token => token.Bits < Telling), tokens.Count)),
        };
    }

    private static Table Table(IReadOnlyList<TokenEntropy> tokens, IReadOnlyList<string> labels) => new(
        "Conditional entropy by token",
        [
            new("token", "token", Align.Left), new("documents", "documents", Unit: "documents"), new("entropy", "H(y|t)", Unit: "bits"),
            .. labels.Select((label, index) => new Column($"documents_{index}", $"documents of {label}", Unit: "documents")),
        ],
        [
            .. tokens.Select(token => (IReadOnlyList<Cell>)
            [
                new TextCell(token.Token), new NumberCell(NumberFormat.Count, token.Documents), new NumberCell(NumberFormat.Decimal, token.Bits),
                .. token.Counts.Select(count => new NumberCell(NumberFormat.Count, count)),
            ]),
        ],
        []);
}
