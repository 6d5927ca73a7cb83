using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ssti.Reporting.Figures;

/// <summary>What a figure shows, in the units of its data: it knows no drawing library, and is what <c>figure.json</c> holds.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">What stands along the horizontal axis.</param>
/// <param name="Y">What stands along the vertical axis.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "form")]
[JsonDerivedType(typeof(LineFigure), "lines")]
[JsonDerivedType(typeof(BarFigure), "bars")]
[JsonDerivedType(typeof(HistogramFigure), "histogram")]
[JsonDerivedType(typeof(HeatMapFigure), "heat-map")]
[JsonDerivedType(typeof(ScatterFigure), "scatter")]
public abstract record Figure(string Title, string X, string Y)
{
    /// <summary>What stands under the figure in words: without it the numbers cannot be judged.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The profile it was made with, which stands under its title; null without one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Profile { get; init; }

    /// <summary>What is wrong with it, or null: a figure of nothing, or of values that cannot be drawn.</summary>
    public abstract string? Problem();

    /// <summary>Its file for programs: indented JSON in camelCase, LF, a newline at the end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, FigureJson.Default.Figure) + "\n";

    /// <summary>Reads <see cref="ToJson"/>.</summary>
    /// <exception cref="FormatException">It is not such a file.</exception>
    public static Figure FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, FigureJson.Default.Figure) ?? throw new FormatException("not a figure: null");
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            throw new FormatException($"not a figure: {error.Message}", error);
        }
    }
}

/// <summary>Values over an ordered axis, one line a series, with error bars.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">What stands along the horizontal axis.</param>
/// <param name="Y">What stands along the vertical axis.</param>
/// <param name="Positions">What the positions along X are called, in order: they stand at equal distances.</param>
/// <param name="Series">The lines.</param>
public sealed record LineFigure(string Title, string X, string Y, IReadOnlyList<string> Positions, IReadOnlyList<FigureSeries> Series) : Figure(Title, X, Y)
{
    /// <inheritdoc/>
    public override string? Problem() => FigureSeries.Problem(Positions, Series);
}

/// <summary>Values by category, the series side by side, with error bars.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">What the categories are.</param>
/// <param name="Y">What stands along the vertical axis.</param>
/// <param name="Positions">The categories in their order.</param>
/// <param name="Series">One bar of each stands in every category.</param>
public sealed record BarFigure(string Title, string X, string Y, IReadOnlyList<string> Positions, IReadOnlyList<FigureSeries> Series) : Figure(Title, X, Y)
{
    /// <inheritdoc/>
    public override string? Problem() => FigureSeries.Problem(Positions, Series);
}

/// <summary>How often values fall into bins of equal width.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">The value that is counted.</param>
/// <param name="Y">What is counted.</param>
/// <param name="Low">The lower end of the first bin.</param>
/// <param name="High">The upper end of the last.</param>
/// <param name="Series">The counts, one a bin; negative ones where a series is a difference.</param>
public sealed record HistogramFigure(string Title, string X, string Y, double Low, double High, IReadOnlyList<HistogramSeries> Series) : Figure(Title, X, Y)
{
    /// <inheritdoc/>
    public override string? Problem() => Series.Count == 0 ? "it has no series"
        : !(Low < High) || !double.IsFinite(Low) || !double.IsFinite(High) ? $"its bins reach from {Low} to {High}"
        : Series.FirstOrDefault(series => series.Counts.Count == 0) is { } empty ? $"series '{empty.Name}' has no bins"
        : Series.Any(series => series.Counts.Any(count => !double.IsFinite(count))) ? "it has a count that is no number" : null;
}

/// <summary>A histogram's counts.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Counts">One a bin, from low to high.</param>
public sealed record HistogramSeries(string Name, IReadOnlyList<double> Counts);

/// <summary>A value for each pair of row and column, as colour.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">What the columns are.</param>
/// <param name="Y">What the rows are.</param>
/// <param name="Columns">The columns' names, left to right.</param>
/// <param name="Rows">The rows' names, top to bottom.</param>
/// <param name="Values">A list a row, one value a column; null where there is none.</param>
/// <param name="Unit">Of the values, beside the colour scale.</param>
public sealed record HeatMapFigure(
    string Title, string X, string Y, IReadOnlyList<string> Columns, IReadOnlyList<string> Rows, IReadOnlyList<IReadOnlyList<double?>> Values, string Unit)
    : Figure(Title, X, Y)
{
    /// <inheritdoc/>
    public override string? Problem() => Columns.Count == 0 || Rows.Count == 0 ? "it has no cells"
        : Values.Count != Rows.Count || Values.Any(row => row.Count != Columns.Count) ? $"its values are not {Rows.Count} rows of {Columns.Count}"
        : Values.All(row => row.All(value => value is null)) ? "none of its cells has a value"
        : Values.Any(row => row.Any(value => value is { } number && !double.IsFinite(number))) ? "it has a value that is no number" : null;
}

/// <summary>Points in the plane, and lines between which they lie.</summary>
/// <param name="Title">The line above it.</param>
/// <param name="X">What stands along the horizontal axis.</param>
/// <param name="Y">What stands along the vertical axis.</param>
/// <param name="Series">The points, a colour a series.</param>
/// <param name="Lines">Lines through points in their order, without marks.</param>
/// <param name="LogarithmicX">Whether equal steps along X are equal ratios; then every x is positive.</param>
public sealed record ScatterFigure(
    string Title, string X, string Y, IReadOnlyList<ScatterSeries> Series, IReadOnlyList<ScatterSeries> Lines, bool LogarithmicX) : Figure(Title, X, Y)
{
    /// <inheritdoc/>
    public override string? Problem() => Series.All(series => series.Points.Count == 0) ? "it has no points"
        : Series.Concat(Lines).SelectMany(series => series.Points).Any(point => !double.IsFinite(point.X) || !double.IsFinite(point.Y)) ? "it has a value that is no number"
        : LogarithmicX && Series.Concat(Lines).SelectMany(series => series.Points).Any(point => point.X <= 0) ? "it has an x that is not positive on a logarithmic axis" : null;
}

/// <summary>Points of one colour.</summary>
/// <param name="Name">What the legend calls them.</param>
/// <param name="Points">The points.</param>
public sealed record ScatterSeries(string Name, IReadOnlyList<ScatterPoint> Points);

/// <summary>A point.</summary>
/// <param name="X">Along the horizontal axis.</param>
/// <param name="Y">Along the vertical axis.</param>
/// <param name="Name">What it is; written beside it where there are few; null for nothing.</param>
public sealed record ScatterPoint(double X, double Y, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Name = null);

/// <summary>The values of a line or of the bars of one colour.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Points">One a position; null where there is none.</param>
public sealed record FigureSeries(string Name, IReadOnlyList<FigurePoint?> Points)
{
    /// <summary>
    /// The series that this one stands beside, by its index: the published values of a measured one. It has its colour, paler; null for a
    /// series by itself.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Beside { get; init; }

    internal static string? Problem(IReadOnlyList<string> positions, IReadOnlyList<FigureSeries> series) =>
        positions.Count == 0 ? "it has no positions"
        : series.Count == 0 ? "it has no series"
        : series.FirstOrDefault(one => one.Points.Count != positions.Count) is { } odd ? $"series '{odd.Name}' has {odd.Points.Count} points for {positions.Count} positions"
        : series.FirstOrDefault(one => one.Beside is { } other && (other < 0 || other >= series.Count)) is { } lost
            ? $"series '{lost.Name}' stands beside series {lost.Beside} of {series.Count}"
        : series.All(one => one.Points.All(point => point is null)) ? "none of its points has a value"
        : series.SelectMany(one => one.Points).OfType<FigurePoint>().Any(point => !point.IsFinite) ? "it has a value that is no number" : null;
}

/// <summary>A value with the ends of its error bar.</summary>
/// <param name="Value">The value.</param>
/// <param name="Low">The lower end; null without a bar.</param>
/// <param name="High">The upper end; null without a bar.</param>
public sealed record FigurePoint(double Value, double? Low = null, double? High = null)
{
    internal bool IsFinite => double.IsFinite(Value) && double.IsFinite(Low ?? Value) && double.IsFinite(High ?? Value);
}

[JsonSourceGenerationOptions(
    WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Figure))]
internal sealed partial class FigureJson : JsonSerializerContext;
