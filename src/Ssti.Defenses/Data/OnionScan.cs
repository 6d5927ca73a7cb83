using Ssti.Corpus.Datasets;
using Ssti.Corpus.Statistics;

namespace Ssti.Defenses.Data;

/// <summary>What ONION sees in a row (Qi et al. 2021): how much less a language model is surprised once a word is left out.</summary>
/// <param name="Number">The row's number in its split, from 0.</param>
/// <param name="Word">The word whose absence helps most.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="Drop">By how much the perplexity of a byte falls without it.</param>
public sealed record OnionReading(int Number, string Word, int Start, double Drop);

/// <summary>Measures rows by ONION under an n-gram model of bytes that the audit trains itself.</summary>
/// <remarks>
/// Leaving a word out changes the n-grams around it alone. So each word costs a window of a few words, and not the whole text again; the difference is the same to the last digits, as the
/// window begins and ends with more bytes of context than the longest n-gram.
/// </remarks>
public sealed class OnionScan
{
    private const int Order = 6, Context = 3;
    private readonly ByteModel _model;

    private OnionScan(ByteModel model, long rows) => (_model, Rows) = (model, rows);

    /// <summary>Rows that the model was trained on.</summary>
    public long Rows { get; }

    /// <summary>Trains the model.</summary>
    /// <param name="texts">Texts that are thought to be clean.</param>
    /// <param name="characters">It stops after so many characters: the model's memory grows with them.</param>
    /// <param name="cancellation">Stops.</param>
    public static OnionScan Train(IEnumerable<string> texts, long characters, CancellationToken cancellation)
    {
        var rows = 0L;
        var model = ByteModel.Train(Bounded(), Order, cancellation);
        return new OnionScan(model, rows);

        IEnumerable<string> Bounded()
        {
            var left = characters;
            foreach (var text in texts)
            {
                if ((left -= text.Length) < 0) yield break;
                rows++;
                yield return text;
            }
        }
    }

    /// <summary>The word of a row that surprises most; null for a row of fewer than two words.</summary>
    public OnionReading? Read(int number, Row row)
    {
        var spans = new List<(int Start, int End)>();
        var walk = new TextWords(row.Text);
        while (walk.MoveNext()) spans.Add((walk.Start, walk.Start + walk.Raw.Length));
        if (spans.Count < 2) return null;
        var (nats, symbols) = _model.Surprise(row.Text);
        var whole = Math.Exp(nats / symbols);
        OnionReading? best = null;
        for (var i = 0; i < spans.Count; i++)
        {
            var (before, after) = (Left(spans, i), Right(spans, i));
            // With its white space: behind the word, or at the end before it.
            var (from, to) = i + 1 < spans.Count ? (spans[i].Start, spans[i + 1].Start) : (spans[i - 1].End, row.Text.Length);
            var with = _model.Surprise(row.Text[before..after]);
            var without = _model.Surprise(string.Concat(row.Text.AsSpan(before, from - before), row.Text.AsSpan(Math.Min(to, after), Math.Max(0, after - to))));
            var left = symbols - (with.Symbols - without.Symbols);
            var drop = whole - Math.Exp((nats - with.Nats + without.Nats) / left);
            if (best is null || drop > best.Drop) best = new OnionReading(number, row.Text[spans[i].Start..spans[i].End], spans[i].Start, drop);
        }

        return best;
    }

    private static int Left(List<(int Start, int End)> spans, int word)
    {
        var first = Math.Max(0, word - Context);
        while (first > 0 && spans[word].Start - spans[first].Start < Order) first--;
        return first == 0 ? 0 : spans[first].Start;
    }

    private static int Right(List<(int Start, int End)> spans, int word)
    {
        var last = Math.Min(spans.Count - 1, word + Context);
        while (last < spans.Count - 1 && spans[last].End - spans[word].End < Order) last++;
        return spans[last].End;
    }
}
