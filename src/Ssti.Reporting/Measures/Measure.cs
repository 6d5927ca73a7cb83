using System.Text.Json.Nodes;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Measures;

/// <summary>
/// A named number of an evaluation, with its unit and its definition. <c>metrics.json</c>, the tables and their notes are all made from these
/// objects, so that nothing is named or defined twice; all of them stand in <see cref="EvaluationMeasures"/>.
/// </summary>
public sealed class Measure
{
    private readonly Func<MetricsFile, int, Reading> _read;

    internal Measure(string name, string header, NumberFormat format, string definition, Func<MetricsFile, Reading> read)
        : this(name, header, format, definition, (file, _) => read(file), byClass: false)
    {
    }

    internal Measure(string name, string header, NumberFormat format, string definition, Func<MetricsFile, int, Reading> read, bool byClass = true) =>
        (Name, Header, Format, Definition, _read, ByClass) = (name, header, format, definition, read, byClass);

    /// <summary>Its name for programs, snake_case: the key in <c>metrics.json</c>, and of a table's column.</summary>
    public string Name { get; }

    /// <summary>What people read above a column of it.</summary>
    public string Header { get; }

    /// <summary>How it is written.</summary>
    public NumberFormat Format { get; }

    /// <summary>What it says, in a sentence without a full stop.</summary>
    public string Definition { get; }

    /// <summary>Whether there is one for each class: of that class, or with it as the target.</summary>
    public bool ByClass { get; }

    /// <summary>The least and the greatest value it can have; null for counts, which have no upper bound.</summary>
    public Interval? Bounds { get; init; }

    /// <summary><c>rows</c>, <c>fraction</c> (0 to 1, never a percentage) or <c>pp</c> (percentage points).</summary>
    public string Unit => Format switch
    {
        NumberFormat.Count => "rows",
        NumberFormat.Points => "pp",
        _ => "fraction",
    };

    /// <summary>How numbers of a unit are written where nothing else is known of them.</summary>
    internal static NumberFormat FormatOf(string unit) => unit switch
    {
        "fraction" => NumberFormat.Percent,
        "pp" => NumberFormat.Points,
        "rows" or "tokens" or "words" or "documents" or "parameters" or "suspects" or "adapters" or "ranks" => NumberFormat.Count,
        _ => NumberFormat.Decimal,
    };

    /// <summary>Its value on one evaluation.</summary>
    /// <param name="file">The evaluation.</param>
    /// <param name="label">The class, for a measure that has one for each.</param>
    public Reading Read(MetricsFile file, int label = 0) => _read(file, label);

    internal JsonObject ToJson(MetricsFile file) => ByClass
        ? new NamedMeasure(Unit, Definition, null, [.. Enumerable.Range(0, file.Labels.Count).Select(label => Read(file, label))]).ToJson()
        : NamedMeasure.Of(Unit, Definition, Read(file)).ToJson();
}
