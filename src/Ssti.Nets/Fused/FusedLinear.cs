using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>
/// A frozen linear with its adapter as one product: [x, s·dropout(x)·Aᵀ]·[W, B]ᵀ, so that the wide output is written once, and its gradient read once. With
/// several adapters, each of which has an equal part of the rows, one product for each, made at once.
/// </summary>
/// <remarks>Ranks are padded to a multiple of eight with zeros, as tensor cores and vector loads want it.</remarks>
internal sealed class FusedLinear : IDisposable
{
    private const long Unit = 8;

    private readonly Tensor _frozen, _bias;
    private readonly Tensor? _wide;
    private readonly LoraPart? _lora;
    private readonly long _in, _out;
    private readonly int _parts;
    private readonly ScalarType _dtype;
    private readonly Device _device;

    /// <summary>A linear without or with adapters.</summary>
    /// <param name="weight">W, [out, in]; not owned.</param>
    /// <param name="bias">[out]; not owned.</param>
    /// <param name="lora">Its adapters' part; null for none.</param>
    /// <param name="parts">How many adapters the rows are of.</param>
    public FusedLinear(Tensor weight, Tensor bias, LoraPart? lora, int parts = 1)
    {
        (_frozen, _bias, _lora, _parts) = (weight, bias, lora, parts);
        (_out, _in, _dtype, _device) = (weight.shape[0], weight.shape[1], weight.dtype, weight.device);
        if (lora is null) return;
        using var _ = no_grad();
        long[] shape = parts == 1 ? [_out, _in + lora.Rank] : [parts, _out, _in + lora.Rank];
        _wide = zeros(shape, _dtype, _device).DetachFromDisposeScope();
        using var columns = _wide.narrow(-1, 0, _in);
        columns.copy_(weight);
    }

    /// <summary>Whether it has an adapter.</summary>
    public bool IsAdapted => _lora is not null;

    /// <summary>A rank as it is stored.</summary>
    public static long Padded(long rank) => (rank + Unit - 1) / Unit * Unit;

    /// <summary>Takes the adapters' B over as they are now.</summary>
    public void Refresh()
    {
        using var columns = _wide!.narrow(-1, _in, _lora!.Rank);
        columns.copy_(_lora.B);
    }

    /// <summary>Where an input of this linear is to be written.</summary>
    /// <param name="rows">Its rows.</param>
    /// <param name="drops">Whether the adapter reads it dropped out.</param>
    public Operand NewInput(long rows, bool drops)
    {
        var whole = empty(rows, _in + (_lora?.Rank ?? 0), _dtype, _device);
        if (_lora is null) return new Operand(whole, whole, null, null);
        return new Operand(whole, whole.narrow(1, 0, _in), whole.narrow(1, _in, _lora.Rank), drops ? empty(rows, _in, _dtype, _device) : null);
    }

    /// <summary>The output, [rows, out].</summary>
    public Tensor Forward(EncoderKernels kernels, Operand x, long rows)
    {
        var output = empty(rows, _out, _dtype, _device);
        if (_lora is not null) kernels.Multiply(Each(x.Read), false, _lora.A, true, Each(x.Inner!), scale: _lora.Scaling);
        kernels.Multiply(Each(x.Whole), false, _wide ?? _frozen, true, Each(output), _bias);
        return output;
    }

    /// <summary>Writes the adapters' gradients; returns those of the input.</summary>
    /// <param name="kernels">The kernels.</param>
    /// <param name="gradient">Of the output, [rows, out].</param>
    /// <param name="x">The input.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="needsInput">Whether anything before this linear is trained; if not, nothing is returned.</param>
    /// <returns>Through W, [rows, in], strided; and through the adapter, before its dropout, [rows, in], null without an adapter.</returns>
    public (Tensor Main, Tensor? Dropped) Backward(EncoderKernels kernels, Tensor gradient, Operand x, long rows, bool needsInput)
    {
        if (_lora is null)
        {
            var main = empty(rows, _in, _dtype, _device);
            kernels.Multiply(Each(gradient), false, _frozen, false, Each(main));
            return (main, null);
        }

        var (width, wide) = needsInput ? (_in + _lora.Rank, _wide!) : (_lora.Rank, _wide!.narrow(-1, _in, _lora.Rank));
        var whole = empty(rows, width, _dtype, _device);
        kernels.Multiply(Each(gradient), false, wide, false, Each(whole));
        var inner = needsInput ? whole.narrow(1, _in, _lora.Rank) : whole;
        kernels.Multiply(Each(gradient), true, Each(x.Inner!), false, _lora.GradientB);
        kernels.Multiply(Each(inner), true, Each(x.Read), false, _lora.GradientA, scale: _lora.Scaling);
        if (!needsInput) return (inner, null);
        var dropped = empty(rows, _in, _dtype, _device);
        kernels.Multiply(Each(inner), false, _lora.A, false, Each(dropped), scale: _lora.Scaling);
        return (whole.narrow(1, 0, _in), dropped);
    }

    /// <inheritdoc/>
    public void Dispose() => _wide?.Dispose();

    // [rows, ·] as [parts, rows of each, ·].
    private Tensor Each(Tensor rows) => TokenBatch.Each(rows, _parts);
}

/// <summary>A linear's part of the adapters' tensors; not owned. Of several adapters everything has a first dimension more.</summary>
/// <param name="A">[rank, in].</param>
/// <param name="GradientA">Where its gradient goes.</param>
/// <param name="B">[out, rank].</param>
/// <param name="GradientB">Where its gradient goes.</param>
/// <param name="Scaling">What the product of A and B is scaled by.</param>
internal sealed record LoraPart(Tensor A, Tensor GradientA, Tensor B, Tensor GradientB, float Scaling) : IDisposable
{
    /// <summary>The rank as it is stored.</summary>
    public long Rank => A.shape[^2];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { A, GradientA, B, GradientB }) tensor.Dispose();
    }
}

/// <summary>An input of a linear.</summary>
/// <param name="Whole">[rows, in + rank].</param>
/// <param name="Main">The input itself, [rows, in]: the first columns of the whole.</param>
/// <param name="Inner">The adapter's inner product, [rows, rank]: the last columns; null without an adapter.</param>
/// <param name="Dropped">The input as the adapter reads it, where it has a dropout.</param>
internal sealed record Operand(Tensor Whole, Tensor Main, Tensor? Inner, Tensor? Dropped)
{
    /// <summary>What the adapter reads.</summary>
    public Tensor Read => Dropped ?? Main;

    /// <summary>Every tensor of it.</summary>
    public IEnumerable<Tensor?> Tensors => [Whole, Main, Inner, Dropped];
}
