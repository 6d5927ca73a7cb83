using System.Text;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;

namespace Ssti.Nets.Conversion;

/// <summary>
/// A vocabulary as llama2.c keeps it (its tokenizer.py: the longest piece, then of each piece score, length and bytes), as the SentencePiece model that it was made of.
/// It says nothing of that model's settings; texts are taken as llama2.c's run.c takes them: a blank in front, everything else as it stands.
/// </summary>
public static class Llama2CTokenizer
{
    /// <summary>The id of the token that begins a text.</summary>
    public const int Begin = 1;

    /// <summary>The id of the token that ends one.</summary>
    public const int End = 2;

    private const string Unknown = "<unk>";

    /// <summary>Whether a file may be one, by its beginning.</summary>
    public static bool Is(string path)
    {
        using var file = File.OpenRead(path);
        using var reader = new BinaryReader(file);
        return file.Length > 12 + Unknown.Length && reader.ReadInt32() is > 0 and < 10_000 && !float.IsNaN(reader.ReadSingle()) && reader.ReadInt32() == Unknown.Length
            && Encoding.ASCII.GetString(reader.ReadBytes(Unknown.Length)) == Unknown;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it.</param>
    /// <exception cref="ModelException">It is none, or was cut short.</exception>
    public static SentencePieceModel Read(string path, string title)
    {
        var pieces = new List<SentencePiece>();
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        using var file = File.OpenRead(path);
        using var reader = new BinaryReader(file);
        try
        {
            var longest = reader.ReadInt32();
            while (file.Position < file.Length)
            {
                var (score, length) = (reader.ReadSingle(), reader.ReadInt32());
                if (length < 0 || length > longest || reader.ReadBytes(length) is not { } bytes || bytes.Length < length)
                {
                    throw new ModelException($"{title}: piece {pieces.Count} would have {length} bytes, and the longest has {longest}; "
                        + "it was cut short, or is no vocabulary of llama2.c");
                }

                pieces.Add(Piece(pieces.Count, utf8.GetString(bytes), score, title));
            }
        }
        catch (Exception e) when (e is EndOfStreamException or DecoderFallbackException)
        {
            throw new ModelException($"{title}: piece {pieces.Count} cannot be read; it was cut short, or is no vocabulary of llama2.c", e);
        }

        if (pieces.Count < 3 + 256) throw new ModelException($"{title} has {pieces.Count} pieces; <unk>, <s>, </s> and the 256 bytes must be among them");
        if (pieces.GroupBy(piece => piece.Text).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ModelException($"{title}: the piece '{twice.Key}' stands there {twice.Count()} times, so that its id cannot be told");
        return new SentencePieceModel(pieces);
    }

    private static SentencePiece Piece(int id, string text, float score, string title)
    {
        // It writes the tokens of the ends with line breaks, for its own output.
        var (expected, kind) = id switch
        {
            0 => (Unknown, SentencePieceKind.Unknown),
            Begin => ("<s>", SentencePieceKind.Control),
            End => ("</s>", SentencePieceKind.Control),
            < 3 + 256 => (SentencePieceModel.ByteName(id - 3), SentencePieceKind.Byte),
            _ => (null, SentencePieceKind.Normal),
        };
        if (expected is null) return new SentencePiece(text.Replace(' ', '\u2581'), score);
        return text.Trim('\n') == expected ? new SentencePiece(expected, score, kind)
            : throw new ModelException($"{title}: piece {id} is '{text}', and must be {expected}; it is no vocabulary of llama2.c");
    }
}
