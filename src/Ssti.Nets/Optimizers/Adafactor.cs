using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>
/// Adafactor (Shazeer and Stern 2018) as transformers.Adafactor computes it with relative_step, scale_parameter and warmup_init off and
/// beta1 None: the published protocol's optimiser.
/// </summary>
/// <remarks>Matrices keep a row and a column of second moments; vectors keep them all. Clipping by root mean square is a parameter's own, not a master's.</remarks>
public sealed class Adafactor : Optimizer
{
    private readonly AdafactorOptions _options;

    /// <summary>An optimiser of a bank, with second moments of zero.</summary>
    public Adafactor(ParameterBank bank, AdafactorOptions? options = null)
        : base(bank)
    {
        _options = options ?? new();
        for (var i = 0; i < bank.Masters.Count; i++)
        {
            var master = bank.Masters[i];
            var shape = master.shape;
            if (IsFactored(master))
            {
                Keep($"row.{i}", shape[..^1], master.device);
                Keep($"column.{i}", [.. shape[..^2], shape[^1]], master.device);
            }
            else
            {
                Keep($"square.{i}", shape, master.device);
            }
        }
    }

    /// <inheritdoc/>
    private protected override void Move(IReadOnlyList<Tensor> gradients, double learningRate)
    {
        var kept = 1 - Math.Pow(Steps, _options.DecayRate);
        using var decay = kept.ToScalar();
        using var share = (1 - kept).ToScalar();
        using var rate = learningRate.ToScalar();
        using var weightDecay = (1 - (_options.WeightDecay * learningRate)).ToScalar();
        for (var i = 0; i < gradients.Count; i++)
        {
            var (master, gradient) = (Bank.Masters[i], gradients[i]);
            var square = gradient.mul(gradient).add_(Scalars.Kept(_options.SquareEpsilon), Scalars.One);
            Tensor update;
            if (IsFactored(master))
            {
                var row = Kept($"row.{i}").mul_(decay).add_(square.mean([-1]), share);
                var column = Kept($"column.{i}").mul_(decay).add_(square.mean([-2]), share);
                var rowFactor = row.div(row.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1);
                update = rowFactor.mul(column.unsqueeze(-2).rsqrt()).mul_(gradient);
            }
            else
            {
                update = Kept($"square.{i}").mul_(decay).add_(square, share).rsqrt().mul_(gradient);
            }

            var item = Enumerable.Range(1, (int)master.dim() - 1).Select(dimension => (long)dimension).ToArray();
            var size = update.mul(update).mean(item, keepdim: true).sqrt_();
            update.div_(size.div_(Scalars.Kept(_options.ClipThreshold)).clamp_(min: Scalars.One)).mul_(rate);
            if (_options.WeightDecay != 0) master.mul_(weightDecay);
            master.sub_(update);
        }
    }

    // The first dimension counts parameters: what is left must be a matrix.
    private static bool IsFactored(Tensor master) => master.dim() >= 3;
}

/// <summary>Settings of <see cref="Adafactor"/>; the defaults are the published protocol's.</summary>
public sealed record AdafactorOptions
{
    /// <summary>Added to squared gradients (eps[0]).</summary>
    public double SquareEpsilon { get; init; } = 1e-30;

    /// <summary>Root mean square above which an update is scaled down.</summary>
    public double ClipThreshold { get; init; } = 1.0;

    /// <summary>Exponent of the second moments' decay: 1 − step^rate.</summary>
    public double DecayRate { get; init; } = -0.8;

    /// <summary>Decoupled weight decay, times the learning rate.</summary>
    public double WeightDecay { get; init; } = 1e-5;
}
