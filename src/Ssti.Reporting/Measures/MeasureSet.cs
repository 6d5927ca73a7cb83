using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Measures;

/// <summary>
/// What a stage measured, whichever stage it was: named readings with unit and definition, as they stand under <c>measures</c> in <c>metrics.json</c> (evaluations) and
/// <c>measures.json</c> (all others). Figures and claims take their numbers from here and from nowhere else.
/// </summary>
/// <param name="Name">Of the stage instance, such as <c>evaluate@base-40</c>.</param>
/// <param name="Cell">Its matrix values, such as <c>rank: 16, seed: 40</c>.</param>
/// <param name="Measures">The readings by name.</param>
/// <param name="Target">The class that per-class measures are of unless another is asked for: the target of the injection; null without one.</param>
/// <param name="Labels">The classes' names; empty where nothing is measured by class.</param>
public sealed record MeasureSet(
    string Name, IReadOnlyDictionary<string, string> Cell, IReadOnlyDictionary<string, NamedMeasure> Measures, int? Target, IReadOnlyList<string> Labels)
{
    /// <summary>The file of a stage that is no evaluation.</summary>
    public const string FileName = "measures.json";

    /// <summary>What makes the numbers doubtful, in a sentence each: tables print them.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    private const string ByNumber = "number:";

    /// <summary>The stage's name without its cell.</summary>
    public string Stage => Name.Split('@')[0];

    /// <summary>Every reading: of the whole, and of each class with the class's name.</summary>
    public IEnumerable<(string Measure, string? Class, NamedMeasure Described, Reading Reading)> Readings =>
        from measure in Measures
        from one in (IEnumerable<(string? Class, Reading Reading)>)
        [
            .. measure.Value.Whole is { } whole ? [(null, whole)] : Array.Empty<(string?, Reading)>(),
            .. measure.Value.Classes.Select((reading, index) => (Labels.ElementAtOrDefault(index) ?? index.ToString(CultureInfo.InvariantCulture), reading)),
        ]
        select (measure.Key, one.Class, measure.Value, one.Reading);

    /// <summary>Reads the text of a <c>measures.json</c> or <c>metrics.json</c>.</summary>
    /// <exception cref="FormatException">Not such a file.</exception>
    public static MeasureSet Parse(string name, IReadOnlyDictionary<string, string> cell, string json)
    {
        try
        {
            var root = JsonNode.Parse(json)!.AsObject();
            var measures = root["measures"]!.AsObject().ToDictionary(pair => pair.Key, pair => NamedMeasure.Of(pair.Value!.AsObject()), StringComparer.Ordinal);
            return new MeasureSet(name, cell, measures, (int?)root["target"], [.. root["labels"]?.AsArray().Select(label => (string)label!) ?? []])
            {
                Notes = [.. root["notes"]?.AsArray().Select(note => (string)note!) ?? []],
            };
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"it has no measures that can be read: {e.Message}", e);
        }
    }

    /// <summary>The text of a <c>measures.json</c>: the measures, and what else a reader should know of them.</summary>
    /// <param name="measures">The readings by name.</param>
    /// <param name="about">Further members, such as the model and the rows measured; <c>labels</c>, <c>target</c> and <c>notes</c> are read again.</param>
    public static string ToJson(IReadOnlyDictionary<string, NamedMeasure> measures, JsonObject about)
    {
        var root = new JsonObject { ["schema"] = 1 };
        foreach (var (key, value) in about) root[key] = value?.DeepClone();
        root["measures"] = new JsonObject(measures.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value.ToJson())));
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n";
    }

    /// <summary>A reading: of the whole set, or of a class.</summary>
    /// <param name="measure">The measure's name.</param>
    /// <param name="label">The class's name, or <c>number:1</c>; null for the whole, and for the target where a measure has readings by class alone.</param>
    /// <exception cref="ArgumentException">There is no such measure or class; says which there are.</exception>
    public Reading Read(string measure, string? label = null)
    {
        if (!Measures.TryGetValue(measure, out var named))
            throw new ArgumentException($"'{Name}' has no measure '{measure}'; it has: {string.Join(", ", Measures.Keys.Order(StringComparer.Ordinal))}");
        if (named.Whole is { } whole && (label is null || named.Classes.Count == 0)) return whole;
        var index = label is null ? Target : ClassOf(label);
        if (index is { } found && found < named.Classes.Count) return named.Classes[found];
        return label is null
            ? Reading.None($"it is measured for each class, and there is no target: name one with 'class' ({string.Join(", ", Labels)})")
            : throw new ArgumentException($"'{Name}' has no class '{label}'; there are: {string.Join(", ", Labels)}");
    }

    /// <summary>The number of a class by its name or as <c>number:1</c>; null when there is none. A class that is called so goes first.</summary>
    internal int? ClassOf(string label)
    {
        foreach (var (index, name) in Labels.Index())
            if (name == label) return index;
        return label.StartsWith(ByNumber, StringComparison.Ordinal) && int.TryParse(label.AsSpan(ByNumber.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number < Labels.Count ? number : null;
    }
}

/// <summary>A measure's readings with what they mean.</summary>
/// <param name="Unit">Such as <c>fraction</c>, <c>pp</c>, <c>bits</c>, <c>rows</c>.</param>
/// <param name="Definition">A sentence without a full stop.</param>
/// <param name="Whole">The reading of all rows; null where there is one for each class alone.</param>
/// <param name="Classes">The readings by class; empty where there is one for all alone.</param>
public sealed record NamedMeasure(string Unit, string Definition, Reading? Whole, IReadOnlyList<Reading> Classes)
{
    /// <summary>How its numbers are written for people, by its unit.</summary>
    public NumberFormat Format => Measure.FormatOf(Unit);

    /// <summary>A measure of the whole.</summary>
    public static NamedMeasure Of(string unit, string definition, Reading reading) => new(unit, definition, reading, []);

    internal static NamedMeasure Of(JsonObject json) => new(
        (string?)json["unit"] ?? throw new FormatException("a measure has no unit"),
        (string?)json["definition"] ?? throw new FormatException("a measure has no definition"),
        json.ContainsKey("value") ? Parse(json) : null,
        [.. json["classes"]?.AsArray().Select(entry => Parse(entry!.AsObject())) ?? []]);

    internal JsonObject ToJson()
    {
        var json = new JsonObject { ["unit"] = Unit, ["definition"] = Definition };
        if (Whole is { } whole) whole.AddTo(json);
        if (Classes.Count > 0 || Whole is null)
            json["classes"] = new JsonArray([.. Classes.Select((reading, label) => (JsonNode)reading.AddTo(new JsonObject { ["class"] = label }))]);
        return json;
    }

    private static Reading Parse(JsonObject json) => new(
        (double?)json["value"], (long?)json["n"],
        json["interval95"] is { } interval ? new Interval((double)interval["low"]!, (double)interval["high"]!) : null, (string?)json["reason"]);
}
