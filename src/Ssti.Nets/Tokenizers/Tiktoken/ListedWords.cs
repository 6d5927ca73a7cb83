using System.Buffers;
using System.Collections.Frozen;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>Pieces by the merges that a tokenizer.json lists. One letter of its alphabet is one byte.</summary>
internal sealed class ListedWords : IByteWords
{
    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _pieces;
    private readonly int[] _bytes;
    private readonly ListedMerges _merges;
    private readonly bool _wholeFirst;

    /// <summary>Finds pieces.</summary>
    /// <param name="ids">The vocabulary in the alphabet of bytes, with a piece for every byte.</param>
    /// <param name="special">Ids that no text has.</param>
    /// <param name="merges">Which pairs make a piece.</param>
    /// <param name="wholeFirst">Whether a word that is a piece is taken whole.</param>
    public ListedWords(
        IReadOnlyDictionary<string, int> ids, IReadOnlySet<int> special, IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> merges, bool wholeFirst)
    {
        _pieces = ids.Where(piece => !special.Contains(piece.Value)).ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _bytes = [.. Enumerable.Range(0, 256).Select(value => ids[ByteAlphabet.Of([(byte)value])])];
        (_merges, _wholeFirst) = (new ListedMerges(merges), wholeFirst);
    }

    /// <inheritdoc/>
    public string Describe() => $"{_merges.Describe()}{(_wholeFirst ? ", whole words first" : "")}";

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<char> text, ref PieceSink sink)
    {
        var merging = new Merging<ListedMerges>(_merges);
        for (var start = 0; start < text.Length;)
        {
            var length = Llama3Words.First(text[start..]);
            Word(text.Slice(start, length), start, merging, ref sink);
            start += length;
        }
    }

    private void Word(ReadOnlySpan<char> word, int offset, Merging<ListedMerges> merging, ref PieceSink sink)
    {
        var letters = ArrayPool<char>.Shared.Rent(3 * word.Length);
        var places = ArrayPool<int>.Shared.Rent(3 * word.Length);
        var symbols = merging.Symbols;
        symbols.Clear();
        Span<byte> utf8 = stackalloc byte[4];
        for (var at = 0; at < word.Length;)
        {
            if (Rune.DecodeFromUtf16(word[at..], out var rune, out var used) != OperationStatus.Done) (rune, used) = (Rune.ReplacementChar, 1);
            foreach (var value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                (letters[symbols.Count], places[symbols.Count]) = (ByteAlphabet.Of(value), at);
                symbols.Add(new Symbol(symbols.Count, 1, _bytes[value]));
            }

            at += used;
        }

        if (_wholeFirst && _pieces.TryGetValue(letters.AsSpan(0, symbols.Count), out var id))
        {
            symbols[0] = new Symbol(0, symbols.Count, id);
            symbols.RemoveRange(1, symbols.Count - 1);
        }
        else
        {
            merging.Run(letters);
        }

        foreach (var symbol in symbols)
        {
            var start = places[symbol.Start];
            var end = places[symbol.Start + symbol.Length - 1] + 1;
            while (start < end && char.IsWhiteSpace(word[start])) start++;
            sink.Add(symbol.Id, offset + (start < end ? start : places[symbol.Start]));
        }

        ArrayPool<char>.Shared.Return(letters);
        ArrayPool<int>.Shared.Return(places);
    }
}
