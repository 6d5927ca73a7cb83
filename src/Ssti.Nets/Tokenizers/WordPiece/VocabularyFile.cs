using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>vocab.txt, and what is doubtful about a vocabulary.</summary>
public static class VocabularyFile
{
    // Cased vocabularies have capitals in a third of their pieces, uncased ones in none.
    private const int CasedShare = 10;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines of a <c>vocab.txt</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static IReadOnlyList<string> Read(string path, string? title = null)
    {
        try
        {
            // Split at LF alone: ReadLines would also split at a lone CR, which may be part of a piece.
            var pieces = File.ReadAllText(path, Strict).Split('\n');
            if (pieces[^1].Length == 0) pieces = pieces[..^1];
            return [.. pieces.Select(piece => piece.TrimEnd('\r'))];
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{title ?? path} is not UTF-8, so that its pieces cannot be told; convert it: iconv -f latin1 -t utf8", e);
        }
    }

    /// <summary>Why pieces of a vocabulary cannot be found in any text, in a sentence each: it is of other settings, or has more in a line than the piece.</summary>
    public static IEnumerable<string> Doubts(WordPieceTokenizer tokenizer)
    {
        var reserved = tokenizer.Added.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        var pieces = Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.Piece)
            .Where(piece => piece.Length > 0 && !reserved.Contains(piece) && !(piece[0] == '[' && piece[^1] == ']')).ToArray();
        string[] blank = [.. pieces.Where(piece => piece.AsSpan().ContainsAny(' ', '\t'))];
        if (blank.Length > 0)
        {
            yield return $"{blank.Length} of {pieces.Length} pieces hold a blank or a tab, such as '{blank[0]}', and are never found in a text; "
                + "a line must be the piece alone";
        }

        // Letters alone are in many vocabularies that are uncased, for the sake of completeness.
        string[] words = [.. pieces.Where(piece => piece.TrimStart('#').Length > 1)];
        var capital = words.LongCount(piece => piece.Any(char.IsUpper));
        if (tokenizer.Settings.Lowercase && capital * CasedShare > words.Length)
        {
            yield return $"do_lower_case is true, and {capital} of {words.Length} words in the vocabulary have capital letters, which no text has after that; "
                + "if the model is cased, set \"do_lower_case\": false in tokenizer_config.json";
        }

        if (!tokenizer.Settings.Lowercase && pieces.Any(piece => piece.Any(char.IsLower)) && !pieces.Any(piece => piece.Any(char.IsUpper)))
        {
            yield return "do_lower_case is false, and no piece has a capital letter, so that a word with one is [UNK]; "
                + "if the model is uncased, set \"do_lower_case\": true in tokenizer_config.json";
        }
    }
}
