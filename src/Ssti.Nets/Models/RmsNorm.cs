using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Root mean square norm (Zhang and Sennrich 2019), as LlamaRMSNorm computes it: the mean in fp32 whatever the precision.</summary>
internal sealed record RmsNorm(Tensor Weight, double Epsilon)
{
    /// <summary>weight · x / √(mean(x²) + ε), over the last dimension.</summary>
    public Tensor Of(Tensor input)
    {
        var wide = input.dtype == ScalarType.Float64 ? input : input.to(ScalarType.Float32);
        var scaled = wide.mul(wide.mul(wide).mean([-1], true).add(Scalars.Kept(Epsilon)).rsqrt());
        return Weight.mul(scaled.to(input.dtype));
    }
}
