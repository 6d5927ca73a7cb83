namespace Ssti.Defenses.Data;

/// <summary>What an audit calls what.</summary>
public sealed record AuditLevels
{
    /// <summary>A feature gives a label away when at least this share of the rows that have it are of one class, whatever rows come next.</summary>
    public double GivesAway { get; init; } = 0.9;

    /// <summary>
    /// The chance that a set in which nothing does raises any alarm; a quarter of it for words and shapes, for pairs, for pieces, and for
    /// families and forms.
    /// </summary>
    public double FalseAlarms { get; init; } = 0.05;

    /// <summary>Of the features said to lean to a class, the share that may lean by chance.</summary>
    public double FalseDiscoveries { get; init; } = 0.05;

    /// <summary>Words, pairs, pieces and shapes in fewer rows are not looked at.</summary>
    public int LeastRows { get; init; } = 10;

    /// <summary>
    /// The share at which a feature gives a class away: where the class is frequent anyway, such a share says little, and half of what is
    /// left of the rows is asked for.
    /// </summary>
    /// <param name="classShare">The class's share of all texts.</param>
    public double Bound(double classShare) => Math.Max(GivesAway, (1 + classShare) / 2);
}
