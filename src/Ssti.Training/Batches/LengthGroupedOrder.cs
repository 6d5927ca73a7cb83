namespace Ssti.Training.Batches;

/// <summary>
/// <see cref="RowOrder"/>, with rows of about the same length in one batch, so that batches cut to their longest row hold little padding.
/// </summary>
/// <remarks>
/// Sixteen batches at a time are sorted by length, cut again and put into a random order: every row is still seen once an epoch, and the length of
/// a batch cannot be told from its place.
/// </remarks>
/// <param name="lengths">Tokens of every row.</param>
/// <param name="batchSize">Rows of a batch.</param>
/// <param name="seed">The seed.</param>
public sealed class LengthGroupedOrder(IReadOnlyList<int> lengths, int batchSize, long seed) : IRowOrder
{
    private const ulong Purpose = 0xA24BAED4963EE407UL;
    private const int BatchesTogether = 16;

    private readonly RowOrder _order = new(lengths.Count, seed);
    private readonly int[] _rows = new int[batchSize * BatchesTogether];
    private readonly int[] _batches = new int[BatchesTogether];
    private long _at = -1;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">What is asked for is not one batch.</exception>
    public void Fill(long position, Span<int> into)
    {
        if (into.Length != batchSize || position % batchSize != 0) throw new ArgumentException($"rows come in batches of {batchSize}");
        var at = position / _rows.Length;
        if (at != _at) Group(at);
        var batch = _batches[position % _rows.Length / batchSize];
        _rows.AsSpan(batch * batchSize, batchSize).CopyTo(into);
    }

    private void Group(long at)
    {
        _order.Fill(at * _rows.Length, _rows);
        // By number where the length is the same: a sort that keeps no order is another one on another runtime.
        var byLength = Array.ConvertAll(_rows, row => ((long)lengths[row] << 32) | (uint)row);
        Array.Sort(byLength, _rows);
        var random = SplitMix64.Of(seed, Purpose, at);
        for (var i = 0; i < BatchesTogether; i++)
        {
            var j = (int)random.Below((ulong)i + 1);
            (_batches[i], _batches[j]) = (_batches[j], i);
        }

        _at = at;
    }
}
