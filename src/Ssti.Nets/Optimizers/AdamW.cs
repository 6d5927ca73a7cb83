using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter 2019) as torch.optim.AdamW computes it, over a bank's few masters.</summary>
public sealed class AdamW : IOptimizer
{
    private readonly ParameterBank _bank;
    private readonly AdamWOptions _options;
    private readonly Dictionary<string, Tensor> _state = [];
    private int _steps;

    /// <summary>An optimiser of a bank, with moments of zero.</summary>
    public AdamW(ParameterBank bank, AdamWOptions? options = null)
    {
        (_bank, _options) = (bank, options ?? new());
        for (var i = 0; i < bank.Masters.Count; i++)
        {
            _state[$"mean.{i}"] = zeros(bank.Masters[i].shape, device: bank.Masters[i].device).DetachFromDisposeScope();
            _state[$"square.{i}"] = zeros(bank.Masters[i].shape, device: bank.Masters[i].device).DetachFromDisposeScope();
        }
    }

    /// <inheritdoc/>
    public void Step(IReadOnlyList<Tensor> gradients, double learningRate)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _steps++;
        using var rate = (-learningRate / (1 - Math.Pow(_options.Beta1, _steps))).ToScalar();
        using var squareCorrection = Math.Sqrt(1 - Math.Pow(_options.Beta2, _steps)).ToScalar();
        using var decay = (1 - (_options.WeightDecay * learningRate)).ToScalar();
        for (var i = 0; i < gradients.Count; i++)
        {
            var (master, gradient) = (_bank.Masters[i], gradients[i]);
            if (_options.WeightDecay != 0 && (!_options.DecayMatricesOnly || master.dim() > 2)) master.mul_(decay);
            var mean = _state[$"mean.{i}"].mul_(Scalars.Kept(_options.Beta1)).add_(gradient, Scalars.Kept(1 - _options.Beta1));
            var square = _state[$"square.{i}"].mul_(Scalars.Kept(_options.Beta2)).addcmul_(gradient, gradient, Scalars.Kept(1 - _options.Beta2));
            var deviation = square.sqrt().div_(squareCorrection).add_(Scalars.Kept(_options.Epsilon), Scalars.One);
            master.addcdiv_(mean, deviation, rate);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> State() => _state;

    /// <inheritdoc/>
    public void Load(IReadOnlyDictionary<string, Tensor> state, int steps)
    {
        StateTensors.Restore(_state, state);
        _steps = steps;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _state.Values) tensor.Dispose();
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
