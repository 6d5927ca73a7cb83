using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// Llama's and Llama 2's tokeniser: a blank in front, every blank a ▁, then byte-pair encoding of the characters; a character without a piece is its bytes' pieces.
/// </summary>
/// <remarks>
/// Gives sentencepiece's ids: what a text spells out, such as <c>&lt;s&gt;</c>, is text. Our own because <c>Microsoft.ML.Tokenizers</c> 2.0.1 merges runs of one
/// character from the wrong end, and gives other ids for 11 of 220 reference texts.
/// </remarks>
public sealed class SentencePieceTokenizer : Tokenizer
{
    private const char Blank = '\u2581';

    private readonly string[] _pieces;
    private readonly HashSet<int> _special;
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _normal;
    private readonly int[] _bytes = new int[256];
    private readonly IMergeRule _rule;
    private readonly bool _words;
    private readonly SentencePieceSettings _settings;

    private SentencePieceTokenizer(IReadOnlyList<SentencePiece> pieces, IMergeRule? rule, SentencePieceSettings settings, IReadOnlyList<AddedToken> added, string source)
    {
        (_settings, Added) = (settings, added);
        var highest = Math.Max(pieces.Count - 1, added.Select(token => token.Id).DefaultIfEmpty(-1).Max());
        _pieces = [.. pieces.Select(piece => piece.Text), .. Enumerable.Repeat("", highest + 1 - pieces.Count)];
        foreach (var token in added) _pieces[token.Id] = token.Content;
        var ids = Enumerable.Range(0, pieces.Count);
        _special = [.. ids.Where(id => pieces[id].Kind is SentencePieceKind.Control or SentencePieceKind.Unknown), .. added.Select(token => token.Id)];
        var normal = ids.Where(id => pieces[id].Kind == SentencePieceKind.Normal).ToFrozenDictionary(id => pieces[id].Text, StringComparer.Ordinal);
        _normal = normal.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var id in ids.Where(id => pieces[id].Kind == SentencePieceKind.Byte)) _bytes[Convert.ToByte(pieces[id].Text[1..^1], 16)] = id;
        _rule = rule ?? new ByScore(_normal, [.. pieces.Select(piece => piece.Score)]);
        // Without a piece that goes from one word into the next, no merge does, and each word can be treated alone.
        _words = !normal.Keys.Any(piece => piece.AsSpan().TrimStart(Blank).Contains(Blank));
        int IdOf(string name, string setting) => Array.IndexOf(_pieces, name) is >= 0 and var id ? id
            : throw new InvalidDataException($"{source} has no piece '{name}', which is its {setting}");
        UnknownId = IdOf(settings.Unknown, "unk_token");
        var (begin, end) = (IdOf(settings.Begin, "bos_token"), IdOf(settings.End, "eos_token"));
        (Before, Behind) = (settings.AddBegin ? [begin] : [], settings.AddEnd ? [end] : []);
        PadId = settings.Pad is { } pad ? IdOf(pad, "pad_token") : end;
        MaskId = settings.Mask is { } mask ? IdOf(mask, "mask_token") : null;
    }

    /// <inheritdoc/>
    public override string Kind => "SentencePiece";

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Length;

    /// <inheritdoc/>
    public override int PadId { get; }

    /// <summary>The id of &lt;unk&gt;, which no text has: what has no piece is its bytes.</summary>
    public override int? UnknownId { get; }

    /// <inheritdoc/>
    public override int? MaskId { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Before { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Behind { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<AddedToken> Added { get; }

    /// <summary>A tokeniser of a model and what the files beside it say.</summary>
    /// <exception cref="InvalidDataException">A special token has no piece.</exception>
    public static SentencePieceTokenizer Of(SentencePieceModel model, SentencePieceSettings settings, IReadOnlyList<AddedToken> added, string source) =>
        new(model.Pieces, null, settings, added, source);

    /// <summary>A tokeniser of pieces that merge as a tokenizer.json lists it.</summary>
    internal static SentencePieceTokenizer Of(
        IReadOnlyList<SentencePiece> pieces, ListedMerges merges, SentencePieceSettings settings, IReadOnlyList<AddedToken> added, string source) =>
        new(pieces, merges, settings, added, source);

    /// <inheritdoc/>
    public override string Piece(int id) => _pieces[id];

    /// <inheritdoc/>
    public override (string Text, bool GoesOn) Shown(int id)
    {
        var piece = _pieces[id];
        if (_special.Contains(id) || piece[0] != Blank) return (piece, !_special.Contains(id));
        return (piece.Trim(Blank), false);
    }

    /// <inheritdoc/>
    public override bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    public override string Digest() => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
        new { Kind, Pieces = _pieces, Special = _special.Order(), Merges = _rule.Describe(), Settings = _settings })));

    private protected override void Run(ReadOnlySpan<char> text, ref PieceSink sink)
    {
        if (text.IsEmpty) return;
        // One blank in front; every character stays one character, so that places in the text are one less than here.
        var front = _settings.FrontUnlessThere && text[0] is ' ' or Blank ? 0 : 1;
        var escaped = new char[text.Length + front];
        escaped[0] = Blank;
        for (var i = 0; i < text.Length; i++) escaped[i + front] = text[i] == ' ' ? Blank : text[i];
        var merging = new Merging<IMergeRule>(_rule);
        for (var start = 0; start < escaped.Length;)
        {
            var end = _words ? WordEnd(escaped, start) : escaped.Length;
            Word(escaped.AsSpan(start, end - start), start - front, merging, ref sink);
            start = end;
        }
    }

    // A word is its blanks in front and all up to the next blank.
    private static int WordEnd(char[] text, int start)
    {
        var end = start;
        while (end < text.Length && text[end] == Blank) end++;
        while (end < text.Length && text[end] != Blank) end++;
        return end;
    }

    private void Word(Span<char> word, int offset, Merging<IMergeRule> merging, ref PieceSink sink)
    {
        var symbols = merging.Symbols;
        symbols.Clear();
        for (var at = 0; at < word.Length;)
        {
            var whole = Rune.DecodeFromUtf16(word[at..], out _, out var used) == System.Buffers.OperationStatus.Done;
            // Half a surrogate pair is no character.
            if (!whole) (word[at], used) = ('\uFFFD', 1);
            symbols.Add(new Symbol(at, used, _normal.TryGetValue(word.Slice(at, used), out var id) ? id : -1));
            at += used;
        }

        merging.Run(word);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var symbol in symbols)
        {
            var piece = word.Slice(symbol.Start, symbol.Length);
            var inside = piece.IndexOfAnyExcept(Blank);
            var at = Math.Max(0, offset + symbol.Start + Math.Max(0, inside));
            if (symbol.Id >= 0)
            {
                sink.Add(symbol.Id, at);
                continue;
            }

            foreach (var value in bytes[..Encoding.UTF8.GetBytes(piece, bytes)]) sink.Add(_bytes[value], at);
        }
    }

    // What two symbols are together merges where it is a piece, pieces of a high score first.
    private sealed class ByScore(FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> pieces, float[] scores) : IMergeRule
    {
        public bool TryMerge(ReadOnlySpan<char> text, in Symbol left, in Symbol right, out int id, out double rank)
        {
            var found = pieces.TryGetValue(text.Slice(left.Start, left.Length + right.Length), out id);
            rank = found ? -scores[id] : 0;
            return found;
        }

        public string Describe() => Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(scores.AsSpan())));
    }
}
