using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it, over a bank's few masters.</summary>
public sealed class AdamW : Optimizer
{
    private readonly AdamWOptions _options;

    /// <summary>An optimiser of a bank, with moments of zero.</summary>
    public AdamW(ParameterBank bank, AdamWOptions? options = null)
        : base(bank)
    {
        _options = options ?? new();
        for (var i = 0; i < bank.Masters.Count; i++)
        {
            Keep($"mean.{i}", bank.Masters[i].shape, bank.Masters[i].device);
            Keep($"square.{i}", bank.Masters[i].shape, bank.Masters[i].device);
        }
    }

    /// <inheritdoc/>
    private protected override void Move(IReadOnlyList<Tensor> gradients, double learningRate)
    {
        using var rate = (-learningRate / (1 - Math.Pow(_options.Beta1, Steps))).ToScalar();
        using var squareCorrection = Math.Sqrt(1 - Math.Pow(_options.Beta2, Steps)).ToScalar();
        using var decay = (1 - (_options.WeightDecay * learningRate)).ToScalar();
        for (var i = 0; i < gradients.Count; i++)
        {
            var (master, gradient) = (Bank.Masters[i], gradients[i]);
            if (_options.WeightDecay != 0 && (!_options.DecayMatricesOnly || master.dim() > 2)) master.mul_(decay);
            var mean = Kept($"mean.{i}").mul_(Scalars.Kept(_options.Beta1)).add_(gradient, Scalars.Kept(1 - _options.Beta1));
            var square = Kept($"square.{i}").mul_(Scalars.Kept(_options.Beta2)).addcmul_(gradient, gradient, Scalars.Kept(1 - _options.Beta2));
            var deviation = square.sqrt().div_(squareCorrection).add_(Scalars.Kept(_options.Epsilon), Scalars.One);
            master.addcdiv_(mean, deviation, rate);
        }
    }
}

/// <summary>Settings of <see cref="AdamW"/>; the defaults are torch's.</summary>
public sealed record AdamWOptions
{
    /// <summary>Decay of the mean.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the squares.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay, times the learning rate.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Whether biases and norm weights are left out of the decay.</summary>
    public bool DecayMatricesOnly { get; init; }
}
