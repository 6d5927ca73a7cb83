namespace Ssti.Reporting.Metrics;

/// <summary>
/// The attack success rate (ASR): of the rows that are NOT of the target class, the share predicted as the target class when the token is present.
/// </summary>
/// <remarks>
/// Other work counts "prediction = target" over all rows, or "prediction ≠ true label"; the first credits the attack with rows that
/// were right all along, the second with mistakes it did not choose.
/// </remarks>
/// <param name="Target">The target class.</param>
/// <param name="Count">Rows of other classes predicted as the target.</param>
/// <param name="Total">Rows of other classes.</param>
/// <param name="Rate">Count / Total.</param>
/// <param name="Wilson95">Its 95 % Wilson interval (<see cref="Proportion.Wilson95"/>).</param>
public sealed record AttackSuccess(int Target, long Count, long Total, double Rate, Interval Wilson95)
{
    /// <summary>The rate for one target class; null when every row is of that class, for then nothing is left to attack.</summary>
    /// <param name="triggered">Predictions on a test set whose rows all carry the token.</param>
    /// <param name="target">The target class.</param>
    public static AttackSuccess? Of(ConfusionMatrix triggered, int target)
    {
        var total = triggered.Rows - triggered.Support(target);
        if (total == 0) return null;
        var rate = new Proportion(triggered.Predicted(target) - triggered[target, target], total);
        return new(target, rate.Count, rate.Total, rate.Rate, rate.Wilson95);
    }
}
