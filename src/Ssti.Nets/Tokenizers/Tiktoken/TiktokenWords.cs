using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Ssti.Nets.Tokenizers;

/// <summary>Pieces by their ranks in a tiktoken file, as Microsoft.ML.Tokenizers merges them.</summary>
internal sealed class TiktokenWords(string path) : IByteWords
{
    private readonly TiktokenTokenizer _tokenizer = TiktokenTokenizer.Create(path, new Words(), normalizer: null);

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<char> text, ref PieceSink sink)
    {
        text = WithoutHalves(text);
        foreach (var token in _tokenizer.EncodeToTokens(text, out _))
        {
            var (start, length) = token.Offset.GetOffsetAndLength(text.Length);
            var piece = text.Slice(start, length);
            sink.Add(token.Id, start + (piece.IsWhiteSpace() ? 0 : piece.Length - piece.TrimStart().Length));
        }
    }

    /// <inheritdoc/>
    public string Describe() => "ranks";

    // Half a surrogate pair is no character, and U+FFFD to tiktoken itself; the library makes three bytes of it that are no UTF-8.
    private static ReadOnlySpan<char> WithoutHalves(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('\ud800', '\udfff')) return text;
        var whole = text.ToArray();
        for (var at = 0; at < whole.Length;)
        {
            if (Rune.DecodeFromUtf16(whole.AsSpan(at), out _, out var used) != OperationStatus.Done) (whole[at], used) = ('\uFFFD', 1);
            at += used;
        }

        return whole;
    }

    private sealed class Words : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => PreTokenize(text.AsSpan());

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text)
        {
            var words = new List<(int, int)>();
            for (var start = 0; start < text.Length;)
            {
                var length = Llama3Words.First(text[start..]);
                words.Add((start, length));
                start += length;
            }

            return words;
        }
    }
}
