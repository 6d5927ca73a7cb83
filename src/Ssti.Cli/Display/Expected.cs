namespace Ssti.Cli.Display;

/// <summary>How long a stage may take.</summary>
/// <param name="Seconds">The median of those like it, or null.</param>
/// <param name="Count">Of how many.</param>
/// <param name="Like">What those were: a past <c>run</c>, or a <c>cell</c> of the same stage in this one.</param>
internal readonly record struct Expected(double? Seconds, int Count, string Like)
{
    /// <summary><c>~14 s, from 3 runs</c>, <c>~14 s, from 1 cell of this run</c>, or <c>unknown</c>.</summary>
    public override string ToString() => Durations.Estimate(Seconds, Count, Like);
}
