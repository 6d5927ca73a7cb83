using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>Padded rows of token ids, and where each row's real tokens stand when all rows' are written one after the other.</summary>
/// <param name="Ids">Token ids, [rows, length], int32; every row has its tokens first, then padding.</param>
/// <param name="Starts">The first token of each row, and the count of all of them, [rows + 1], int32.</param>
/// <param name="Padded">The same of padded rows: 0, length, 2·length and so on, [rows + 1], int32.</param>
/// <param name="Tokens">The count of real tokens, as known to the processor, which never has to ask the device.</param>
/// <param name="Longest">Tokens of the longest row.</param>
public sealed record TokenBatch(Tensor Ids, Tensor Starts, Tensor Padded, int Tokens, int Longest)
{
    /// <summary>Rows.</summary>
    public long Rows => Ids.shape[0];

    /// <summary>Tokens of a padded row.</summary>
    public long Length => Ids.shape[1];

    /// <summary>1 for a token and 0 for padding, [rows, length], int64; of the caller's dispose scope.</summary>
    public Tensor Mask() =>
        ones(Length, ScalarType.Int32, Ids.device).cumsum(0).unsqueeze(0).le(Starts.diff().unsqueeze(1)).to(ScalarType.Int64);

    /// <summary>The batches that it was put together of, in their order; itself where it was not.</summary>
    internal IReadOnlyList<TokenBatch> Parts { get => field ?? [this]; private init; }

    /// <summary>Several batches of equal rows and lengths as one, in the caller's dispose scope.</summary>
    public static TokenBatch Join(IReadOnlyList<TokenBatch> parts)
    {
        if (parts.Count == 1) return parts[0];
        return new TokenBatch(
            cat([.. parts.Select(part => part.Ids)], 0), Joined(parts, part => part.Starts), Joined(parts, part => part.Padded), parts.Sum(part => part.Tokens),
            parts.Max(part => part.Longest)) { Parts = parts };
    }

    // Places of each, counted on from those before. On the device: nothing waits for it.
    private static Tensor Joined(IReadOnlyList<TokenBatch> parts, Func<TokenBatch, Tensor> of) =>
        cat([of(parts[0]).narrow(0, 0, 1), .. parts.Select(part => of(part).diff())], 0).cumsum(0).to(ScalarType.Int32);

    /// <summary>[rows, ·], strided, as [parts, rows of a part, ·]; as it is for one.</summary>
    internal static Tensor Each(Tensor rows, int parts) => parts == 1 ? rows : rows.view(parts, rows.shape[0] / parts, rows.shape[1]);
}
