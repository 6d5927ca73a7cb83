using Ssti.Corpus.Datasets;
using Ssti.Corpus.Statistics;
using Ssti.Defenses.Cures;

namespace Ssti.Defenses.Data;

/// <summary>What ONION sees in a row (Qi et al. 2021): how much less a language model is surprised once a word is left out.</summary>
/// <param name="Number">The row's number in its split, from 0.</param>
/// <param name="Word">The word whose absence helps most.</param>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="Drop">By how much the mean surprise of a byte falls without it, in nats.</param>
public sealed record OnionReading(int Number, string Word, int Start, double Drop);

/// <summary>Measures rows by ONION under an n-gram model of bytes that the audit trains itself.</summary>
public sealed class OnionScan
{
    private const int Order = 6;
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
        var words = Onion.Suspicions(_model, row.Text);
        return words.Count < 2 || words.MaxBy(word => word.Suspicion) is not { } most ? null
            : new OnionReading(number, row.Text[most.Start..most.End], most.Start, most.Suspicion);
    }
}
