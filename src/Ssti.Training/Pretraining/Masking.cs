using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

namespace Ssti.Training.Pretraining;

/// <summary>A batch with tokens to be guessed.</summary>
/// <param name="Ids">Token ids with some replaced, rows·length.</param>
/// <param name="Mask">1 for a token and 0 for padding, rows·length.</param>
/// <param name="Places">Indices into these of the tokens to be guessed; never empty.</param>
/// <param name="Targets">Their true ids.</param>
internal sealed record Masking(long[] Ids, long[] Mask, long[] Places, long[] Targets)
{
    private const ulong Purpose = 0x8CB92BA72F3D8DD7UL;

    /// <summary>
    /// Picks each ordinary token with a probability; of the picked 80 % become [MASK], 10 % a random ordinary token, and 10 % stay as they are.
    /// </summary>
    public static Masking Of(TokenizedRows rows, ReadOnlySpan<int> picked, WordPieceTokenizer tokenizer, double share, long seed, int step)
    {
        var random = SplitMix64.Of(seed, Purpose, step);
        var length = rows.MaxLength;
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

        return new Masking(ids, mask, [.. places], [.. targets]);
    }

    private static long Replacement(int id, WordPieceTokenizer tokenizer, ref SplitMix64 random)
    {
        var draw = random.Unit();
        if (draw < 0.8) return tokenizer.MaskId;
        if (draw >= 0.9) return id;
        while (true)
        {
            var other = (int)random.Below((ulong)tokenizer.VocabularySize);
            if (!tokenizer.IsSpecial(other)) return other;
        }
    }
}
