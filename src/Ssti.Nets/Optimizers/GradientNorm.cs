using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Optimizers;

/// <summary>The norm of all gradients together.</summary>
public static class GradientNorm
{
    /// <summary>
    /// Scales gradients down, in place, so that their joint 2-norm is at most a bound (torch.nn.utils.clip_grad_norm_), and returns the norm
    /// before that: a scalar on their device, so that nothing waits for it.
    /// </summary>
    public static Tensor Clip(IReadOnlyList<Tensor> gradients, double bound)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var norm = stack([.. gradients.Select(gradient => gradient.square().sum())]).sum().sqrt_();
        var factor = (bound / (norm + 1e-6)).clamp_(max: 1);
        foreach (var gradient in gradients) gradient.mul_(factor);
        return norm.MoveToOuterDisposeScope();
    }
}
