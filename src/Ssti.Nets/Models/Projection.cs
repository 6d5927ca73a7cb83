using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>A linear of a trunk.</summary>
/// <param name="Name">Its module's name.</param>
/// <param name="Weight">[out, in].</param>
/// <param name="Bias">[out]; null without one.</param>
internal sealed record Projection(string Name, Tensor Weight, Tensor? Bias)
{
    /// <summary>Its product with an input [n, in], with the pass's adapter where it has one.</summary>
    public Tensor Of(Tensor input, ForwardPass pass) =>
        pass.Adapters is { } adapters && adapters.Has(Name) ? adapters.Apply(Name, input, Weight, Bias, pass.Dropout) : functional.linear(input, Weight, Bias);
}
