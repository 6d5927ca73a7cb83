using Ssti.Defenses.Adapters;

namespace Ssti.Defenses.Tests.Adapters;

public sealed class BankTests
{
    private static readonly int Width = AdapterSpectrum.FeatureNames.Count;

    [Fact]
    public void What_differs_is_told_apart_by_detectors_that_did_not_see_it()
    {
        var bank = Bank(shift: 3, seed: 1);
        Assert.True(Area(bank) > 0.95);
        // An adapter like the poisoned ones is found, one like the clean ones is not.
        var poisoned = bank.Judge(8, [.. Enumerable.Repeat<double?>(3, Width)])!;
        var clean = bank.Judge(8, [.. Enumerable.Repeat<double?>(0, Width)])!;
        Assert.Equal((0, true), (poisoned.Above, poisoned.OfItsRank));
        Assert.True(poisoned.PValue < 0.05 && clean.PValue > 0.2, $"{poisoned.PValue}, {clean.PValue}");
        Assert.Equal(1.0 / (poisoned.Clean + 1), poisoned.Smallest);
    }

    [Fact]
    public void Where_nothing_differs_scores_tell_nothing()
    {
        var areas = Enumerable.Range(0, 20).Select(seed => Area(Bank(shift: 0, seed))).ToArray();
        Assert.InRange(areas.Average(), 0.4, 0.6);
        Assert.All(areas, area => Assert.InRange(area, 0.1, 0.9));
    }

    [Fact]
    public void A_rank_that_shifts_every_number_does_not_pass_for_poison()
    {
        // Rank 32 lies far from rank 8 in every feature; within each, poison adds the same.
        var random = new Random(3);
        List<BankEntry> entries = [];
        for (var group = 0; group < 12; group++)
            foreach (var rank in new[] { 8, 32 })
                foreach (var rows in new[] { 0, 25 })
                    entries.Add(Entry(random, rank, rows, group, (rank == 32 ? 50 : 0) + (rows > 0 ? 3 : 0)));
        Assert.True(Area(new AdapterBank(entries)) > 0.95);
    }

    [Fact]
    public void A_kind_that_is_held_out_is_seen_by_no_detector()
    {
        // Its poison is the other way round: a detector that had seen it would know.
        var random = new Random(5);
        List<BankEntry> entries = [];
        for (var group = 0; group < 12; group++)
        {
            entries.Add(Entry(random, 8, 0, group, 0));
            entries.Add(Entry(random, 8, 25, group, 3));
            entries.Add(Entry(random, 8, 25, group, -3) with { HeldOut = true });
        }

        var bank = new AdapterBank(entries);
        var held = Area(bank, entry => entry.HeldOut);
        Assert.True(held < 0.2, $"{held}");
        var scores = bank.CrossValidatedScores();
        var without = new AdapterBank([.. entries.Where(entry => !entry.HeldOut)]).CrossValidatedScores();
        Assert.Equal(without, entries.Zip(scores).Where(pair => !pair.First.HeldOut).Select(pair => pair.Second));
    }

    [Fact]
    public void A_bank_that_is_too_small_says_nothing()
    {
        var random = new Random(1);
        Assert.Null(new AdapterBank([Entry(random, 8, 0, 0, 0), Entry(random, 8, 25, 0, 3)]).Judge(8, new double?[Width]));
        Assert.Null(new AdapterBank([Entry(random, 8, 0, 0, 0), Entry(random, 8, 0, 1, 0), Entry(random, 8, 0, 2, 0)]).Judge(8, new double?[Width]));
        // All of one group: no detector is left that did not see them.
        Assert.All(new AdapterBank([Entry(random, 8, 0, 0, 0), Entry(random, 8, 0, 0, 0), Entry(random, 8, 25, 0, 3)]).CrossValidatedScores(), score => Assert.Null(score));
    }

    [Fact]
    public void Numbers_that_are_missing_count_as_usual_and_the_order_of_adapters_does_not_matter()
    {
        var bank = Bank(shift: 2, seed: 7);
        var missing = bank.Entries[0] with { Features = new double?[Width] };
        var detector = SpectralDetector.Fit(bank.Entries)!;
        Assert.True(double.IsFinite(detector.Score(8, missing.Features)));
        var turned = SpectralDetector.Fit([.. bank.Entries.Reverse()])!;
        Assert.All(bank.Entries, entry => Assert.Equal(detector.Score(entry.Rank, entry.Features), turned.Score(entry.Rank, entry.Features), 6));
    }

    private static AdapterBank Bank(double shift, int seed)
    {
        var random = new Random(seed);
        return new([.. Enumerable.Range(0, 24).SelectMany(group => new[] { Entry(random, 8, 0, group, 0), Entry(random, 8, 25, group, shift) })]);
    }

    private static BankEntry Entry(Random random, int rank, int rows, int group, double centre) => new($"{rank}-{rows}-{group}", rank, rows, $"seed {group}", false,
        [.. Enumerable.Range(0, Width).Select(_ => (double?)(centre + (random.NextDouble() * 2) - 1))]);

    // The share of pairs in which the poisoned one scores higher.
    private static double Area(AdapterBank bank, Func<BankEntry, bool>? which = null)
    {
        var scored = bank.Entries.Zip(bank.CrossValidatedScores(), (entry, score) => (entry, score: score!.Value)).ToArray();
        var pairs = from poisoned in scored.Where(one => one.entry.IsPoisoned && which?.Invoke(one.entry) != false)
                    from clean in scored.Where(one => !one.entry.IsPoisoned)
                    select poisoned.score > clean.score ? 1.0 : 0;
        return pairs.Average();
    }
}
