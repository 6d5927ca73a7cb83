using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Rotary positions (Su et al. 2021), in Hugging Face's layout: the first half of a head's columns turns with the second.</summary>
/// <param name="frequencies">Radians a position, of each pair of columns.</param>
/// <param name="dtype">The precision in which queries and keys are turned; angles are fp32 whatever it is.</param>
internal sealed class RotaryPositions(float[] frequencies, ScalarType dtype)
{
    /// <summary>Cosines and sines of the first positions, each [length, width]; of the caller's dispose scope.</summary>
    public (Tensor Cosines, Tensor Sines) Of(long length, Device device)
    {
        var half = arange(Scalars.Kept(length), ScalarType.Float32, device).unsqueeze(1).mul(tensor(frequencies, device: device).unsqueeze(0));
        var angles = cat([half, half], -1);
        return (angles.cos().to(dtype), angles.sin().to(dtype));
    }

    /// <summary>Turns queries or keys [rows, heads, length, width] by their positions.</summary>
    public Tensor Turn(Tensor heads, (Tensor Cosines, Tensor Sines) angles)
    {
        var wide = heads.to(dtype);
        var half = heads.shape[3] / 2;
        var turned = cat([wide.narrow(-1, half, half).neg(), wide.narrow(-1, 0, half)], -1);
        return wide.mul(angles.Cosines).add(turned.mul(angles.Sines), Scalars.One).to(heads.dtype);
    }
}
