using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>What is done to each character of a text before words are made of it: BertNormalizer, and the kinds of BertPreTokenizer.</summary>
internal sealed class TextNormalizer(TokenizerSettings settings)
{
    /// <summary>Code points that one becomes at most.</summary>
    public const int Most = 8;

    private readonly bool _strip = settings.StripAccents ?? settings.Lowercase;

    /// <summary>Whether ASCII letters change.</summary>
    public bool Lowercase { get; } = settings.Lowercase;

    /// <summary>What a character does, see <see cref="CharacterKind"/>.</summary>
    public byte KindOf(Rune rune)
    {
        var kind = CharacterKind.Of(rune);
        if (kind == CharacterKind.Chinese && !settings.SplitChinese) return CharacterKind.Letter;
        // What is not removed ends a word where it is white space all the same.
        return kind != CharacterKind.Nothing || settings.CleanText ? kind : Rune.IsWhiteSpace(rune) ? CharacterKind.Space : CharacterKind.Letter;
    }

    /// <summary>Writes what a character becomes to <paramref name="into"/> (at most <see cref="Most"/> code points) and returns how many there are.</summary>
    public int Expand(Rune rune, Span<int> into)
    {
        var count = 1;
        into[0] = rune.Value;
        if (_strip) count = Decomposition.Strip(rune, into);
        if (!Lowercase) return count;
        // The one letter whose lower case is two code points: İ is i with a dot above.
        if (count == 1 && into[0] == 0x130)
        {
            (into[0], into[1]) = ('i', 0x307);
            return 2;
        }

        for (var i = 0; i < count; i++) into[i] = Rune.ToLowerInvariant(new Rune(into[i])).Value;
        return count;
    }

    /// <summary>A whole text as it is when added tokens that are looked for in normalised text are, and for each of its characters where it came from.</summary>
    public (string Text, int[] Origin) Normalize(ReadOnlySpan<char> text)
    {
        var normal = new StringBuilder(text.Length);
        var origin = new List<int>(text.Length);
        Span<int> parts = stackalloc int[Most];
        Span<char> units = stackalloc char[2];
        for (var at = 0; at < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text[at..], out var rune, out var used) != System.Buffers.OperationStatus.Done) rune = Rune.ReplacementChar;
            var kind = KindOf(rune);
            var space = kind == CharacterKind.Space || kind == CharacterKind.Chinese;
            if (space) Add(" ", at);
            if (kind is not (CharacterKind.Space or CharacterKind.Nothing))
            {
                foreach (var part in parts[..Expand(rune, parts)]) Add(units[..new Rune(part).EncodeToUtf16(units)], at);
            }

            if (kind == CharacterKind.Chinese) Add(" ", at);
            at += used;
        }

        return (normal.ToString(), [.. origin]);

        void Add(ReadOnlySpan<char> piece, int from)
        {
            normal.Append(piece);
            for (var i = 0; i < piece.Length; i++) origin.Add(from);
        }
    }
}
