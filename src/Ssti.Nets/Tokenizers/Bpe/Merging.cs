using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// Byte-pair encoding: of all pairs of neighbours that make a piece, the one of the lowest rank becomes that piece, of equal ranks the leftmost; again, until no pair
/// is left. This is the order of sentencepiece (bpe_model.cc) and of Hugging Face's <c>tokenizers</c> (word.rs): in <c>....</c> the pairs merge from the left.
/// </summary>
/// <typeparam name="TRule">Which pairs make a piece.</typeparam>
internal sealed class Merging<TRule>(TRule rule)
    where TRule : IMergeRule
{
    private readonly List<Symbol> _symbols = [];
    private readonly PriorityQueue<(int Left, int Id), (double Rank, int Left)> _pairs = new();

    /// <summary>What is left, in order; the symbols of a text before <see cref="Run"/>.</summary>
    public List<Symbol> Symbols => _symbols;

    /// <summary>Merges <see cref="Symbols"/>.</summary>
    public void Run(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < _symbols.Count; i++) _symbols[i] = _symbols[i] with { Before = i - 1, Behind = i + 1 < _symbols.Count ? i + 1 : -1 };
        for (var i = 0; i + 1 < _symbols.Count; i++) Offer(text, i);
        while (_pairs.TryDequeue(out var pair, out _))
        {
            // A pair that was offered may be gone, or have grown, since.
            var left = _symbols[pair.Left];
            if (left.Length == 0 || left.Behind < 0) continue;
            var right = _symbols[left.Behind];
            if (!rule.TryMerge(text, left, right, out var id, out _) || id != pair.Id) continue;
            _symbols[left.Behind] = right with { Length = 0 };
            _symbols[pair.Left] = left with { Id = id, Length = left.Length + right.Length, Behind = right.Behind };
            if (right.Behind >= 0) _symbols[right.Behind] = _symbols[right.Behind] with { Before = pair.Left };
            if (left.Before >= 0) Offer(text, left.Before);
            Offer(text, pair.Left);
        }

        _symbols.RemoveAll(symbol => symbol.Length == 0);
    }

    private void Offer(ReadOnlySpan<char> text, int at)
    {
        var left = _symbols[at];
        if (left.Behind >= 0 && rule.TryMerge(text, left, _symbols[left.Behind], out var id, out var rank)) _pairs.Enqueue((at, id), (rank, at));
    }
}

/// <summary>Which pairs of neighbours make a piece.</summary>
internal interface IMergeRule
{
    /// <summary>The piece that a pair makes.</summary>
    /// <param name="text">The text that symbols are places of.</param>
    /// <param name="left">The left symbol.</param>
    /// <param name="right">The right symbol.</param>
    /// <param name="id">The id of the piece: one id for one text.</param>
    /// <param name="rank">Lower ones merge first.</param>
    bool TryMerge(ReadOnlySpan<char> text, in Symbol left, in Symbol right, out int id, out double rank);

    /// <summary>A digest of it.</summary>
    string Describe();
}

/// <summary>A part of a text on its way to become a piece.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">How long it is, in the units of the text; 0 when it is part of another.</param>
/// <param name="Id">The piece's id; -1 when there is none.</param>
/// <param name="Before">Index of the symbol before it, or -1.</param>
/// <param name="Behind">Index of the symbol behind it, or -1.</param>
internal readonly record struct Symbol(int Start, int Length, int Id, int Before = -1, int Behind = -1);

/// <summary>Pairs as a tokenizer.json lists them: the earlier in the list, the lower the rank.</summary>
internal sealed class ListedMerges(IReadOnlyDictionary<(int Left, int Right), (int Rank, int Id)> pairs) : IMergeRule
{
    /// <inheritdoc/>
    public bool TryMerge(ReadOnlySpan<char> text, in Symbol left, in Symbol right, out int id, out double rank)
    {
        var found = pairs.TryGetValue((left.Id, right.Id), out var merged);
        (id, rank) = found ? (merged.Id, merged.Rank) : (-1, 0);
        return found;
    }

    /// <inheritdoc/>
    public string Describe()
    {
        var listed = pairs.OrderBy(pair => pair.Value.Rank).SelectMany(pair => new[] { pair.Key.Left, pair.Key.Right }).ToArray();
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes<int>(listed)));
    }
}
