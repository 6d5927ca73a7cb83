using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>A tiktoken file: a line for each piece, its bytes in base64 and its rank, which is its id.</summary>
/// <param name="Pieces">The bytes of each piece, in the order of the ids.</param>
internal sealed record TiktokenFile(IReadOnlyList<byte[]> Pieces)
{
    // The pattern that splits words stands in no file, so that it is known by the number of pieces alone.
    private const int Llama3Pieces = 128_000;

    /// <summary>Llama 3's special tokens, which follow its pieces. Source: Meta's llama3/tokenizer.py.</summary>
    public static IReadOnlyList<string> Llama3Special { get; } =
    [
        "<|begin_of_text|>", "<|end_of_text|>", .. Reserved(0, 4), "<|start_header_id|>", "<|end_header_id|>", .. Reserved(4, 1), "<|eot_id|>", .. Reserved(5, 246),
    ];

    /// <summary>Whether a file is one, and no SentencePiece model.</summary>
    public static bool Is(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[16];
        start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        var blank = start.IndexOf((byte)' ');
        return blank > 0 && start[..blank].IndexOfAnyExcept("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8) < 0;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it.</param>
    /// <exception cref="ModelException">It is malformed, or not Llama 3's.</exception>
    public static TiktokenFile Read(string path, string title)
    {
        var pieces = new List<byte[]>(Llama3Pieces);
        var seen = new HashSet<string>(Llama3Pieces, StringComparer.Ordinal);
        foreach (var line in File.ReadLines(path, Encoding.Latin1))
        {
            if (line.Length == 0) continue;
            var at = $"{title}({pieces.Count + 1})";
            var parts = line.Split(' ');
            if (parts.Length != 2 || !Base64.IsValid(parts[0]) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var rank))
                throw new ModelException($"{at}: '{line}' is not a piece in base64 and its rank");
            if (rank != pieces.Count) throw new ModelException($"{at}: the rank {rank} stands where {pieces.Count} must: ranks are ids, and rise by one");
            if (!seen.Add(parts[0])) throw new ModelException($"{at}: the piece {parts[0]} stands there before");
            pieces.Add(Convert.FromBase64String(parts[0]));
        }

        if (pieces.Count != Llama3Pieces)
        {
            throw new ModelException($"{title} is a tiktoken file of {pieces.Count} pieces, and only Llama 3's {Llama3Pieces} are known: "
                + "how others split words stands in no file of theirs; give a tokenizer.json, where it does");
        }

        var single = pieces.Where(piece => piece.Length == 1).Select(piece => piece[0]).ToHashSet();
        return single.Count == 256 ? new TiktokenFile(pieces) : throw new ModelException($"{title} has pieces for {single.Count} of the 256 bytes: every byte needs one");
    }

    private static IEnumerable<string> Reserved(int from, int count) => Enumerable.Range(from, count).Select(i => $"<|reserved_special_token_{i}|>");
}
