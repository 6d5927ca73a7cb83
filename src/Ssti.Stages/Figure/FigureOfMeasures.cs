using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;
using Drawn = Ssti.Reporting.Figures.Figure;

namespace Ssti.Stages;

/// <summary>A figure out of measures: groups them by its two dimensions, and summarises over the rest.</summary>
internal static class FigureOfMeasures
{
    /// <summary>Builds it.</summary>
    /// <exception cref="ArgumentException">The measures have no such dimension, measure or class; says which there are.</exception>
    public static Drawn Build(FigureParameters parameters, IReadOnlyList<MeasureSet> sets)
    {
        var grid = new MeasureGrid(sets, parameters.Measure!, parameters.Class);
        var (x, by, described) = (parameters.X!, parameters.By, grid.Described);
        var positions = grid.Values(x);
        IReadOnlyList<string?> groups = by is null ? [null] : [.. grid.Values(by)];
        var (xTitle, yTitle) = (parameters.XTitle ?? x, parameters.YTitle ?? $"{parameters.Measure} ({described.Unit})");
        var notes = Notes(parameters, sets, described);
        if (parameters.Form == FigureForm.HeatMap)
        {
            return new HeatMapFigure(
                parameters.Title, xTitle, parameters.YTitle ?? by!, positions, [.. groups.Select(group => group!)],
                [.. groups.Select(group => (IReadOnlyList<double?>)[.. positions.Select(position => grid.Summary(Where(position, group))?.Mean)])],
                $"{parameters.Measure} ({described.Unit})") { Notes = notes };
        }

        var series = groups.Select(group => new FigureSeries(
            group is null ? parameters.Measure! : $"{by} {group}",
            [.. positions.Select(position => grid.Summary(Where(position, group)) is { } runs ? Point(runs, parameters.Spread) : null)])).ToList();
        foreach (var published in parameters.Published)
        {
            if (by is not null && !groups.Contains(published.Value))
                throw new ArgumentException($"published: '{by}' has no value '{published.Value}'; it has: {string.Join(", ", groups)}");
            if (published.Values.Count != positions.Count)
                throw new ArgumentException($"published: '{published.Value}' has {published.Values.Count} values, and '{x}' has {positions.Count}: {string.Join(", ", positions)}");
            series.Add(new FigureSeries($"{(by is null ? published.Value : $"{by} {published.Value}")}, published", [.. published.Values.Select((value, index) =>
                published.Errors.Count == 0 ? new FigurePoint(value) : new FigurePoint(value, value - published.Errors[index], value + published.Errors[index]))])
            {
                Beside = by is null ? groups.Count == 1 ? 0 : null : groups.Index().First(group => group.Item == published.Value).Index,
            });
        }

        return parameters.Form == FigureForm.Bars
            ? new BarFigure(parameters.Title, xTitle, yTitle, positions, series) { Notes = notes }
            : new LineFigure(parameters.Title, xTitle, yTitle, positions, series) { Notes = notes };

        Dictionary<string, string> Where(string position, string? group)
        {
            var where = new Dictionary<string, string> { [x] = position };
            if (group is not null) where[by!] = group;
            return where;
        }
    }

    private static FigurePoint Point(SeedSummary runs, SpreadKind kind) => runs.Runs < 2 ? new(runs.Mean) : kind switch
    {
        SpreadKind.Range => new(runs.Mean, runs.Min, runs.Max),
        SpreadKind.Deviation => new(runs.Mean, runs.Mean - runs.StandardDeviation, runs.Mean + runs.StandardDeviation),
        SpreadKind.Confidence => new(runs.Mean, runs.Confidence95!.Value.Low, runs.Confidence95!.Value.High),
        _ => new(runs.Mean),
    };

    private static List<string> Notes(FigureParameters parameters, IReadOnlyList<MeasureSet> sets, NamedMeasure described)
    {
        var over = sets.SelectMany(set => set.Cell).Where(pair => pair.Key != parameters.X && pair.Key != parameters.By)
            .GroupBy(pair => pair.Key, pair => pair.Value).Select(group => $"{group.Key} {string.Join(", ", group.Distinct())}").ToArray();
        var bars = parameters.Spread switch
        {
            SpreadKind.Range => "; bars: smallest to largest",
            SpreadKind.Deviation => "; bars: ± sample standard deviation",
            SpreadKind.Confidence => "; bars: 95 % confidence interval of the mean, Student's t",
            _ => "",
        };
        List<string> notes = [$"{parameters.Measure}: {described.Definition}."];
        notes.Add(over.Length > 0 ? $"Each point: mean over {string.Join("; ", over)}{bars}." : "Each point: a single run.");
        if (parameters.Published.Count > 0) notes.Add($"Published: {parameters.PublishedIn ?? "arXiv 2506.11402"}.");
        return notes;
    }
}
