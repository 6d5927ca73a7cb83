using System.Text.Json.Serialization;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Tables;

/// <summary>What stands in one place of a table.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(TextCell), "text")]
[JsonDerivedType(typeof(NumberCell), "number")]
[JsonDerivedType(typeof(ListCell), "list")]
public abstract record Cell
{
    /// <summary>The cell as people read it.</summary>
    public abstract override string ToString();

    /// <summary>
    /// The cell as programs read it: bare values, each under a suffix of its column's key. The main value's suffix is empty.
    /// </summary>
    internal abstract IEnumerable<(string Suffix, string Value)> Flatten();
}

/// <summary>Words.</summary>
/// <param name="Text">One line.</param>
public sealed record TextCell(string Text) : Cell
{
    /// <summary>Nothing to say.</summary>
    public static TextCell Empty { get; } = new("");

    /// <summary>A number that is not defined here. A dash for people, an empty field for programs.</summary>
    public static TextCell Undefined { get; } = new("–");

    /// <inheritdoc/>
    public override string ToString() => Text;

    internal override IEnumerable<(string Suffix, string Value)> Flatten() => [("", this == Undefined ? "" : Text)];
}

/// <summary>A number, the mean of several runs when it has a spread.</summary>
/// <param name="Format">How it is written.</param>
/// <param name="Value">The number itself: a count, a fraction (not a percentage), or points.</param>
/// <param name="Share">Beside a count, its fraction of all rows.</param>
/// <param name="Spread">Around it, in the same unit.</param>
public sealed record NumberCell(NumberFormat Format, double Value, double? Share = null, Spread? Spread = null) : Cell
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var text = Numbers.Show(Format, Value);
        if (Share is { } share) text += $" ({Numbers.Show(NumberFormat.Percent, share)})";
        // Runs that agree to the last digit shown need no range.
        return Spread is null || Numbers.Show(Format, Spread.Low) == Numbers.Show(Format, Spread.High) && Spread.Kind != SpreadKind.Deviation
            ? text : $"{text} {Numbers.Show(Format, Spread)}";
    }

    internal override IEnumerable<(string Suffix, string Value)> Flatten()
    {
        yield return ("", Numbers.Exact(Value));
        if (Share is { } share) yield return ("_share", Numbers.Exact(share));
        if (Spread is null) yield break;
        var (low, high) = Spread.Kind switch
        {
            SpreadKind.Range => ("_min", "_max"),
            SpreadKind.Deviation => ("_sd", null),
            _ => ("_ci95_low", "_ci95_high"),
        };
        yield return (low, Numbers.Exact(Spread.Low));
        if (high is not null) yield return (high, Numbers.Exact(Spread.High));
    }
}

/// <summary>Several values in one place, each with a name: <c>0: 7.1 %, 1: 8.8 %</c>.</summary>
/// <param name="Items">The values, in order.</param>
public sealed record ListCell(IReadOnlyList<NamedCell> Items) : Cell
{
    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Items.Select(item => $"{item.Name}: {item.Cell}"));

    internal override IEnumerable<(string Suffix, string Value)> Flatten() =>
        Items.SelectMany(item => item.Cell.Flatten().Select(part => ($"_{Numbers.Key(item.Name)}{part.Suffix}", part.Value)));
}

/// <summary>A value with a name, in a <see cref="ListCell"/>.</summary>
/// <param name="Name">The name.</param>
/// <param name="Cell">The value.</param>
public sealed record NamedCell(string Name, Cell Cell);

/// <summary>How far values lie around a mean.</summary>
/// <param name="Kind">What the two ends are.</param>
/// <param name="Low">The lower end; for <see cref="SpreadKind.Deviation"/> the deviation.</param>
/// <param name="High">The upper end; for <see cref="SpreadKind.Deviation"/> the deviation.</param>
public sealed record Spread(SpreadKind Kind, double Low, double High)
{
    /// <summary>The spread of runs; null when it is undefined or none is asked for.</summary>
    /// <param name="runs">The runs' values.</param>
    /// <param name="kind">What is asked for.</param>
    /// <param name="ofOneRun">The 95 % interval of a single run over its rows, where one is known: it stands in for a range, which one run has not.</param>
    /// <param name="bounds">What the values lie between: an interval of the mean does not reach beyond.</param>
    public static Spread? Of(SeedSummary runs, SpreadKind kind, Interval? ofOneRun = null, Interval? bounds = null) => kind switch
    {
        SpreadKind.Range or SpreadKind.Confidence when runs.Runs < 2 => ofOneRun is { } one ? new(SpreadKind.Confidence, one.Low, one.High) : null,
        _ when runs.Runs < 2 => null,
        SpreadKind.Range => new(kind, runs.Min, runs.Max),
        SpreadKind.Deviation => new(kind, runs.StandardDeviation!.Value, runs.StandardDeviation!.Value),
        SpreadKind.Confidence => new(
            kind,
            Math.Max(runs.Confidence95!.Value.Low, bounds?.Low ?? double.MinValue),
            Math.Min(runs.Confidence95!.Value.High, bounds?.High ?? double.MaxValue)),
        _ => null,
    };
}

/// <summary>What a spread says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SpreadKind>))]
public enum SpreadKind
{
    /// <summary>The smallest and the largest value: <c>[1–3]</c>.</summary>
    Range,

    /// <summary>The sample standard deviation: <c>±1</c>.</summary>
    Deviation,

    /// <summary>A 95 % confidence interval: of the mean over runs (Student's t), or of a single run over its rows (Wilson): <c>[1–3]</c>.</summary>
    Confidence,

    /// <summary>Nothing.</summary>
    None,
}
