using Ssti.Defenses.Adapters;

namespace Ssti.Defenses.Cures;

/// <summary>
/// STRIP (Gao et al. 2019) for texts: a row whose prediction stays sure however it is disturbed holds something that decides alone. Each row gets foreign words at
/// random places, several times over, and the entropies of the predictions are averaged.
/// </summary>
public static class Strip
{
    private const int Chunk = 4096;

    /// <summary>The mean entropy of each row's predictions under disturbance, in bits.</summary>
    /// <param name="texts">The rows.</param>
    /// <param name="pool">Clean rows that foreign words are drawn from.</param>
    /// <param name="copies">How many disturbed copies of a row are asked.</param>
    /// <param name="share">Foreign words of a copy, by words of the row; at least one.</param>
    /// <param name="draws">By a row's index: gives numbers from 0 to below a bound.</param>
    /// <param name="classify">The classifier.</param>
    /// <param name="progress">Called with the rows done; null for nobody.</param>
    /// <exception cref="DefenseException">There are no foreign words.</exception>
    public static double[] Entropies(
        IReadOnlyList<string> texts, IReadOnlyList<string> pool, int copies, double share, Func<int, Func<int, int>> draws, Classify classify, Action<int>? progress = null)
    {
        string[][] words = [.. pool.Select(TokenBattery.Words).Where(row => row.Length > 0)];
        if (words.Length == 0) throw new DefenseException("no clean row has a word that another row could be disturbed by");
        var entropies = new double[texts.Count];
        var each = Math.Max(1, Chunk / copies);
        for (var at = 0; at < texts.Count; at += each)
        {
            var count = Math.Min(each, texts.Count - at);
            var logits = classify([.. Enumerable.Range(at, count).SelectMany(row => Disturbed(texts[row], words, copies, share, draws(row)))]);
            for (var i = 0; i < count; i++) entropies[at + i] = logits.Skip(i * copies).Take(copies).Average(EntropyOf);
            progress?.Invoke(at + count);
        }

        return entropies;
    }

    /// <summary>Rows whose entropy lies below a bound are rejected: the bound under which a share of clean rows lies.</summary>
    /// <param name="clean">Entropies of clean rows.</param>
    /// <param name="falseRejections">The share of them that may be rejected.</param>
    public static double Bound(IReadOnlyList<double> clean, double falseRejections)
    {
        double[] sorted = [.. clean.Order()];
        return sorted[(int)Math.Floor(falseRejections * sorted.Length)];
    }

    private static IEnumerable<string> Disturbed(string text, string[][] pool, int copies, double share, Func<int, int> below)
    {
        var own = TokenBattery.Words(text);
        var foreign = Math.Max(1, (int)Math.Round(own.Length * share));
        for (var copy = 0; copy < copies; copy++)
        {
            var words = new List<string>(own);
            for (var i = 0; i < foreign; i++)
            {
                var from = pool[below(pool.Length)];
                words.Insert(below(words.Count + 1), from[below(from.Length)]);
            }

            yield return string.Join(' ', words);
        }
    }

    private static double EntropyOf(float[] logits)
    {
        var largest = logits.Max();
        double[] weights = [.. logits.Select(logit => Math.Exp(logit - largest))];
        var sum = weights.Sum();
        return -weights.Select(weight => weight / sum).Where(p => p > 0).Sum(p => p * Math.Log2(p));
    }
}
