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
}
