using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Lora;

/// <summary>What a pass does to a trunk's linears: one adapter, or several that have rows of the pass each.</summary>
public interface ILinearAdapters
{
    /// <summary>Tensors of the trunk that were trained whole, by name: they stand for its own.</summary>
    IReadOnlyDictionary<string, Tensor> Replaced { get; }

    /// <summary>Whether a linear is adapted.</summary>
    bool Has(string linear);

    /// <summary>An adapted linear's output.</summary>
    /// <param name="linear">The linear's name.</param>
    /// <param name="input">x, [n, in].</param>
    /// <param name="weight">W, [out, in].</param>
    /// <param name="bias">b, [out]; null without one.</param>
    /// <param name="dropout">Randomness in training; null in evaluation.</param>
    Tensor Apply(string linear, Tensor input, Tensor weight, Tensor? bias, IDropouts? dropout);
}

/// <summary>An adapter's matrices during one pass.</summary>
public sealed class LoraStep : ILinearAdapters
{
    private readonly LoraConfig _config;
    private readonly IReadOnlyDictionary<string, Matrices> _matrices;

    internal LoraStep(LoraConfig config, IReadOnlyDictionary<string, Matrices> matrices, IReadOnlyDictionary<string, Tensor> replaced) =>
        (_config, _matrices, Replaced) = (config, matrices, replaced);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Replaced { get; }

    /// <summary>LoRA's dropout.</summary>
    internal double Dropout => _config.Dropout;

    /// <inheritdoc/>
    public bool Has(string linear) => _matrices.ContainsKey(linear);

    /// <summary>
    /// An adapted linear: x·Wᵀ + b + scaling·(dropout(x)·Aᵀ)·Bᵀ; with DoRA each output is scaled by magnitude / ‖W + scaling·B·A‖ as well,
    /// the norm taken as a constant (peft/tuners/lora/dora.py).
    /// </summary>
    /// <inheritdoc/>
    public Tensor Apply(string linear, Tensor input, Tensor weight, Tensor? bias, IDropouts? dropout)
    {
        var (a, b, magnitude, scaling) = _matrices[linear];
        var drops = dropout is not null && _config.Dropout > 0;
        var dropped = drops ? dropout!.Dropout(input, _config.Dropout) : input;
        var inner = functional.linear(dropped, a);
        // In place: nothing else holds the frozen product, and a copy of it is as wide as the widest activation.
        if (magnitude is null) return functional.linear(input, weight, bias).addmm_(inner, b.t(), 1, (float)scaling);

        var scale = magnitude / DirectionNorm(weight, a, b, scaling);
        var plain = functional.linear(input, weight);
        // PEFT scales the frozen part of what the adapter sees, which is the dropped input where there is dropout.
        var seen = drops ? functional.linear(dropped, weight) : plain;
        return (bias is null ? plain : plain.add(bias, Scalars.One))
            .add(scale.sub(Scalars.One) * seen, Scalars.One)
            .add(scale.mul(Scalars.Kept(scaling)) * functional.linear(inner, b), Scalars.One);
    }

    /// <summary>The frozen product plus what the adapter adds to it, where there is no magnitude: what <see cref="Apply"/> does, with the product made elsewhere.</summary>
    /// <param name="linear">The linear's name.</param>
    /// <param name="frozen">x·Wᵀ + b, [n, out]; left as it is.</param>
    /// <param name="dropped">x after dropout, [n, in].</param>
    internal Tensor Added(string linear, Tensor frozen, Tensor dropped)
    {
        var (a, b, _, scaling) = _matrices[linear];
        return frozen.addmm(functional.linear(dropped, a), b.t(), 1, (float)scaling);
    }

    private static Tensor DirectionNorm(Tensor weight, Tensor a, Tensor b, double scaling)
    {
        using var _ = no_grad();
        return LoraAdapter.RowNorm(weight.add(matmul(b, a).mul(Scalars.Kept(scaling)), Scalars.One).to(ScalarType.Float32)).to(weight.dtype);
    }

    internal sealed record Matrices(Tensor A, Tensor B, Tensor? Magnitude, double Scaling);
}
