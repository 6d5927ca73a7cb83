using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>Which positions may be attended to, in the forms attention wants it: no padding, and in a causal model nothing that comes later. Made once a pass.</summary>
/// <param name="mask">1 for a token and 0 for padding, [rows, length].</param>
/// <param name="dtype">The precision of the scores.</param>
/// <param name="causal">Whether a position sees only itself and those before it.</param>
internal sealed class Padding(Tensor mask, ScalarType dtype, bool causal = false)
{
    // Low enough that no score outweighs it, and far from the end of bf16's range.
    private const double VeryLow = -30000;

    private Tensor? _scores;
    private Tensor? _column;

    /// <summary>
    /// Added to the scores: 0 for what may be attended to, else the lowest finite value (as transformers does, so that a row of padding alone gives no
    /// NaN), [rows, 1, 1, length], in a causal model [rows, 1, length, length].
    /// </summary>
    public Tensor AsScores => _scores ??= Hidden().to(dtype)
        .mul_(Scalars.Kept(dtype == ScalarType.BFloat16 ? -3.3895313892515355e38 : -3.4028234663852886e38));

    /// <summary>Added to the keys of every head: zeros but for one column, [rows, 1, length, width].</summary>
    public Tensor AsKeyColumn(int width, int column)
    {
        if (_column is not null) return _column;
        _column = zeros(mask.shape[0], 1, mask.shape[1], width, dtype, mask.device);
        using var _ = no_grad();
        _column.select(-1, column).copy_(mask.logical_not().to(dtype).mul_(Scalars.Kept(VeryLow)).unsqueeze(1));
        return _column;
    }

    private Tensor Hidden()
    {
        var length = mask.shape[1];
        var padding = mask.logical_not().view(mask.shape[0], 1, 1, length);
        return causal ? padding.logical_or(ones(length, length, ScalarType.Bool, mask.device).triu(1)) : padding;
    }
}
