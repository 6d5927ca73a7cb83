namespace Ssti.Defenses.Adapters;

/// <summary>Clean and poisoned adapters of one base that a pipeline trained itself: what is usual, and how well the two can be told apart.</summary>
/// <param name="Entries">The adapters.</param>
public sealed record AdapterBank(IReadOnlyList<BankEntry> Entries)
{
    /// <summary>
    /// A score for each adapter by a detector that saw neither it nor any of its group, nor any that is held out; null where too few are left to learn from.
    /// Higher is more like a poisoned one.
    /// </summary>
    public IReadOnlyList<double?> CrossValidatedScores()
    {
        var detectors = Entries.Select(entry => entry.Group).Distinct()
            .ToDictionary(group => group, group => SpectralDetector.Fit([.. Entries.Where(entry => entry.Group != group && !entry.HeldOut)]));
        return [.. Entries.Select(entry => detectors[entry.Group]?.Score(entry.Rank, entry.Features))];
    }

    /// <summary>How one adapter looks beside the bank.</summary>
    /// <param name="rank">Its rank.</param>
    /// <param name="features">Its numbers.</param>
    /// <returns>Null where the bank is too small to learn from.</returns>
    /// <remarks>
    /// The clean adapters that it is compared with were scored by detectors that did not see them; its own detector saw the whole bank. It is compared with those of its own rank
    /// where there are any, else with all.
    /// </remarks>
    public BankVerdict? Judge(int rank, IReadOnlyList<double?> features)
    {
        if (SpectralDetector.Fit(Entries) is not { } detector) return null;
        var score = detector.Score(rank, features);
        var clean = Entries.Zip(CrossValidatedScores()).Where(pair => !pair.First.IsPoisoned && pair.Second is not null).ToArray();
        var same = clean.Where(pair => pair.First.Rank == rank).ToArray();
        var (beside, ofRank) = same.Length > 0 ? (same, true) : (clean, false);
        if (beside.Length == 0) return null;
        var above = beside.Count(pair => pair.Second >= score);
        return new(score, above, beside.Length, ofRank);
    }
}

/// <summary>How an adapter looks beside a bank.</summary>
/// <param name="Score">The log-odds of being poisoned, by its weights.</param>
/// <param name="Above">Clean adapters of the bank that score at least as high.</param>
/// <param name="Clean">Clean adapters that it was compared with.</param>
/// <param name="OfItsRank">Whether those are of its own rank.</param>
public sealed record BankVerdict(double Score, int Above, int Clean, bool OfItsRank)
{
    /// <summary>
    /// The chance that a clean adapter of the bank's kind scores as high: (above + 1) / (clean + 1), whatever the scores' distribution. A little too small
    /// in a small bank, where the detectors that did not see a clean one differ from that which saw all.
    /// </summary>
    public double PValue => (Above + 1.0) / (Clean + 1.0);

    /// <summary>The smallest chance that so many clean adapters can show.</summary>
    public double Smallest => 1.0 / (Clean + 1.0);
}
