using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>A layer's attention in the rows of one batch, alone or among others that go through the layer with it.</summary>
internal sealed class AttentionPart
{
    private readonly long _firstRow, _rows, _firstToken;

    private AttentionPart(TokenBatch batch, AttentionDrop drop, long firstRow, long firstToken, Tensor query, Tensor keyValue)
    {
        (Batch, Drop, _firstRow, _rows, _firstToken) = (batch, drop, firstRow, batch.Rows * batch.Length, firstToken);
        Query = Rows(query);
        var own = Tokens(keyValue);
        (Key, Value) = (own.select(1, 0), own.select(1, 1));
    }

    /// <summary>The rows.</summary>
    public TokenBatch Batch { get; }

    /// <summary>The dropout of its weights.</summary>
    public AttentionDrop Drop { get; }

    /// <summary>[positions, heads, width].</summary>
    public Tensor Query { get; }

    /// <summary>[tokens, heads, width], strided.</summary>
    public Tensor Key { get; }

    /// <summary>[tokens, heads, width], strided.</summary>
    public Tensor Value { get; }

    /// <summary>What came of it.</summary>
    public Attended Attended { get; set; } = null!;

    /// <summary>The parts of a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="query">Of all, [n, heads, width].</param>
    /// <param name="keyValue">Of all, [tokens, 2, heads, width].</param>
    /// <param name="drops">The dropout of each.</param>
    public static AttentionPart[] Of(TokenBatch batch, Tensor query, Tensor keyValue, IReadOnlyList<AttentionDrop> drops)
    {
        var parts = new AttentionPart[batch.Parts.Count];
        var (row, token) = (0L, 0L);
        for (var i = 0; i < parts.Length; i++)
        {
            var own = batch.Parts[i];
            parts[i] = new AttentionPart(own, drops[i], row, token, query, keyValue);
            (row, token) = (row + (own.Rows * own.Length), token + own.Tokens);
        }

        return parts;
    }

    /// <summary>Its rows of a tensor of all positions.</summary>
    public Tensor Rows(Tensor all) => all.shape[0] == _rows ? all : all.narrow(0, _firstRow, _rows);

    /// <summary>Its rows of a tensor of all real tokens.</summary>
    public Tensor Tokens(Tensor all) => all.shape[0] == Batch.Tokens ? all : all.narrow(0, _firstToken, Batch.Tokens);

    /// <summary>Every tensor of it.</summary>
    public IEnumerable<Tensor> Tensors() => [Query, Key, Value, Attended.Context, .. Attended.Kept];
}
