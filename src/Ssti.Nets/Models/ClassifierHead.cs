using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>
/// The published protocol's head: one linear from [mean over ALL positions, padding included; hidden state of the LAST position] to the classes.
/// </summary>
/// <remarks>In the paper it stays frozen at its random initialisation; <see cref="Parameters"/> lets it be trained as an option.</remarks>
public sealed class ClassifierHead : IDisposable
{
    private const string WeightName = "head.weight";
    private const string BiasName = "head.bias";

    /// <summary>A head of given tensors: weight [classes, 2·hidden] and bias [classes].</summary>
    public ClassifierHead(Tensor weight, Tensor bias, Device device) =>
        Parameters = new ParameterBank(new Dictionary<string, Tensor> { [WeightName] = weight, [BiasName] = bias }, device);

    /// <summary>The weight and the bias, fp32.</summary>
    public ParameterBank Parameters { get; }

    /// <summary>A head as nn.Linear initialises it: weight and bias uniform within ±1/√(2·hidden).</summary>
    public static ClassifierHead Create(int hidden, int classes, RandomStream random, Device device)
    {
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(2 * hidden);
        return new ClassifierHead(random.Uniform(-bound, bound, classes, 2 * hidden), random.Uniform(-bound, bound, classes), device);
    }

    /// <summary>A head of saved tensors, named as <see cref="ParameterBank.Copy"/> of its parameters names them.</summary>
    /// <exception cref="ModelException">One is missing.</exception>
    public static ClassifierHead Load(IReadOnlyDictionary<string, Tensor> tensors, Device device) =>
        tensors.TryGetValue(WeightName, out var weight) && tensors.TryGetValue(BiasName, out var bias)
            ? new ClassifierHead(weight, bias, device)
            : throw new ModelException($"the head needs '{WeightName}' and '{BiasName}'; there are: {string.Join(", ", tensors.Keys)}");

    /// <summary>Logits [rows, classes], fp32, of hidden states [rows, length, hidden].</summary>
    public Tensor Forward(Tensor hidden)
    {
        var parameters = Parameters.Views(ScalarType.Float32);
        var mean = hidden.mean([1], false, ScalarType.Float32);
        var last = hidden.select(1, hidden.shape[1] - 1).to(ScalarType.Float32);
        return functional.linear(cat([mean, last], -1), parameters[WeightName], parameters[BiasName]);
    }

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();
}
