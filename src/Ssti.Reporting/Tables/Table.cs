using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ssti.Reporting.Tables;

/// <summary>A table as data: what the Markdown, LaTeX, CSV, JSON and console renderings are made from. The same table always gives the same bytes.</summary>
/// <param name="Title">One line above the table.</param>
/// <param name="Columns">The columns, in order.</param>
/// <param name="Rows">The rows: one cell a column (<see cref="TextCell.Empty"/> where there is nothing to say).</param>
/// <param name="Notes">What a reader must know to trust the numbers: definitions, model, data, device. Printed below.</param>
public sealed record Table(string Title, IReadOnlyList<Column> Columns, IReadOnlyList<IReadOnlyList<Cell>> Rows, IReadOnlyList<string> Notes)
{
    /// <summary>The rows.</summary>
    public IReadOnlyList<IReadOnlyList<Cell>> Rows { get; } = Rows.All(row => row.Count == Columns.Count)
        ? Rows
        : throw new ArgumentException($"a row of '{Title}' does not have {Columns.Count} cells");

    /// <summary>The profile it was made with, which every rendering tells; null without one.</summary>
    public string? Profile { get; init; }

    // Before what else stands below: it says which of several sizes all of that is about.
    internal IEnumerable<string> Told => Profile is null ? Notes : Notes.Prepend($"Profile: {Profile}.");

    /// <summary>The table as indented JSON: every number in full, for programs and for <see cref="FromJson"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TableJson.Default.Table) + "\n";

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">Not such a text.</exception>
    public static Table FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, TableJson.Default.Table) ?? throw new FormatException("not a table: null");
        }
        catch (Exception error) when (error is JsonException or ArgumentException or NotSupportedException)
        {
            throw new FormatException($"not a table: {error.Message}", error);
        }
    }
}

/// <summary>A column of a table.</summary>
/// <param name="Key">Its name in CSV and JSON, snake_case.</param>
/// <param name="Header">Its heading for people.</param>
/// <param name="Align">Which side its cells stand at.</param>
/// <param name="Unit">The unit of its numbers in the CSV file (there they stand bare), such as <c>rows</c>, <c>fraction</c> or <c>pp</c>; null for text.</param>
/// <param name="Definition">What its numbers say, for programs; people read it in the notes.</param>
public sealed record Column(string Key, string Header, Align Align = Align.Right, string? Unit = null, string? Definition = null);

/// <summary>The side a column's cells stand at.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Align>))]
public enum Align
{
    /// <summary>Left: text.</summary>
    Left,

    /// <summary>Right: numbers.</summary>
    Right,
}

[JsonSourceGenerationOptions(
    WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Table))]
internal sealed partial class TableJson : JsonSerializerContext;
