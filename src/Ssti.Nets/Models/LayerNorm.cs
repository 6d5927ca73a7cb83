using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>Layer norm over the last dimension (Ba et al. 2016).</summary>
internal sealed record LayerNorm(Tensor Weight, Tensor Bias, double Epsilon)
{
    /// <summary>(x − mean) / √(variance + ε) · weight + bias.</summary>
    public Tensor Of(Tensor input) => functional.layer_norm(input, [Weight.shape[0]], Weight, Bias, Epsilon);
}
