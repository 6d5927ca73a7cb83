using Ssti.Nets;
using Ssti.Nets.Lora;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Defenses.Adapters;

/// <summary>
/// The singular value decomposition of ΔW = scaling · B·A, which is never written out: with B = Q_b·R_b and Aᵀ = Q_a·R_a it is that of the small
/// scaling · R_b·R_aᵀ, rank by rank, between two orthogonal bases. All of it in double precision on the CPU.
/// </summary>
/// <param name="U">Left directions, [out, k], k = min(rank, in, out).</param>
/// <param name="Values">Singular values in falling order, [k].</param>
/// <param name="Vt">Right directions, [k, in].</param>
internal sealed record UpdateSvd(Tensor U, Tensor Values, Tensor Vt)
{
    /// <summary>Decomposes an update; of the caller's dispose scope.</summary>
    public static UpdateSvd Of(LoraUpdate update)
    {
        var (a, b) = Matrices(update);
        var (qb, rb) = linalg.qr(b);
        var (qa, ra) = linalg.qr(a.t());
        var (u, values, vt) = linalg.svd(matmul(rb, ra.t()), false);
        return new(matmul(qb, u), values, matmul(vt, qa.t()));
    }

    /// <summary>The singular values alone, in falling order.</summary>
    public static double[] ValuesOf(LoraUpdate update)
    {
        using var scope = NewDisposeScope();
        var (a, b) = Matrices(update);
        var (_, rb) = linalg.qr(b);
        var (_, ra) = linalg.qr(a.t());
        var (_, values, _) = linalg.svd(matmul(rb, ra.t()), false);
        return values.data<double>().ToArray();
    }

    /// <summary>A and scaling · B in double precision on the CPU.</summary>
    public static (Tensor A, Tensor B) Matrices(LoraUpdate update)
    {
        using var scaling = update.Scaling.ToScalar();
        return (update.A.detach().cpu().to(ScalarType.Float64), update.B.detach().cpu().to(ScalarType.Float64).mul(scaling));
    }
}
