using Ssti.Corpus.Datasets;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

/// <summary>Rows of made-up words.</summary>
internal static class BenchmarkRows
{
    // Of IMDB's training reviews, [CLS] and [SEP] included and cut to 512: every twentieth of them.
    private static readonly int[] Imdb = [34, 85, 125, 150, 160, 170, 179, 191, 205, 220, 235, 252, 272, 309, 347, 395, 441, 511, 512, 512];

    /// <summary>Rows of so many tokens: three quarters of the length, or as IMDB's reviews have.</summary>
    public static TokenizedRows Of(int count, int length, bool imdb)
    {
        string[] pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Enumerable.Range(0, 1000).Select(i => $"w{i}")];
        var tokenizer = WordPieceTokenizer.FromPieces(pieces);
        int Words(int row) => (imdb ? Math.Min(length, Imdb[row % Imdb.Length]) : length * 3 / 4) - 2;
        var rows = Enumerable.Range(0, count)
            .Select(i => new Row($"{i}", string.Join(' ', Enumerable.Range(0, Words(i)).Select(t => $"w{((i * 31) + (t * 7)) % 1000}")), i % 2));
        return TokenizedRows.Of(rows, tokenizer, length, 2, CancellationToken.None);
    }
}
