using System.Collections.Frozen;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// BERT's tokeniser: cleaning, lower case without accents, a split at white space, punctuation and Chinese characters,
/// then the longest pieces of the vocabulary that make up each word.
/// </summary>
/// <remarks>
/// Gives the ids of Hugging Face's <c>tokenizers</c> (BertNormalizer, BertPreTokenizer, WordPiece), also where a text spells out a special token:
/// <c>[SEP]</c> inside a text is the separator there. Our own because <c>Microsoft.ML.Tokenizers</c> 2.0.1 gives other ids for 121 of 220 reference texts:
/// it deletes symbols that are not punctuation to Unicode (<c>&lt; &gt; $ + =</c>: an HTML trigger would lose its brackets) and deletes line breaks and
/// tabs instead of splitting there. Safe for concurrent use.
/// </remarks>
public sealed class WordPieceTokenizer
{
    /// <summary>A word of more code points than this is unknown, as in the reference.</summary>
    private const int LongestWord = 100;

    private static readonly string[] SpecialNames = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

    private readonly FrozenDictionary<string, int> _vocabulary;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly (string Text, int Id)[] _specials;
    private readonly string[] _pieces;
    private readonly int _longestPiece;

    private WordPieceTokenizer(string[] pieces, bool lowercase, string source)
    {
        var vocabulary = new Dictionary<string, int>(pieces.Length, StringComparer.Ordinal);
        for (var id = 0; id < pieces.Length; id++)
        {
            if (!vocabulary.TryAdd(pieces[id], id))
            {
                throw new InvalidDataException($"{source}({id + 1}): '{pieces[id]}' stands on line {vocabulary[pieces[id]] + 1} already; each line of a vocabulary is one piece");
            }
        }

        foreach (var name in SpecialNames)
        {
            if (!vocabulary.ContainsKey(name)) throw new InvalidDataException($"{source}: no line '{name}'; is this the vocab.txt of a BERT?");
        }

        _pieces = pieces;
        _vocabulary = vocabulary.ToFrozenDictionary(StringComparer.Ordinal);
        _lookup = _vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        _specials = [.. SpecialNames.Select(name => (name, vocabulary[name]))];
        _longestPiece = pieces.Max(piece => piece.Length);
        Lowercase = lowercase;
    }

    /// <summary>Whether text is put into lower case and loses its accents (an "uncased" model).</summary>
    public bool Lowercase { get; }

    /// <summary>Number of pieces.</summary>
    public int VocabularySize => _pieces.Length;

    /// <summary>Id of [PAD].</summary>
    public int PadId => _specials[0].Id;

    /// <summary>Id of [UNK].</summary>
    public int UnknownId => _specials[1].Id;

    /// <summary>Id of [CLS], the first of every encoding.</summary>
    public int ClassifyId => _specials[2].Id;

    /// <summary>Id of [SEP], the last of every encoding.</summary>
    public int SeparatorId => _specials[3].Id;

    /// <summary>Id of [MASK].</summary>
    public int MaskId => _specials[4].Id;

    /// <summary>Reads a <c>vocab.txt</c>: one piece a line, its id the line's number from 0.</summary>
    /// <param name="path">The file, UTF-8.</param>
    /// <param name="lowercase">Whether the model is uncased.</param>
    /// <exception cref="InvalidDataException">A piece stands twice or a special token is missing; names file and line.</exception>
    public static WordPieceTokenizer Load(string path, bool lowercase = true)
    {
        // Split at LF alone: ReadLines would also split at a lone CR, which may be part of a piece.
        var pieces = File.ReadAllText(path).Split('\n');
        if (pieces[^1].Length == 0) pieces = pieces[..^1];
        return new WordPieceTokenizer([.. pieces.Select(piece => piece.TrimEnd('\r'))], lowercase, path);
    }

    /// <summary>A tokeniser over pieces at hand, in the order of their ids.</summary>
    /// <exception cref="InvalidDataException">A piece stands twice or a special token is missing.</exception>
    public static WordPieceTokenizer FromPieces(IEnumerable<string> pieces, bool lowercase = true) => new([.. pieces], lowercase, "vocabulary");

    /// <summary>The piece of an id.</summary>
    public string Piece(int id) => _pieces[id];

    /// <summary>Whether an id is one of [PAD], [UNK], [CLS], [SEP] and [MASK].</summary>
    public bool IsSpecial(int id) => Array.Exists(_specials, special => special.Id == id);

    /// <summary>The ids of a whole text with [CLS] and [SEP], untruncated.</summary>
    public int[] Encode(string text)
    {
        var sink = new PieceSink([], int.MaxValue);
        var ids = new List<int>(text.Length / 4 + 2) { ClassifyId };
        sink.Overflow = ids;
        Run(text, ref sink);
        ids.Add(SeparatorId);
        return [.. ids];
    }

    /// <summary>
    /// Writes the ids of a text with [CLS] and [SEP], cut to the length of <paramref name="ids"/> and padded with [PAD] on the right to fill it.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="ids">Where the ids go; its length is the maximum length, at least 2.</param>
    /// <returns>How many ids are not padding (the attention mask is that many ones), and what was cut off.</returns>
    public TokenCount Encode(string text, Span<int> ids)
    {
        if (ids.Length < 2) throw new ArgumentException($"a maximum length of {ids.Length} leaves no room for [CLS] and [SEP]; use at least 3", nameof(ids));
        ids[0] = ClassifyId;
        var sink = new PieceSink(ids[1..^1], text.Length);
        Run(text, ref sink);
        ids[1 + sink.Kept] = SeparatorId;
        ids[(2 + sink.Kept)..].Fill(PadId);
        return new TokenCount(sink.Kept + 2, sink.Total + 2, sink.CutAt);
    }

    private void Run(string text, ref PieceSink sink)
    {
        var words = new WordBuilder(Lowercase);
        var start = 0;
        foreach (var (at, special) in Specials(text))
        {
            Words(text.AsSpan(start, at - start), start, ref words, ref sink);
            sink.Add(_specials[special].Id, at);
            start = at + _specials[special].Text.Length;
        }

        Words(text.AsSpan(start), start, ref words, ref sink);
    }

    /// <summary>Where a text spells out special tokens; they are found before anything else is done to the text.</summary>
    private IEnumerable<(int At, int Special)> Specials(string text)
    {
        for (var at = text.IndexOf('['); at >= 0; at = text.IndexOf('[', at))
        {
            var special = Array.FindIndex(_specials, special => string.CompareOrdinal(text, at, special.Text, 0, special.Text.Length) == 0);
            if (special >= 0) yield return (at, special);
            at += special >= 0 ? _specials[special].Text.Length : 1;
        }
    }

    private void Words(ReadOnlySpan<char> text, int offset, ref WordBuilder words, ref PieceSink sink)
    {
        for (var at = 0; at < text.Length;)
        {
            var status = Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
            if (status != System.Buffers.OperationStatus.Done) rune = Rune.ReplacementChar;
            var kind = CharacterKind.Of(rune);
            if (kind == CharacterKind.Letter)
            {
                if (!words.Append(rune, offset + at)) Expand(rune, offset + at, ref words, ref sink);
            }
            else if (kind != CharacterKind.Nothing)
            {
                Flush(ref words, ref sink);
                if (kind != CharacterKind.Space)
                {
                    Expand(rune, offset + at, ref words, ref sink);
                    Flush(ref words, ref sink);
                }
            }

            at += used;
        }

        Flush(ref words, ref sink);
    }

    /// <summary>A character that lower case and the loss of accents turn into several, into none, or into punctuation.</summary>
    private void Expand(Rune rune, int at, ref WordBuilder words, ref PieceSink sink)
    {
        Span<int> parts = stackalloc int[4];
        var count = 1;
        parts[0] = rune.Value;
        if (Lowercase) count = Decomposition.Strip(rune, parts);
        foreach (var part in parts[..count])
        {
            var piece = Lowercase ? Rune.ToLowerInvariant(new Rune(part)) : new Rune(part);
            var punctuation = CharacterKind.Of(piece) == CharacterKind.Punctuation;
            if (punctuation) Flush(ref words, ref sink);
            words.AppendAsIs(piece, at);
            if (punctuation) Flush(ref words, ref sink);
        }
    }

    /// <summary>Greedy: at each place the longest piece that fits; a word with a rest that fits none is one [UNK].</summary>
    private void Flush(ref WordBuilder words, ref PieceSink sink)
    {
        if (words.Length == 0) return;
        var buffer = words.Take(out var runes, out var at);
        if (runes > LongestWord)
        {
            sink.Add(UnknownId, at);
            return;
        }

        var mark = sink.Mark();
        for (var start = WordBuilder.Prefix; start < buffer.Length;)
        {
            var from = start;
            if (start > WordBuilder.Prefix)
            {
                // "##" goes over characters that are matched already: no copy of the rest of the word.
                from -= 2;
                buffer[from] = buffer[from + 1] = '#';
            }

            var end = Math.Min(buffer.Length, from + _longestPiece);
            int id;
            while (!_lookup.TryGetValue(buffer[from..end], out id))
            {
                if (--end > start) continue;
                sink.Return(mark);
                sink.Add(UnknownId, at);
                return;
            }

            sink.Add(id, at);
            start = end;
        }
    }
}
