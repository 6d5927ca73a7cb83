using System.Runtime.InteropServices;
using System.Text;

namespace Ssti.Corpus.Statistics;

/// <summary>
/// A small language model: n-grams of UTF-8 bytes with interpolated Kneser–Ney smoothing (Kneser and Ney 1995; Chen and Goodman 1999, one discount for each order,
/// D = n1 / (n1 + 2·n2)), down to a uniform distribution over the 256 bytes and the end of a text. Every text has a probability: a word it never saw, such as a date, is spelt out.
/// </summary>
public sealed class ByteModel
{
    private const int Start = 257, End = 256, Symbols = 257, Bits = 9;

    // By order, from 1: of an n-gram how often it was seen (the highest) or after how many different symbols; and of its context the sum and the number of these.
    private readonly Dictionary<ulong, int>[] _grams;
    private readonly Dictionary<ulong, (long Sum, int Kinds)>[] _contexts;
    private readonly double[] _discounts;
    private readonly int _order;

    private ByteModel(int order)
    {
        _order = order;
        _grams = [.. Enumerable.Range(0, order + 1).Select(_ => new Dictionary<ulong, int>())];
        _contexts = [.. Enumerable.Range(0, order + 1).Select(_ => new Dictionary<ulong, (long, int)>())];
        _discounts = new double[order + 1];
    }

    /// <summary>Trains a model.</summary>
    /// <param name="texts">The texts; read once.</param>
    /// <param name="order">The longest n-gram, 2 to 7 bytes.</param>
    /// <param name="cancellation">Stops between texts.</param>
    public static ByteModel Train(IEnumerable<string> texts, int order, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 7);
        var model = new ByteModel(order);
        foreach (var text in texts)
        {
            cancellation.ThrowIfCancellationRequested();
            var symbols = model.SymbolsOf(text);
            for (var i = order - 1; i < symbols.Length; i++) CollectionsMarshal.GetValueRefOrAddDefault(model._grams[order], Pack(symbols.AsSpan(i - order + 1, order)), out _)++;
        }

        // Of lower orders it counts after how many symbols an n-gram comes, not how often: so that what follows one word alone is not likely anywhere.
        for (var length = order - 1; length >= 1; length--)
            foreach (var gram in model._grams[length + 1].Keys) CollectionsMarshal.GetValueRefOrAddDefault(model._grams[length], gram & Mask(length), out _)++;
        for (var length = 1; length <= order; length++) model.Sum(length);
        return model;
    }

    /// <summary>How a text surprises the model: −ln p in nats, and over how many symbols, which are its bytes and its end.</summary>
    public (double Nats, int Symbols) Surprise(string text)
    {
        var symbols = SymbolsOf(text);
        var nats = 0.0;
        for (var i = _order - 1; i < symbols.Length; i++) nats -= Math.Log(Probability(symbols.AsSpan(i - _order + 1, _order)));
        return (nats, symbols.Length - _order + 1);
    }

    /// <summary>exp of the mean surprise of a byte: 257 for a model that knows nothing, 1 for one that knows the text.</summary>
    public double Perplexity(string text)
    {
        var (nats, symbols) = Surprise(text);
        return Math.Exp(nats / symbols);
    }

    /// <summary>The probability of a symbol (a byte, or 256 for the end) behind a text's beginning.</summary>
    internal double Next(string beginning, int symbol)
    {
        var symbols = SymbolsOf(beginning);
        symbols[^1] = symbol;
        return Probability(symbols.AsSpan(^_order..));
    }

    private double Probability(ReadOnlySpan<int> gram)
    {
        var probability = 1.0 / Symbols;
        for (var length = 1; length <= _order; length++)
        {
            var key = Pack(gram[^length..]);
            // A context that was never seen says nothing: the shorter one's answer stands, and longer ones were not seen either.
            if (!_contexts[length].TryGetValue(key >> Bits, out var context)) break;
            var seen = _grams[length].GetValueOrDefault(key);
            var discount = _discounts[length];
            probability = Math.Max(seen - discount, 0) / context.Sum + discount * context.Kinds / context.Sum * probability;
        }

        return probability;
    }

    private void Sum(int length)
    {
        long once = 0, twice = 0;
        foreach (var (gram, count) in _grams[length])
        {
            if (count == 1) once++;
            if (count == 2) twice++;
            ref var context = ref CollectionsMarshal.GetValueRefOrAddDefault(_contexts[length], gram >> Bits, out _);
            context = (context.Sum + count, context.Kinds + 1);
        }

        _discounts[length] = once > 0 && twice > 0 ? (double)once / (once + 2 * twice) : 0.5;
    }

    // Starts before the text, its bytes, its end.
    private int[] SymbolsOf(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var symbols = new int[_order - 1 + bytes.Length + 1];
        Array.Fill(symbols, Start, 0, _order - 1);
        for (var i = 0; i < bytes.Length; i++) symbols[_order - 1 + i] = bytes[i];
        symbols[^1] = End;
        return symbols;
    }

    private static ulong Mask(int length) => (1UL << (Bits * length)) - 1;

    private static ulong Pack(ReadOnlySpan<int> symbols)
    {
        var key = 0UL;
        foreach (var symbol in symbols) key = (key << Bits) | (uint)symbol;
        return key;
    }
}
