namespace Ssti.Defenses.Data;

/// <summary>
/// Pieces of words: three characters in a row, where the beginning and the end of the word count as characters. What is hidden in words
/// (<c>goodcf</c>, <c>filmcf</c>), and what scripts without spaces write, is seen in them alone.
/// </summary>
internal static class WordPieces
{
    /// <summary>Where in words a piece stands.</summary>
    public const string Beginning = "beginning", End = "end", Inside = "inside";

    private const char First = '\u0002', Last = '\u0003';

    /// <summary>The pieces of a word as numbers; none of a word of one character, which is one itself.</summary>
    public static Enumerator Of(ReadOnlySpan<char> word) => new(word);

    /// <summary>The piece of a number.</summary>
    public static Feature Feature(ulong piece)
    {
        var (first, middle, last) = ((char)(piece >> 32), (char)(piece >> 16), (char)piece);
        return first == First ? new(FeatureKind.Piece, $"{middle}{last}", Beginning)
            : last == Last ? new(FeatureKind.Piece, $"{first}{middle}", End) : new(FeatureKind.Piece, $"{first}{middle}{last}", Inside);
    }

    /// <summary>The number of a piece.</summary>
    public static ulong Number(Feature piece) => piece.Second switch
    {
        Beginning => Packed(First, piece.Name[0], piece.Name[1]),
        End => Packed(piece.Name[0], piece.Name[1], Last),
        _ => Packed(piece.Name[0], piece.Name[1], piece.Name[2]),
    };

    /// <summary>Whether a word has a piece.</summary>
    public static bool Has(ReadOnlySpan<char> word, ulong piece)
    {
        foreach (var one in Of(word))
            if (one == piece) return true;
        return false;
    }

    private static ulong Packed(char first, char middle, char last) => ((ulong)first << 32) | ((ulong)middle << 16) | last;

    public ref struct Enumerator(ReadOnlySpan<char> word)
    {
        private readonly ReadOnlySpan<char> _word = word;
        private int _at = -2;

        public readonly ulong Current => Packed(_at < 0 ? First : _word[_at], _word[_at + 1], _at + 2 < _word.Length ? _word[_at + 2] : Last);

        public readonly Enumerator GetEnumerator() => this;

        public bool MoveNext() => _word.Length > 1 && ++_at + 1 < _word.Length;
    }
}
