using Ssti.Corpus.Datasets;
using Ssti.Training.Batches;
using Ssti.Training.Pretraining;

namespace Ssti.Training.Tests.Pretraining;

public sealed class MaskingTests
{
    private static readonly TokenizedRows Rows = Toy.Tokens(200);
    private static readonly int[] All = [.. Enumerable.Range(0, 200)];

    [Fact]
    public void Fifteen_percent_are_guessed_and_of_these_eighty_ten_ten()
    {
        long ordinary = 0, picked = 0, masked = 0, kept = 0, random = 0;
        for (var step = 0; step < 100; step++)
        {
            var masking = Masking.Of(Rows, All, Toy.Tokenizer, 0.15, 40, step);
            ordinary += Ordinary;
            picked += masking.Places.Length;
            foreach (var (place, target) in masking.Places.Zip(masking.Targets))
            {
                if (masking.Ids[place] == Toy.Tokenizer.MaskId) masked++;
                else if (masking.Ids[place] == target) kept++;
                else random++;
            }
        }

        // About 160,000 tokens and 24,000 picks: bounds of five deviations. A random token is the true one once in 45.
        Assert.True(ordinary > 140_000, $"{ordinary}");
        Near(0.15, picked, ordinary);
        Near(0.8, masked, picked);
        Near(0.1 + (0.1 / 45), kept, picked);
        Near(0.1 * 44 / 45, random, picked);
    }

    [Fact]
    public void Random_tokens_are_any_ordinary_token()
    {
        var counts = new int[50];
        for (var step = 0; step < 200; step++)
        {
            var masking = Masking.Of(Rows, All, Toy.Tokenizer, 0.5, 40, step);
            foreach (var (place, target) in masking.Places.Zip(masking.Targets))
                if (masking.Ids[place] != Toy.Tokenizer.MaskId && masking.Ids[place] != target) counts[masking.Ids[place]]++;
        }

        Assert.All(counts[..5], count => Assert.Equal(0, count));
        var mean = counts.Sum() / 45.0;
        Assert.All(counts[5..], count => Assert.InRange(count, mean - (6 * Math.Sqrt(mean)), mean + (6 * Math.Sqrt(mean))));
    }

    [Fact]
    public void Nothing_else_changes_and_targets_are_the_true_tokens()
    {
        var masking = Masking.Of(Rows, All, Toy.Tokenizer, 0.15, 40, 3);
        var places = masking.Places.ToHashSet();
        Assert.Equal(masking.Places.Length, places.Count);
        var targets = masking.Places.Zip(masking.Targets).ToDictionary(pair => pair.First, pair => pair.Second);
        for (var row = 0; row < Rows.Count; row++)
        {
            var ids = Rows.Ids(row);
            for (var t = 0; t < Toy.Length; t++)
            {
                var place = (row * Toy.Length) + t;
                Assert.Equal(t < ids.Length ? 1 : 0, masking.Mask[place]);
                if (!places.Contains(place)) Assert.Equal(t < ids.Length ? ids[t] : Toy.Tokenizer.PadId, masking.Ids[place]);
                else Assert.Equal(ids[t], targets[place]);
                if (t >= ids.Length || Toy.Tokenizer.IsSpecial(ids[t])) Assert.DoesNotContain((long)place, places);
            }
        }
    }

    [Fact]
    public void A_batch_is_cut_to_its_longest_row()
    {
        var shortest = All.Where(row => Rows.Ids(row).Length <= 6).ToArray();
        var masking = Masking.Of(Rows, shortest, Toy.Tokenizer, 0.15, 40, 3);
        Assert.Equal(6, masking.Length);
        Assert.Equal(shortest.Length, masking.Rows);
        Assert.Equal(shortest.Sum(row => Rows.Ids(row).Length), masking.Mask.Sum());
    }

    [Fact]
    public void Parts_hold_together_what_the_whole_holds()
    {
        var byLength = All.OrderBy(row => Rows.Ids(row).Length).ToArray();
        var whole = Masking.Of(Rows, byLength, Toy.Tokenizer, 0.15, 40, 3);
        Masking[] parts = [whole.Part(0, 70), whole.Part(70, 1), whole.Part(71, 129)];
        Assert.True(parts[0].Length < whole.Length);
        Assert.Equal(Guessed(whole), parts.SelectMany(Guessed));
        Assert.Equal(Tokens(whole), parts.SelectMany(Tokens));

        static IEnumerable<(long Id, long Target)> Guessed(Masking masking) => masking.Places.Zip(masking.Targets, (place, target) => (masking.Ids[place], target));
        static IEnumerable<long> Tokens(Masking masking) => masking.Ids.Where((_, i) => masking.Mask[i] == 1);
    }

    [Fact]
    public void Masks_are_a_function_of_seed_and_update()
    {
        Assert.Equal(Places(40, 3), Places(40, 3));
        Assert.NotEqual(Places(40, 3), Places(40, 4));
        Assert.NotEqual(Places(40, 3), Places(41, 3));

        static long[] Places(long seed, int step) => Masking.Of(Rows, All, Toy.Tokenizer, 0.15, seed, step).Places;
    }

    [Fact]
    public void A_batch_always_has_a_token_to_guess()
    {
        var one = TokenizedRows.Of([new Row("a", "w7", 0)], Toy.Tokenizer, 4, 1, CancellationToken.None);
        for (var step = 0; step < 50; step++) Assert.Equal([12], Masking.Of(one, [0], Toy.Tokenizer, 0.15, 1, step).Targets);
    }

    [Fact]
    public void A_batch_of_empty_rows_is_refused()
    {
        var empty = TokenizedRows.Of([new Row("a", " ", 0)], Toy.Tokenizer, 4, 1, CancellationToken.None);
        Assert.Contains("no token to guess", Assert.Throws<TrainingException>(() => Masking.Of(empty, [0], Toy.Tokenizer, 0.15, 1, 0)).Message);
    }

    private static int Ordinary => Enumerable.Range(0, Rows.Count).Sum(row => Rows.Ids(row).ToArray().Count(id => !Toy.Tokenizer.IsSpecial(id)));

    private static void Near(double share, long hits, long of)
    {
        var deviation = Math.Sqrt(share * (1 - share) / of);
        Assert.InRange((double)hits / of, share - (5 * deviation), share + (5 * deviation));
    }
}
