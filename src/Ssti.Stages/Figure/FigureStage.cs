using System.Text;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>Draws a measure over an experiment's grid: <c>figure.svg</c>, and its values with their definition in <c>figure.json</c>.</summary>
public sealed class FigureStage : StageKind<FigureParameters>
{
    /// <summary>The file that holds what is drawn.</summary>
    public const string JsonFile = "figure.json";

    /// <summary>The drawing.</summary>
    public const string SvgFile = "figure.svg";

    /// <inheritdoc/>
    public override string Name => "figure";

    /// <inheritdoc/>
    public override int Version => 3;

    /// <inheritdoc/>
    public override string Summary => "Draws a measure over an experiment's grid, published values beside it: an SVG, and the values as JSON.";

    /// <inheritdoc/>
    public override bool UsesSeed(FigureParameters parameters) => false;

    /// <inheritdoc/>
    public override bool TellsProfile => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("measures", "What was measured (uses: evaluate, attention, token-entropy …)", Many: true)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(FigureParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Title)) yield return new("title", "is empty; give the figure a name");
        if (parameters.Form == FigureForm.Histogram)
        {
            foreach (var (key, value) in new[] { ("measure", parameters.Measure), ("x", parameters.X), ("by", parameters.By) })
                if (value is not null) yield return new(key, "is not for a histogram, which draws the counts of its inputs; leave it out");
            yield break;
        }

        if (parameters.Measure is null) yield return new("measure", "is needed: the measure to draw, such as gap");
        if (parameters.X is null) yield return new("x", "is needed: the matrix dimension along the horizontal axis, such as rank");
        if (parameters.Difference) yield return new("difference", "is for a histogram alone");
        if (parameters.DifferenceOnly == true) yield return new("difference-only", "is for a histogram alone");
        if (parameters.Form == FigureForm.HeatMap && parameters.By is null) yield return new("by", "is needed: the matrix dimension whose values are the rows");
        if (parameters.Form == FigureForm.HeatMap && parameters.Published.Count > 0) yield return new("published", "has no place in a heat map; use lines or bars");
        foreach (var series in parameters.Published.Where(series => series.Errors.Count > 0 && series.Errors.Count != series.Values.Count))
            yield return new("published", $"'{series.Value}' has {series.Errors.Count} errors for {series.Values.Count} values");
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(FigureParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        var cells = inputs("measures");
        foreach (var (key, dimension) in new[] { ("x", parameters.X), ("by", parameters.By) })
            if (dimension is not null && CellCheck.NoDimension(cells, dimension) is { } none) yield return new(key, none);
        var (positions, groups) = (parameters.X is { } x ? CellCheck.Values(cells, x) : [], parameters.By is { } by ? CellCheck.Values(cells, by) : []);
        foreach (var series in positions.Count == 0 ? [] : parameters.Published)
        {
            if (series.Values.Count != positions.Count)
                yield return new("published", $"'{series.Value}' has {series.Values.Count} values, and '{parameters.X}' has {positions.Count}: {string.Join(", ", positions)}");
            if (groups.Count > 0 && !groups.Contains(series.Value))
                yield return new("published", $"'{parameters.By}' has no value '{series.Value}'; it has: {string.Join(", ", groups)}");
        }
    }

    /// <inheritdoc/>
    public override async Task RunAsync(FigureParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var figure = parameters.Form == FigureForm.Histogram ? Histogram(parameters, context)
                : FigureOfMeasures.Build(parameters, MeasureInput.Read(context.Inputs["measures"]));
            figure = figure with { Profile = context.Profile };
            await File.WriteAllTextAsync(context.Output(JsonFile), figure.ToJson(), new UTF8Encoding(false), cancellation);
            await File.WriteAllTextAsync(context.Output(SvgFile), FigureDrawing.ToSvg(figure), new UTF8Encoding(false), cancellation);
            context.Log($"'{figure.Title}' from {Amount.Of(context.Inputs["measures"].Count, "stage")}");
        }
        catch (ArgumentException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static HistogramFigure Histogram(FigureParameters parameters, StageContext context)
    {
        var parts = context.Inputs["measures"].Select(tree => (Tree: tree, Figure: Read(tree))).ToArray();
        var first = parts[0].Figure;
        foreach (var (tree, other) in parts)
        {
            if ((other.Low, other.High, other.Series[0].Counts.Count, other.X) != (first.Low, first.High, first.Series[0].Counts.Count, first.X))
                throw new StageException($"'{parts[0].Tree.StageName}' and '{tree.StageName}' count different things or in different bins: draw a figure of each");
        }

        List<HistogramSeries> series = [.. parts.Select(part => new HistogramSeries(part.Tree.StageName, part.Figure.Series[0].Counts))];
        if (parameters.Difference || parameters.DifferenceOnly == true)
        {
            if (series.Count != 2) throw new StageException($"difference: needs two inputs, and has {series.Count}");
            series.Add(new HistogramSeries($"{series[1].Name} minus {series[0].Name}", [.. series[1].Counts.Zip(series[0].Counts, (second, minuend) => second - minuend)]));
            if (parameters.DifferenceOnly == true) series = [series[^1]];
        }

        return new HistogramFigure(parameters.Title, parameters.XTitle ?? first.X, parameters.YTitle ?? first.Y, first.Low, first.High, series) { Notes = first.Notes };
    }

    private static HistogramFigure Read(InputTree tree)
    {
        try
        {
            return Reporting.Figures.Figure.FromJson(File.ReadAllText(tree.PathOf(TokenEntropyStage.HistogramFile))) as HistogramFigure
                ?? throw new StageException($"'{tree.StageName}' left no histogram");
        }
        catch (FormatException error)
        {
            throw new StageException($"'{tree.StageName}': {error.Message}", error);
        }
    }
}
