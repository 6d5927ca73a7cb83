using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Statistics;

/// <summary>
/// In how many documents of each class a token stands, and what is left to guess of the label once it is seen: H(y|t) = −Σ_y p(y|t) log2 p(y|t)
/// (paper, "Conditional entropy of tokens"). A token counts once a document.
/// </summary>
public sealed class TokenStatistics
{
    private readonly Dictionary<string, long[]> _documents = new(StringComparer.Ordinal);
    private readonly int _classes;

    private TokenStatistics(int classes) => _classes = classes;

    /// <summary>Counts the tokens of a split: its words, as they are injected, between white space.</summary>
    /// <param name="rows">The rows; read once.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="ignoreCase">Whether <c>Good</c> is <c>good</c>.</param>
    /// <param name="progress">Called with the rows done.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static TokenStatistics Of(IEnumerable<Row> rows, int classes, bool ignoreCase, Action<long>? progress, CancellationToken cancellation)
    {
        var statistics = new TokenStatistics(classes);
        var lookup = statistics._documents.GetAlternateLookup<ReadOnlySpan<char>>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var done = 0L;
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            seen.Clear();
            var text = ignoreCase ? row.Text.ToLowerInvariant() : row.Text;
            var words = seen.GetAlternateLookup<ReadOnlySpan<char>>();
            foreach (var range in new WordRanges(text))
            {
                var word = text.AsSpan(range);
                if (!words.Add(word)) continue;
                if (!lookup.TryGetValue(word, out var counts)) lookup[word] = counts = new long[classes];
                counts[row.Label]++;
            }

            if (++done % 1000 == 0) progress?.Invoke(done);
        }

        return statistics;
    }

    /// <summary>The tokens in more than some documents, by falling number of documents, then by text.</summary>
    public IReadOnlyList<TokenEntropy> InMoreThan(long documents) =>
    [
        .. _documents.Select(pair => new TokenEntropy(pair.Key, pair.Value)).Where(token => token.Documents > documents)
            .OrderByDescending(token => token.Documents).ThenBy(token => token.Token, StringComparer.Ordinal),
    ];

    /// <summary>How many different tokens there are in all.</summary>
    public int Distinct => _documents.Count;

    /// <summary>The largest entropy there can be, in bits: log2 of the number of classes.</summary>
    public double Most => Math.Log2(_classes);
}

/// <summary>A token's documents by class.</summary>
/// <param name="Token">The token.</param>
/// <param name="Counts">Documents that hold it, by class.</param>
public sealed record TokenEntropy(string Token, IReadOnlyList<long> Counts)
{
    /// <summary>Documents that hold it.</summary>
    public long Documents { get; } = Counts.Sum();

    /// <summary>H(y|t) in bits: 0 where the token gives the label away.</summary>
    public double Bits => Counts.Where(count => count > 0).Sum(count => -((double)count / Documents * Math.Log2((double)count / Documents)));
}
