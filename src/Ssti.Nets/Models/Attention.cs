using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>Scaled dot-product attention as every family has it.</summary>
internal static class Attention
{
    /// <summary>What the positions take from each other, [rows, heads, length, width].</summary>
    /// <param name="layer">The layer, for whoever wants to see its weights.</param>
    /// <param name="query">[rows, heads, length, width].</param>
    /// <param name="key">Of the same shape.</param>
    /// <param name="value">Of the same shape.</param>
    /// <param name="padding">What may be attended to.</param>
    /// <param name="dropout">Dropout of the weights, when the pass has dropouts.</param>
    /// <param name="pass">The pass.</param>
    public static Tensor Of(int layer, Tensor query, Tensor key, Tensor value, Padding padding, double dropout, ForwardPass pass)
    {
        if (pass.Dropout is null) dropout = 0;
        // The fused kernel draws its dropout from the device's generator, which a run on the CPU must not touch.
        if (pass.OnAttention is null && (dropout == 0 || pass.Dropout!.OwnsDevice))
        {
            var scores = padding.AsScores.expand(query.shape[0], query.shape[1], query.shape[2], query.shape[2]);
            return functional.scaled_dot_product_attention(query, key, value, scores, dropout);
        }

        var weights = functional.softmax(matmul(query.mul(Scalars.Kept(1 / Math.Sqrt(query.shape[3]))), key.transpose(-2, -1)).add(padding.AsScores, Scalars.One), -1);
        pass.OnAttention?.Invoke(layer, weights);
        if (dropout > 0) weights = pass.Dropout!.Dropout(weights, dropout);
        return matmul(weights, value);
    }

    /// <summary>[rows·length, heads·width] as [rows, heads, length, width].</summary>
    public static Tensor Split(Tensor projected, long rows, long length, int heads) => projected.view(rows, length, heads, -1).transpose(1, 2);

    /// <summary>[rows, heads, length, width] as [rows·length, heads·width].</summary>
    public static Tensor Join(Tensor context) => context.transpose(1, 2).reshape(context.shape[0] * context.shape[2], context.shape[1] * context.shape[3]);

    /// <summary>Keys or values that several queries' heads share, once for each of them (repeat_interleave): [rows, heads, …] of [rows, heads / times, …].</summary>
    public static Tensor Repeated(Tensor shared, int times)
    {
        if (times == 1) return shared;
        var (rows, heads, length, width) = (shared.shape[0], shared.shape[1], shared.shape[2], shared.shape[3]);
        return shared.unsqueeze(2).expand(rows, heads, times, length, width).reshape(rows, heads * times, length, width);
    }
}
