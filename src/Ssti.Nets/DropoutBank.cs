using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssti.Nets;

/// <summary>
/// The dropouts of several runs whose rows go through a model together: each draws for its own rows, from its own stream, what it would have drawn alone.
/// </summary>
public sealed class DropoutBank : IDropouts
{
    private readonly IReadOnlyList<(RandomStream Stream, int Rows)> _runs;
    private readonly long _rows;

    /// <summary>The dropouts of some runs on the CPU.</summary>
    /// <param name="runs">Their streams and how many rows of the pass each has, in the order of the rows.</param>
    /// <exception cref="ArgumentException">A stream draws from its device's generator, of which there is one.</exception>
    public DropoutBank(IReadOnlyList<(RandomStream Stream, int Rows)> runs)
    {
        if (runs.Any(run => run.Stream.OwnsDevice)) throw new ArgumentException("streams of a GPU draw from one generator, and cannot be used side by side", nameof(runs));
        (_runs, _rows) = (runs, runs.Sum(run => (long)run.Rows));
    }

    /// <inheritdoc/>
    public bool OwnsDevice => false;

    /// <inheritdoc/>
    public Tensor Dropout(Tensor input, double probability)
    {
        if (probability == 0) return input;
        var keep = empty(input.shape, ScalarType.Float32);
        var mask = MemoryMarshal.Cast<byte, float>(keep.bytes);
        // Rows are the outermost dimension of whatever is dropped from: a run's are one piece.
        var (row, taken) = ((int)(input.numel() / _rows), 0);
        foreach (var (stream, rows) in _runs)
        {
            stream.Fill(mask.Slice(taken, rows * row), probability);
            taken += rows * row;
        }

        return input * (input.dtype == ScalarType.Float32 ? keep : keep.to(input.dtype));
    }
}
