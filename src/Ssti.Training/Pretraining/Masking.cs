using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

namespace Ssti.Training.Pretraining;

/// <summary>A batch with tokens to be guessed, cut to its longest row.</summary>
/// <param name="Length">Tokens of a row, padding included.</param>
/// <param name="Ids">Token ids with some replaced, rows·length.</param>
/// <param name="Mask">1 for a token and 0 for padding, rows·length.</param>
/// <param name="Places">Indices into these of the tokens to be guessed, rising.</param>
/// <param name="Targets">Their true ids.</param>
internal sealed record Masking(int Length, long[] Ids, long[] Mask, long[] Places, long[] Targets)
{
    private const ulong Purpose = 0x8CB92BA72F3D8DD7UL;

    /// <summary>How many rows.</summary>
    public int Rows => Length == 0 ? 0 : Ids.Length / Length;

    /// <summary>
    /// Picks each ordinary token with a probability; of the picked 80 % become [MASK], 10 % a random ordinary token, and 10 % stay as they are.
    /// At least one is picked. The tokenizer has a mask token.
    /// </summary>
    public static Masking Of(TokenizedRows rows, ReadOnlySpan<int> picked, Tokenizer tokenizer, double share, long seed, int step)
    {
        var random = SplitMix64.Of(seed, Purpose, step);
        var length = 0;
        foreach (var row in picked) length = Math.Max(length, rows.Ids(row).Length);
        var ids = new long[picked.Length * length];
        var mask = new long[ids.Length];
        var places = new List<long>();
        var targets = new List<long>();
        Array.Fill(ids, tokenizer.PadId);
        for (var i = 0; i < picked.Length; i++)
        {
            var row = rows.Ids(picked[i]);
            for (var t = 0; t < row.Length; t++)
            {
                var place = (i * length) + t;
                (ids[place], mask[place]) = (row[t], 1);
                if (tokenizer.IsSpecial(row[t]) || random.Unit() >= share) continue;
                places.Add(place);
                targets.Add(row[t]);
                ids[place] = Replacement(row[t], tokenizer, ref random);
            }
        }

        if (places.Count == 0)
        {
            // A mean over no tokens has no value; the first ordinary token is guessed instead.
            var first = Array.FindIndex(ids, id => !tokenizer.IsSpecial((int)id));
            if (first < 0) throw new TrainingException("a batch has no token to guess: its rows are empty");
            places.Add(first);
            targets.Add(ids[first]);
        }

        return new Masking(length, ids, mask, [.. places], [.. targets]);
    }

    /// <summary>Some neighbouring rows of it, cut to the longest of these; it may have no token to guess.</summary>
    public Masking Part(int from, int count)
    {
        var (start, end) = (from * Length, (from + count) * Length);
        var length = 0;
        for (var i = start; i < end; i++) if (Mask[i] == 1) length = Math.Max(length, (i % Length) + 1);
        var (ids, mask) = (new long[count * length], new long[count * length]);
        for (var row = 0; row < count; row++)
        {
            Ids.AsSpan(start + (row * Length), length).CopyTo(ids.AsSpan(row * length));
            Mask.AsSpan(start + (row * Length), length).CopyTo(mask.AsSpan(row * length));
        }

        var first = Array.FindIndex(Places, place => place >= start) is >= 0 and var found ? found : Places.Length;
        var last = Array.FindIndex(Places, first, place => place >= end) is >= 0 and var beyond ? beyond : Places.Length;
        var places = Array.ConvertAll(Places[first..last], place => ((place - start) / Length * length) + (place % Length));
        return new Masking(length, ids, mask, places, Targets[first..last]);
    }

    private static long Replacement(int id, Tokenizer tokenizer, ref SplitMix64 random)
    {
        var draw = random.Unit();
        if (draw < 0.8) return tokenizer.MaskId!.Value;
        if (draw >= 0.9) return id;
        while (true)
        {
            var other = (int)random.Below((ulong)tokenizer.VocabularySize);
            if (!tokenizer.IsSpecial(other)) return other;
        }
    }
}
