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
        var norm = stack([.. gradients.Select(gradient => gradient.mul(gradient).sum())]).sum().sqrt_();
        var factor = norm.add(Scalars.Kept(1e-6), Scalars.One).reciprocal().mul(Scalars.Kept(bound)).clamp_(max: Scalars.One);
        foreach (var gradient in gradients) gradient.mul_(factor);
        return norm.MoveToOuterDisposeScope();
    }
}
