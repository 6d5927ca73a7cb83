using Ssti.Nets.Fused;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Tests.Fused;

/// <summary>What the kernels compute, in plain operations on the CPU: the reference.</summary>
internal sealed class PlainKernels : EncoderKernels
{
    public override void Embed(Tensor ids, EmbeddingTables tables, Tensor output, Drop drop)
    {
        var flat = tables.Words.index_select(0, ids.reshape(-1).to(ScalarType.Int64));
        var sum = Sum(Sum(flat, tables.Types[0]), tables.Positions.narrow(0, 0, ids.shape[1]).repeat(ids.shape[0], 1));
        output.copy_(Norm(sum, tables.Norm) * Mask(drop, output));
    }

    public override void NormForward(Tensor input, Tensor residual, NormTensors norm, Tensor? sum, Tensor output, Tensor? dropped, Drop drop, Drop next)
    {
        var total = Sum(input * Mask(drop, input), residual);
        sum?.copy_(total);
        output.copy_(Norm(total, norm));
        dropped?.copy_(output * Mask(next, output));
    }

    public override void NormBackward(
        Tensor main, Tensor? dropped, Tensor? residual, Tensor? ragged, TokenBatch batch, Tensor sum, NormTensors norm, Tensor result, Tensor? input, Drop drop, Drop next)
    {
        var gradient = main.clone();
        if (dropped is not null) gradient = Sum(gradient, dropped * Mask(next, dropped));
        if (residual is not null) gradient = Sum(gradient, residual);
        if (ragged is not null) gradient.index_add_(0, Real(batch), ragged, Scalars.One);
        var total = WithGradient(sum, leaf => autograd.grad([Norm(leaf, norm)], [leaf], [gradient])[0]);
        result.copy_(total);
        input?.copy_(total * Mask(drop, total));
    }

    public override void ActivationForward(Tensor input, bool gelu, Tensor output, Tensor? dropped, Drop next)
    {
        output.copy_(gelu ? functional.gelu(input) : input);
        dropped?.copy_(output * Mask(next, output));
    }

    public override void ActivationBackward(Tensor main, Tensor? dropped, Tensor? input, Tensor result, Drop next)
    {
        var gradient = dropped is null ? main.clone() : Sum(main, dropped * Mask(next, dropped));
        result.copy_(input is null ? gradient : WithGradient(input, leaf => autograd.grad([functional.gelu(leaf)], [leaf], [gradient])[0]));
    }

    public override void Multiply(Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor output, Tensor? bias, double scale, bool accumulate)
    {
        if (output.dim() == 3)
        {
            // One by one: products made at once would be other bits.
            for (var i = 0L; i < output.shape[0]; i++) Multiply(Of(a, i), transposeA, Of(b, i), transposeB, output[i], bias, scale, accumulate);
            return;
        }

        var product = matmul(transposeA ? a.t() : a, transposeB ? b.t() : b).mul(Scalars.Kept(scale));
        if (bias is not null) product = Sum(product, bias);
        output.copy_(accumulate ? Sum(output, product) : product);
    }

    public override void Gather(Tensor input, TokenBatch batch, Tensor output) => output.copy_(input.index_select(0, Real(batch)));

    public override Attended Attend(Tensor query, Tensor key, Tensor value, TokenBatch batch, AttentionDrop drop)
    {
        Assert.Equal(0, drop.Probability);
        return new Attended(Attention(query, key, value, batch), []);
    }

    public override (Tensor Query, Tensor Key, Tensor Value) AttendBackward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, Attended attended, TokenBatch batch, AttentionDrop drop)
    {
        using var _ = enable_grad();
        Tensor[] leaves = [.. new[] { query, key, value }.Select(tensor => tensor.detach().clone().requires_grad_(true))];
        var results = autograd.grad([Attention(leaves[0], leaves[1], leaves[2], batch)], leaves, [gradient]);
        return (results[0], results[1], results[2]);
    }

    /// <summary>A dropout's factors, in the shape of a tensor.</summary>
    public static Tensor Mask(Drop drop, Tensor like)
    {
        if (!drop.Drops) return ones_like(like);
        var factors = new double[like.numel()];
        Span<ushort> draws = stackalloc ushort[8];
        var width = (int)like.shape[^1] / 8;
        for (var at = 0; at < factors.Length; at += 8)
        {
            drop.Draw((uint)(at / 8 / width), (uint)(at / 8 % width), (uint)width, draws);
            for (var i = 0; i < 8; i++) factors[at + i] = draws[i] < drop.Threshold ? 0 : drop.Scale;
        }

        return tensor(factors, like.shape).to(like.dtype);
    }

    /// <summary>A batch of rows of these lengths, padded.</summary>
    public static TokenBatch Batch(int[] lengths, int length, int vocabulary)
    {
        int[] starts = [0, .. lengths];
        for (var i = 1; i < starts.Length; i++) starts[i] += starts[i - 1];
        var ids = Enumerable.Range(0, lengths.Length * length).Select(i => i % length < lengths[i / length] ? 1 + (i * 7 % (vocabulary - 1)) : 0).ToArray();
        return new TokenBatch(
            tensor(ids, lengths.Length, length), tensor(starts), tensor(Enumerable.Range(0, starts.Length).Select(i => i * length).ToArray()), starts[^1], lengths.Max());
    }

    // Not by '+', whose factor 1 the garbage collector may take away meanwhile.
    private static Tensor Sum(Tensor one, Tensor other) => one.add(other, Scalars.One);

    private static Tensor Of(Tensor operand, long number) => operand.dim() == 3 ? operand[number] : operand;

    private static Tensor Norm(Tensor input, NormTensors norm) => functional.layer_norm(input, [input.shape[^1]], norm.Weight, norm.Bias, norm.Epsilon);

    private static Tensor WithGradient(Tensor input, Func<Tensor, Tensor> compute)
    {
        using var _ = enable_grad();
        return compute(input.detach().clone().requires_grad_(true));
    }

    private static Tensor Real(TokenBatch batch)
    {
        var starts = batch.Starts.data<int>().ToArray();
        return tensor(Enumerable.Range(0, starts.Length - 1)
            .SelectMany(row => Enumerable.Range(0, starts[row + 1] - starts[row]).Select(at => (row * batch.Length) + at)).ToArray());
    }

    // [positions or tokens, heads, width]; row by row.
    private static Tensor Attention(Tensor query, Tensor key, Tensor value, TokenBatch batch)
    {
        var starts = batch.Starts.data<int>().ToArray();
        return cat([.. Enumerable.Range(0, starts.Length - 1).Select(row =>
        {
            var own = query.narrow(0, row * batch.Length, batch.Length).transpose(0, 1);
            Tensor Of(Tensor tensor) => tensor.narrow(0, starts[row], starts[row + 1] - starts[row]).transpose(0, 1);
            var weights = functional.softmax(matmul(own, Of(key).transpose(1, 2)).div(Scalars.Kept(Math.Sqrt(query.shape[2]))), -1);
            return matmul(weights, Of(value)).transpose(0, 1);
        })], 0);
    }
}
