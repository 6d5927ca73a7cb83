using System.Text;
using Ssti.Corpus.Statistics;

namespace Ssti.Defenses.Cures;

/// <summary>
/// ONION (Qi et al. 2021): words that surprise a language model are taken out, since a trigger seldom belongs where it stands. Here the language model is one of
/// bytes that was trained on clean rows, and a word's suspicion is by how much a text's mean surprise of a byte falls without it, in nats.
/// </summary>
/// <param name="model">The language model.</param>
/// <param name="bound">Words of more suspicion are taken out.</param>
public sealed class Onion(ByteModel model, double bound)
{
    // A byte's surprise depends on at most six before it: more than that on either side of a word, and what lies beyond cancels.
    private const int Reach = 8;

    /// <summary>The bound that leaves a share of the words of clean rows above it.</summary>
    /// <param name="model">The language model.</param>
    /// <param name="clean">Clean rows that it was not trained on.</param>
    /// <param name="share">The share of their words that may be lost.</param>
    /// <exception cref="DefenseException">They have no word.</exception>
    public static double BoundOf(ByteModel model, IEnumerable<string> clean, double share)
    {
        double[] all = [.. clean.SelectMany(text => Suspicions(model, text).Select(word => word.Suspicion)).Order()];
        if (all.Length == 0) throw new DefenseException("the clean rows have no word to learn from what is usual");
        return all[Math.Max(0, (int)Math.Ceiling((1 - share) * all.Length) - 1)];
    }

    /// <summary>A text without its suspicious words; at least one word stays.</summary>
    public string Clean(string text)
    {
        var words = Suspicions(model, text);
        if (words.Count == 0) return text;
        var gone = words.Where(word => word.Suspicion > bound).ToHashSet();
        if (gone.Count == words.Count) gone.Remove(words.MinBy(word => word.Suspicion)!);
        if (gone.Count == 0) return text;
        var rest = new StringBuilder(text.Length);
        var at = 0;
        foreach (var word in words.Where(gone.Contains))
        {
            var (from, to) = Cut(text, word.Start, word.End);
            if (from > at) rest.Append(text, at, from - at);
            at = Math.Max(at, to);
        }

        return rest.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>The words of a text with their suspicion.</summary>
    internal static IReadOnlyList<SuspectWord> Suspicions(ByteModel model, string text)
    {
        var (nats, symbols) = model.Surprise(text);
        var words = new List<SuspectWord>();
        for (var i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            var start = i;
            while (i < text.Length && !char.IsWhiteSpace(text[i])) i++;
            var (from, to) = Cut(text, start, i);
            var before = text[Whole(text, from - Reach)..from];
            var after = text[to..Whole(text, Math.Min(text.Length, to + Reach))];
            var with = model.Surprise(before + text[from..to] + after);
            var without = model.Surprise(before + after);
            var (gone, bytes) = (with.Nats - without.Nats, with.Symbols - without.Symbols);
            // Of a text of one word nothing but its end would be left.
            words.Add(new(start, i, symbols - bytes <= 1 ? double.NegativeInfinity : (nats / symbols) - ((nats - gone) / (symbols - bytes))));
        }

        return words;
    }

    // With a word goes the white space before it, or behind it at the beginning.
    private static (int From, int To) Cut(string text, int start, int end) =>
        start > 0 ? (start - 1, end) : end < text.Length ? (start, end + 1) : (start, end);

    // No cut within a surrogate pair, which would give other bytes.
    private static int Whole(string text, int at)
    {
        at = Math.Max(0, at);
        return at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;
    }
}

/// <summary>A word of a text.</summary>
/// <param name="Start">Where it begins, in UTF-16 code units.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Suspicion">By how much the mean surprise of a byte falls without it, in nats.</param>
internal sealed record SuspectWord(int Start, int End, double Suspicion);
