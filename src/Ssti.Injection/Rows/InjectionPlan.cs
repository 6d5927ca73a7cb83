using System.Numerics;

namespace Ssti.Injection.Rows;

/// <summary>What a proportion is a proportion of.</summary>
public enum ProportionOf
{
    /// <summary>The rows of the target class, as in the paper: 0.5 on a balanced set of two classes is a quarter of the set.</summary>
    Class,

    /// <summary>All rows of the split, though only rows of the target class are injected: the poisoning rate of the backdoor literature.</summary>
    Set,
}

/// <summary>In which order the rows of an injected split stand.</summary>
public enum RowOrder
{
    /// <summary>All rows of the target class first (injected or not), then the others, as the reference writes them.</summary>
    TargetFirst,

    /// <summary>As they stood.</summary>
    Kept,
}

/// <summary>Which rows of a split are injected, and with what.</summary>
public sealed record InjectionPlan
{
    /// <summary>The steps, each working on what the one before it left.</summary>
    public required IReadOnlyList<InjectionStepOptions> Steps { get; init; }

    /// <summary>The label whose rows are injected; null injects rows of every label.</summary>
    public required int? TargetLabel { get; init; }

    /// <summary>How many rows: round(count · proportion), halves to the even number, as Python rounds.</summary>
    public double Proportion { get; init; } = 1;

    /// <summary>The count that the proportion is of.</summary>
    public ProportionOf ProportionOf { get; init; }

    /// <summary>How many rows, whatever <see cref="Proportion"/> says; null: the proportion says.</summary>
    public int? Count { get; init; }

    /// <summary>
    /// Dirty labels: the rows of the OTHER labels are injected, and come out under the target label. False injects rows that have the label already, as the paper does.
    /// </summary>
    public bool Relabels { get; init; }

    /// <summary>The seed of the choice of rows.</summary>
    public required BigInteger RowSeed { get; init; }

    /// <summary>The order of rows.</summary>
    public RowOrder Order { get; init; }

    /// <summary>What becomes of whitespace in injected rows.</summary>
    public WhitespaceHandling Whitespace { get; init; }

    /// <summary>Which random numbers a row takes; with <see cref="RandomStreams.PerRow"/> also how rows are chosen.</summary>
    public RandomStreams Streams { get; init; }
}

/// <summary>What was done to a split.</summary>
/// <param name="Rows">Rows of the split.</param>
/// <param name="Targets">Rows that could be injected: those of the target class, with dirty labels those of all others; all rows when every class is a target.</param>
/// <param name="Injected">Rows injected.</param>
/// <param name="Tokens">Tokens injected; an opening and a closing tag are two.</param>
public sealed record InjectionCounts(long Rows, long Targets, long Injected, long Tokens)
{
    /// <summary>The share of the rows that could be injected, 0 to 1.</summary>
    public double ShareOfClass => Targets == 0 ? 0 : (double)Injected / Targets;

    /// <summary>The share of the whole split that was injected, 0 to 1.</summary>
    public double ShareOfSet => Rows == 0 ? 0 : (double)Injected / Rows;
}
