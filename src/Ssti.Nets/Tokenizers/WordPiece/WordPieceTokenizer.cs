using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// BERT's tokeniser: cleaning, lower case without accents, a split at white space, punctuation and Chinese characters,
/// then the longest pieces of the vocabulary that make up each word.
/// </summary>
/// <remarks>
/// Gives the ids of Hugging Face's <c>tokenizers</c> (BertNormalizer, BertPreTokenizer, WordPiece), also where a text spells out a special token:
/// <c>[SEP]</c> inside a text is the separator there. Our own because <c>Microsoft.ML.Tokenizers</c> 2.0.1 gives other ids for 121 of 220 reference texts:
/// it deletes symbols that are not punctuation to Unicode (<c>&lt; &gt; $ + =</c>: an HTML trigger would lose its brackets) and deletes line breaks and
/// tabs instead of splitting there.
/// </remarks>
public sealed class WordPieceTokenizer : Tokenizer
{
    private readonly FrozenDictionary<string, int> _vocabulary;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly string[] _pieces;
    private readonly HashSet<int> _special;
    private readonly TextNormalizer _normalizer;
    private readonly AddedTokenFinder _found, _foundNormalized;
    private readonly int _longestPiece, _unknown;

    private WordPieceTokenizer(IReadOnlyList<string?> vocabulary, TokenizerSettings settings, IEnumerable<AddedToken> added, string source)
    {
        Settings = settings;
        var ids = new Dictionary<string, int>(vocabulary.Count, StringComparer.Ordinal);
        var repeated = new List<string>();
        for (var id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary[id] is not { } piece) continue;
            if (ids.TryGetValue(piece, out var before))
                repeated.Add($"{source}({id + 1}): '{piece}' stands on line {before + 1} already; the last line counts, and ids before it are never given");
            ids[piece] = id;
        }

        Repeated = repeated;
        Added = Complete(settings, added, ids, source);
        _pieces = [.. vocabulary.Select(piece => piece ?? ""), .. Enumerable.Repeat("", Math.Max(0, Added.Max(token => token.Id) + 1 - vocabulary.Count))];
        foreach (var token in Added) _pieces[token.Id] = token.Content;
        _special = [.. Added.Where(token => token.Special).Select(token => token.Id)];
        _vocabulary = ids.ToFrozenDictionary(StringComparer.Ordinal);
        _lookup = _vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        _longestPiece = _vocabulary.Keys.Max(piece => piece.Length);
        _normalizer = new TextNormalizer(settings);
        _found = new AddedTokenFinder(Added.Where(token => !token.Normalized));
        _foundNormalized = new AddedTokenFinder(Added.Where(token => token.Normalized).Select(token => token with { Content = _normalizer.Normalize(token.Content).Text }));
        int IdOf(string name) => Added.First(token => token.Content == name).Id;
        (PadId, _unknown, MaskId) = (IdOf(settings.Pad), IdOf(settings.Unknown), IdOf(settings.Mask));
        (Before, Behind) = ([IdOf(settings.Classify)], [IdOf(settings.Separator)]);
    }

    /// <summary>How it treats a text.</summary>
    public TokenizerSettings Settings { get; }

    /// <inheritdoc/>
    public override string Kind => "WordPiece";

    /// <inheritdoc/>
    public override IReadOnlyList<AddedToken> Added { get; }

    /// <summary>A line for each piece that the vocabulary has twice.</summary>
    public IReadOnlyList<string> Repeated { get; }

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Length;

    /// <inheritdoc/>
    public override int PadId { get; }

    /// <inheritdoc/>
    public override int? UnknownId => _unknown;

    /// <inheritdoc/>
    public override int? MaskId { get; }

    /// <summary>[CLS].</summary>
    public override IReadOnlyList<int> Before { get; }

    /// <summary>[SEP].</summary>
    public override IReadOnlyList<int> Behind { get; }

    /// <summary>Reads a <c>vocab.txt</c>: a piece a line, its id the line's number from 0; of two that are equal the last counts, see <see cref="Repeated"/>.</summary>
    /// <param name="path">The file, UTF-8.</param>
    /// <param name="lowercase">Whether the model is uncased.</param>
    /// <exception cref="InvalidDataException">A special token is missing; names the file.</exception>
    public static WordPieceTokenizer Load(string path, bool lowercase = true) =>
        Of(ReadVocabulary(path), new TokenizerSettings { Lowercase = lowercase }, [], path);

    /// <summary>A tokeniser over pieces at hand, in the order of their ids.</summary>
    /// <exception cref="InvalidDataException">A special token is missing.</exception>
    public static WordPieceTokenizer FromPieces(IEnumerable<string> pieces, bool lowercase = true) =>
        Of([.. pieces], new TokenizerSettings { Lowercase = lowercase }, [], "vocabulary");

    /// <summary>A tokeniser of pieces, settings and added tokens.</summary>
    /// <param name="pieces">The pieces, in the order of their ids; null for an id without a piece.</param>
    /// <param name="settings">How it treats a text.</param>
    /// <param name="added">Tokens beyond the special ones of the settings, or those with other flags.</param>
    /// <param name="source">What messages call the vocabulary.</param>
    /// <exception cref="InvalidDataException">A special token is missing, or an id is that of another piece.</exception>
    public static WordPieceTokenizer Of(IReadOnlyList<string?> pieces, TokenizerSettings settings, IEnumerable<AddedToken> added, string source) =>
        new(pieces, settings, added, source);

    /// <inheritdoc cref="VocabularyFile.Read"/>
    public static IReadOnlyList<string> ReadVocabulary(string path, string? title = null) => VocabularyFile.Read(path, title);

    /// <inheritdoc/>
    public override string Piece(int id) => _pieces[id];

    /// <inheritdoc/>
    public override (string Text, bool GoesOn) Shown(int id)
    {
        var goesOn = _pieces[id].StartsWith(Settings.ContinuingPrefix, StringComparison.Ordinal);
        return (goesOn ? _pieces[id][Settings.ContinuingPrefix.Length..] : _pieces[id], goesOn);
    }

    /// <inheritdoc/>
    public override bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    public override string Digest() => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { Pieces = _pieces, Settings, Added })));

    /// <inheritdoc/>
    public override IEnumerable<string> Doubts(string title)
    {
        foreach (var doubt in VocabularyFile.Doubts(this)) yield return $"{title}: {doubt}";
        foreach (var line in Repeated.Take(3)) yield return line;
        if (Repeated.Count > 3) yield return $"{title}/{TokenizerFolder.Vocabulary}: {Repeated.Count - 3} more pieces stand twice";
    }

    private static List<AddedToken> Complete(TokenizerSettings settings, IEnumerable<AddedToken> added, Dictionary<string, int> ids, string source)
    {
        if (settings.ContinuingPrefix.Length > WordBuilder.Prefix)
            throw new InvalidDataException($"{source}: a continuing_subword_prefix of more than {WordBuilder.Prefix} characters is not offered");
        var tokens = added.ToList();
        foreach (var token in tokens)
        {
            if (ids.TryGetValue(token.Content, out var id) && id != token.Id)
                throw new InvalidDataException($"{source}: '{token.Content}' has the id {id} in the vocabulary, and as an added token {token.Id}");
            if (!ids.ContainsKey(token.Content) && ids.Any(piece => piece.Value == token.Id))
                throw new InvalidDataException($"{source}: the added token '{token.Content}' has the id {token.Id} of '{ids.First(piece => piece.Value == token.Id).Key}'");
        }

        if (tokens.GroupBy(token => token.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InvalidDataException($"{source}: the added tokens {string.Join(" and ", twice.Select(token => $"'{token.Content}'"))} have one id, {twice.Key}");
        string[] needed = [settings.Pad, settings.Unknown, settings.Classify, settings.Separator, settings.Mask];
        foreach (var name in needed.Where(name => tokens.All(token => token.Content != name)))
        {
            if (!ids.TryGetValue(name, out var id)) throw new InvalidDataException($"{source}: no line '{name}'; is this the vocab.txt of a BERT?");
            tokens.Add(new AddedToken(name, id, Special: true, Normalized: false));
        }

        return tokens;
    }

    // Where the characters of a span stand in the text that was given.
    private readonly ref struct Origin(int offset, ReadOnlySpan<int> map)
    {
        private readonly ReadOnlySpan<int> _map = map;

        public int At(int index) => _map.IsEmpty ? offset + index : offset + _map[index];

        public Origin From(int index) => _map.IsEmpty ? new Origin(offset + index, default) : new Origin(offset, _map[index..]);
    }

    private protected override void Run(ReadOnlySpan<char> text, ref PieceSink sink)
    {
        var words = new WordBuilder(_normalizer.Lowercase);
        var start = 0;
        while (_found.Next(text, start) is var (at, token))
        {
            Between(text[start..at], start, ref words, ref sink);
            sink.Add(token.Id, at);
            start = at + token.Content.Length;
        }

        Between(text[start..], start, ref words, ref sink);
    }

    /// <summary>A part of the text without tokens that are looked for in it as it stands: those looked for in normalised text come next.</summary>
    private void Between(ReadOnlySpan<char> text, int offset, ref WordBuilder words, ref PieceSink sink)
    {
        if (_foundNormalized.IsEmpty)
        {
            Words(text, new Origin(offset, default), ref words, ref sink);
            return;
        }

        // Normalising twice is as normalising once, so the words may be made of the normalised text.
        var (normal, map) = _normalizer.Normalize(text);
        var origin = new Origin(offset, map);
        var start = 0;
        while (_foundNormalized.Next(normal, start) is var (at, token))
        {
            Words(normal.AsSpan(start, at - start), origin.From(start), ref words, ref sink);
            sink.Add(token.Id, origin.At(at));
            start = at + token.Content.Length;
        }

        Words(normal.AsSpan(start), origin.From(start), ref words, ref sink);
    }

    private void Words(ReadOnlySpan<char> text, Origin origin, ref WordBuilder words, ref PieceSink sink)
    {
        for (var at = 0; at < text.Length;)
        {
            var status = Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
            if (status != System.Buffers.OperationStatus.Done) rune = Rune.ReplacementChar;
            var kind = _normalizer.KindOf(rune);
            if (kind == CharacterKind.Letter)
            {
                if (!words.Append(rune, origin.At(at))) Expand(rune, origin.At(at), ref words, ref sink);
            }
            else if (kind != CharacterKind.Nothing)
            {
                Flush(ref words, ref sink);
                if (kind != CharacterKind.Space)
                {
                    Expand(rune, origin.At(at), ref words, ref sink);
                    Flush(ref words, ref sink);
                }
            }

            at += used;
        }

        Flush(ref words, ref sink);
    }

    /// <summary>A character that lower case and the loss of accents may turn into several, into none, or into punctuation.</summary>
    private void Expand(Rune rune, int at, ref WordBuilder words, ref PieceSink sink)
    {
        Span<int> parts = stackalloc int[TextNormalizer.Most];
        foreach (var part in parts[.._normalizer.Expand(rune, parts)])
        {
            var piece = new Rune(part);
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
        if (runes > Settings.LongestWord)
        {
            sink.Add(_unknown, at);
            return;
        }

        var mark = sink.Mark();
        for (var start = WordBuilder.Prefix; start < buffer.Length;)
        {
            var from = start;
            if (start > WordBuilder.Prefix)
            {
                // The prefix goes over characters that are matched already: no copy of the rest of the word.
                from -= Settings.ContinuingPrefix.Length;
                Settings.ContinuingPrefix.CopyTo(buffer[from..]);
            }

            var end = Math.Min(buffer.Length, from + _longestPiece);
            var id = -1;
            while (end > start && !_lookup.TryGetValue(buffer[from..end], out id)) end--;
            if (end <= start)
            {
                sink.Return(mark);
                sink.Add(_unknown, at);
                return;
            }

            sink.Add(id, at);
            start = end;
        }
    }
}
