using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Query, key and value as one product.</summary>
/// <param name="Weight">[3·heads·width, hidden].</param>
/// <param name="Bias">[3·heads·width].</param>
internal sealed record FusedProjection(Tensor Weight, Tensor Bias);

/// <summary>
/// Query, key and value as one product, each head wider by a column that carries the padding mask through the dot product: the query's is 1 and the
/// key's is 0 for a token and very low for padding.
/// </summary>
/// <remarks>
/// The flash kernel takes no mask, and the kernel that does takes three times as long where results must repeat to the bit. Eight columns, because
/// its head width must be a multiple of 8. It scales scores by 1/√(its own width), which the query's weights make good. For bf16 alone: fp32 has
/// no flash kernel.
/// </remarks>
/// <param name="Weight">[3·heads·(width + 8), hidden].</param>
/// <param name="Bias">[3·heads·(width + 8)].</param>
/// <param name="HeadWidth">width + 8.</param>
/// <param name="Column">Which column carries the mask.</param>
internal sealed record WidenedProjection(Tensor Weight, Tensor Bias, int HeadWidth, int Column)
{
    private const int Extra = 8;

    public static WidenedProjection Of(FusedProjection fused, int heads)
    {
        var hidden = fused.Weight.shape[1];
        var width = fused.Weight.shape[0] / (3 * heads);
        var weight = zeros(3, heads, width + Extra, hidden, fused.Weight.dtype, fused.Weight.device);
        var bias = zeros(3, heads, width + Extra, fused.Bias.dtype, fused.Bias.device);
        weight.narrow(2, 0, width).copy_(fused.Weight.view(3, heads, width, hidden));
        bias.narrow(2, 0, width).copy_(fused.Bias.view(3, heads, width));
        var scale = Scalars.Kept(Math.Sqrt((double)(width + Extra) / width));
        weight[0].mul_(scale);
        bias[0].mul_(scale);
        bias[0].select(1, width).fill_(Scalars.One);
        return new WidenedProjection(weight.view(-1, hidden), bias.view(-1), (int)width + Extra, (int)width);
    }
}
