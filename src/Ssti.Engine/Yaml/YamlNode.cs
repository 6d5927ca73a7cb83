using System.Globalization;

namespace Ssti.Engine.Yaml;

/// <summary>The file a node was read from: how to name it, and where its relative paths lead.</summary>
/// <param name="Name">As shown in messages.</param>
/// <param name="Folder">What relative paths are relative to.</param>
/// <param name="Root">The folder that paths may not leave; null for the command line and what is local, whose paths may lead anywhere.</param>
internal sealed record SourceFile(string Name, string Folder, string? Root)
{
    /// <summary>Whether it has lines to point at; the command line has none.</summary>
    public bool HasLines { get; init; } = Root is not null;
}

/// <summary>A node of a YAML document that knows where it stands. An alias is the very node it names.</summary>
internal abstract class YamlNode(SourceFile source, int line, int column)
{
    public SourceFile Source { get; } = source;

    /// <summary>The place; a value of the command line has no line.</summary>
    public SourceLocation Where => Source.HasLines ? new(Source.Name, line, column) : new(Source.Name, 0, 0);

    protected int Line => line;

    protected int Column => column;

    /// <summary>What it is, for messages.</summary>
    public abstract string Described { get; }

    /// <summary>
    /// Whether another node says the same: equal values (<c>1</c> and <c>1.0</c> are, <c>1</c> and <c>"1"</c> are not), lists item by item, mappings whatever
    /// the order of their keys.
    /// </summary>
    public bool Says(YamlNode other) => ReferenceEquals(this, other) || (this, other) switch
    {
        (YamlScalar a, YamlScalar b) => a.Canonical == b.Canonical && a.IsNumber == b.IsNumber && (a.IsNumber || a.Type == b.Type),
        (YamlSequence a, YamlSequence b) => a.Items.Count == b.Items.Count && a.Items.Zip(b.Items).All(pair => pair.First.Says(pair.Second)),
        (YamlMapping a, YamlMapping b) => a.Entries.Count == b.Entries.Count && a.Entries.All(entry => b[entry.Key.Text] is { } value && entry.Value.Says(value)),
        _ => false,
    };
}

/// <summary>What a scalar is by YAML 1.2's core schema.</summary>
internal enum ScalarType
{
    Null,
    Boolean,
    Integer,
    Number,
    Text,
}

internal sealed class YamlScalar : YamlNode
{
    public YamlScalar(SourceFile source, int line, int column, string text, bool plain)
        : base(source, line, column)
    {
        (Text, Paths) = (text, source);
        (Type, Integer, Number) = plain ? Classify(text) : (ScalarType.Text, 0, 0);
    }

    private YamlScalar(YamlScalar value, YamlScalar at)
        : base(at.Source, at.Line, at.Column) =>
        (Text, Type, Integer, Number, Paths) = (value.Text, value.Type, value.Integer, value.Number, value.Paths.Root is null ? value.Paths : at.Source);

    public string Text { get; }

    /// <summary>
    /// What decides where a path leads: the file it stands in, or the command line where that gave the value that is used here, whole. A text that was put
    /// together is the pipeline's, which could lead anywhere from a folder that somebody named.
    /// </summary>
    public SourceFile Paths { get; }

    public ScalarType Type { get; }

    /// <summary>The value of an integer.</summary>
    public long Integer { get; }

    /// <summary>The value of an integer or number.</summary>
    public double Number { get; }

    public bool IsNull => Type == ScalarType.Null;

    public bool IsNumber => Type is ScalarType.Integer or ScalarType.Number;

    public bool Boolean => Type == ScalarType.Boolean && (Text[0] is 't' or 'T');

    public override string Described => Type switch
    {
        ScalarType.Null => "nothing (null)",
        ScalarType.Boolean => $"the boolean {Text}",
        ScalarType.Integer => $"the integer {Text}",
        ScalarType.Number => $"the number {Text}",
        _ => $"the text '{(Text.Length > 60 ? Text[..60] + "…" : Text)}'",
    };

    /// <summary>The canonical text of the value: numbers as JSON writes them, so that 1e3 and 1000.0 name one thing.</summary>
    public string Canonical => Type switch
    {
        ScalarType.Null => "null",
        ScalarType.Boolean => Boolean ? "true" : "false",
        ScalarType.Integer => Integer.ToString(CultureInfo.InvariantCulture),
        ScalarType.Number when double.IsFinite(Number) => Store.Json.CanonicalJson.Number(Number),
        _ => Text,
    };

    /// <summary>The same value standing elsewhere, so that an error in it points at the place that used it.</summary>
    public YamlScalar At(YamlScalar place) => new(this, place);

    private static (ScalarType Type, long Integer, double Number) Classify(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL": return (ScalarType.Null, 0, 0);
            case "true" or "True" or "TRUE" or "false" or "False" or "FALSE": return (ScalarType.Boolean, 0, 0);
            case ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF": return (ScalarType.Number, 0, double.PositiveInfinity);
            case "-.inf" or "-.Inf" or "-.INF": return (ScalarType.Number, 0, double.NegativeInfinity);
            case ".nan" or ".NaN" or ".NAN": return (ScalarType.Number, 0, double.NaN);
        }

        if (text.Length > 40 || !(char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.')) return (ScalarType.Text, 0, 0);
        if (text.StartsWith("0x", StringComparison.Ordinal) && long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex) && hex >= 0)
            return (ScalarType.Integer, hex, hex);
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer)) return (ScalarType.Integer, integer, integer);
        var number = text.All(c => char.IsAsciiDigit(c) || c is '-' or '+' or '.' or 'e' or 'E')
            && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var parsed)
            ? parsed : double.NaN;
        return !double.IsFinite(number) ? (ScalarType.Text, 0, 0) : (ScalarType.Number, 0, number);
    }
}

internal sealed class YamlSequence(SourceFile source, int line, int column, IReadOnlyList<YamlNode> items) : YamlNode(source, line, column)
{
    public IReadOnlyList<YamlNode> Items { get; } = items;

    public override string Described => "a list";

    public YamlSequence With(IReadOnlyList<YamlNode> items) => new(Source, Line, Column, items);
}

/// <summary>An entry of a mapping.</summary>
internal readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);

internal sealed class YamlMapping(SourceFile source, int line, int column, IReadOnlyList<YamlEntry> entries) : YamlNode(source, line, column)
{
    public IReadOnlyList<YamlEntry> Entries { get; } = entries;

    public override string Described => "a mapping";

    /// <summary>The value of a key, or null.</summary>
    public YamlNode? this[string key]
    {
        get
        {
            foreach (var entry in Entries) if (entry.Key.Text == key) return entry.Value;
            return null;
        }
    }

    public YamlMapping With(IReadOnlyList<YamlEntry> entries) => new(Source, Line, Column, entries);
}
