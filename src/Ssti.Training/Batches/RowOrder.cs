namespace Ssti.Training.Batches;

/// <summary>
/// The order in which training sees the rows: every epoch a fresh permutation, the epochs joined end to end, so that every batch is full and one may
/// reach from one epoch into the next.
/// </summary>
/// <remarks>
/// The order is a function of seed and position alone: a run that goes on from a checkpoint sees what an uninterrupted one would have seen.
/// The permutation is Fisher and Yates's, drawn from SplitMix64 (Steele, Lea and Flood 2014) seeded with seed and epoch.
/// </remarks>
/// <param name="rows">How many rows an epoch has.</param>
/// <param name="seed">The seed.</param>
public sealed class RowOrder(int rows, long seed)
{
    private const ulong Purpose = 0xD1B54A32D192ED03UL;

    private readonly int[] _permutation = new int[rows];
    private long _epoch = -1;

    /// <summary>The rows at positions from <paramref name="position"/> on, counted from the first row of the first epoch.</summary>
    public void Fill(long position, Span<int> into)
    {
        for (var i = 0; i < into.Length; i++, position++)
        {
            var epoch = position / rows;
            if (epoch != _epoch) Shuffle(epoch);
            into[i] = _permutation[position % rows];
        }
    }

    private void Shuffle(long epoch)
    {
        var random = SplitMix64.Of(seed, Purpose, epoch);
        for (var i = 0; i < rows; i++) _permutation[i] = i;
        for (var i = rows - 1; i > 0; i--)
        {
            var j = (int)random.Below((ulong)i + 1);
            (_permutation[i], _permutation[j]) = (_permutation[j], _permutation[i]);
        }

        _epoch = epoch;
    }
}
