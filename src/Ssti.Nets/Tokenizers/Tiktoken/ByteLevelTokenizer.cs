using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// Llama 3's tokeniser: a text is split into words by a pattern, and each word's bytes are merged into pieces. What a text spells out, such as
/// <c>&lt;|eot_id|&gt;</c>, is text: special tokens come from nowhere but the ends.
/// </summary>
public sealed class ByteLevelTokenizer : Tokenizer
{
    private readonly string[] _pieces;
    private readonly string _digest;
    private readonly HashSet<int> _special;
    private readonly IByteWords _words;

    /// <summary>A tokeniser.</summary>
    /// <param name="pieces">The bytes of each piece, in the order of the ids.</param>
    /// <param name="words">How pieces are found in a text.</param>
    /// <param name="ends">What stands before and behind a text.</param>
    /// <param name="added">The special tokens.</param>
    /// <param name="source">What messages call it.</param>
    /// <exception cref="InvalidDataException">A token of the ends has no id.</exception>
    internal ByteLevelTokenizer(IReadOnlyList<byte[]> pieces, IByteWords words, ByteLevelEnds ends, IReadOnlyList<AddedToken> added, string source)
    {
        (_words, Added) = (words, added);
        _special = [.. added.Select(token => token.Id)];
        _pieces = new string[Math.Max(pieces.Count, added.Select(token => token.Id + 1).DefaultIfEmpty(0).Max())];
        for (var id = 0; id < _pieces.Length; id++) _pieces[id] = id < pieces.Count ? Encoding.UTF8.GetString(pieces[id]) : "";
        foreach (var token in added) _pieces[token.Id] = token.Content;
        int IdOf(string name, string setting) => added.FirstOrDefault(token => token.Content == name)?.Id
            ?? throw new InvalidDataException($"{source}: {setting} is '{name}', which is none of its special tokens");
        Before = ends.Begin is { } begin ? [IdOf(begin, "bos_token")] : [];
        Behind = ends.End is { } end ? [IdOf(end, "eos_token")] : [];
        PadId = IdOf(ends.Pad, "pad_token, or eos_token without one,");
        MaskId = ends.Mask is { } mask ? IdOf(mask, "mask_token") : null;
        var special = added.OrderBy(token => token.Id).Select(token => $"{token.Id} {token.Content}");
        _digest = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(
            new { Kind, Pieces = pieces.Select(Convert.ToBase64String), Words = words.Describe(), ends, special })));
    }

    /// <inheritdoc/>
    public override string Kind => "byte-level BPE";

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Length;

    /// <inheritdoc/>
    public override int PadId { get; }

    /// <summary>Null: every byte has a piece.</summary>
    public override int? UnknownId => null;

    /// <inheritdoc/>
    public override int? MaskId { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Before { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Behind { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<AddedToken> Added { get; }

    /// <summary>The bytes of an id as UTF-8; a part of a character is U+FFFD.</summary>
    public override string Piece(int id) => _pieces[id];

    /// <inheritdoc/>
    public override (string Text, bool GoesOn) Shown(int id)
    {
        var piece = _pieces[id];
        if (_special.Contains(id) || piece.Length == 0 || !char.IsWhiteSpace(piece[0])) return (piece, !_special.Contains(id));
        return (piece.Trim(), false);
    }

    /// <inheritdoc/>
    public override bool IsSpecial(int id) => _special.Contains(id);

    /// <inheritdoc/>
    public override string Digest() => _digest;

    private protected override void Run(ReadOnlySpan<char> text, ref PieceSink sink) => _words.Run(text, ref sink);
}

/// <summary>What stands before and behind a text.</summary>
/// <param name="Begin">The token in front; null for none.</param>
/// <param name="End">The token behind; null for none.</param>
/// <param name="Pad">The token that fills rows up.</param>
/// <param name="Mask">The mask token; null for none.</param>
internal sealed record ByteLevelEnds(string? Begin, string? End, string Pad, string? Mask);

/// <summary>Finds the pieces of a text.</summary>
internal interface IByteWords
{
    /// <summary>Gives the pieces of a text to a sink.</summary>
    void Run(ReadOnlySpan<char> text, ref PieceSink sink);

    /// <summary>A digest of it.</summary>
    string Describe();
}
