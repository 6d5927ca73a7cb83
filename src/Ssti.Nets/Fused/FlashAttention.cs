using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>
/// libtorch's flash attention (Dao 2023) over rows of unequal length, which TorchSharp does not offer: reached through TorchScript. CUDA in half precision
/// alone.
/// </summary>
internal static class FlashAttention
{
    /// <summary>The script; compiled on the CPU as well, where it cannot run.</summary>
    internal const string Source = """
        def forward(query, key, value, query_starts, key_starts, queries: int, keys: int, dropout: float) -> List[Tensor]:
            output, sums, state, unused, mask = torch._flash_attention_forward(query, key, value, query_starts, key_starts, queries, keys, dropout, False, False)
            return [output, sums, state, unused]

        def backward(gradient, query, key, value, query_starts, key_starts, output, sums, state, unused, queries: int, keys: int, dropout: float) -> List[Tensor]:
            to_query, to_key, to_value = torch._flash_attention_backward(
                gradient, query, key, value, output, sums, query_starts, key_starts, queries, keys, dropout, False, state, unused)
            return [to_query, to_key, to_value]

        """;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Source));

    /// <summary>Compiles the script, unless that is done.</summary>
    public static void Compile() => _ = Unit.Value;

    /// <inheritdoc cref="EncoderKernels.Attend"/>
    /// <remarks>Seeded for every call: who draws besides, of other rows or in other runs, changes nothing.</remarks>
    public static Attended Forward(Tensor query, Tensor key, Tensor value, TokenBatch batch, AttentionDrop drop)
    {
        if (drop.Probability == 0) return Run();
        using var held = CudaGenerator.Seed(query.device, drop.Seed);
        return Run();

        Attended Run()
        {
            var results = Unit.Value.invoke<Tensor[]>(
                "forward", query, key, value, batch.Padded, batch.Starts, (int)batch.Length, batch.Longest, Scalars.Kept(drop.Probability));
            return new Attended(results[0], results[1..]);
        }
    }

    /// <inheritdoc cref="EncoderKernels.AttendBackward"/>
    public static (Tensor Query, Tensor Key, Tensor Value) Backward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, Attended attended, TokenBatch batch, AttentionDrop drop)
    {
        var (sums, state, unused) = (attended.Kept[0], attended.Kept[1], attended.Kept[2]);
        var results = Unit.Value.invoke<Tensor[]>(
            "backward", gradient, query, key, value, batch.Padded, batch.Starts, attended.Context, sums, state, unused, (int)batch.Length, batch.Longest,
            Scalars.Kept(drop.Probability));
        return (results[0], results[1], results[2]);
    }
}
