using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>
/// The parts of an encoder between its matrix products, forward and backward, each as one operation. What is written goes into tensors of the caller's,
/// so that a result may land in some columns of a wider one.
/// </summary>
/// <remarks>
/// n counts positions, rows times length. Tensors of which it is said are strided; all others are contiguous. An output may be the tensor of an
/// input where it is said. For the GPU: <see cref="CudaKernels"/>; the tests have a plain one, as the reference.
/// </remarks>
internal abstract class EncoderKernels
{
    /// <summary>The norm of the sum of word, type and position embeddings, dropped out.</summary>
    /// <param name="ids">Token ids, [rows, length], int32.</param>
    /// <param name="tables">The embeddings.</param>
    /// <param name="output">[n, hidden], strided.</param>
    /// <param name="drop">The dropout of the result.</param>
    public abstract void Embed(Tensor ids, EmbeddingTables tables, Tensor output, Drop drop);

    /// <summary>The norm of dropout(input) + residual.</summary>
    /// <param name="input">[n, hidden].</param>
    /// <param name="residual">[n, hidden], strided.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="sum">What is normalised, for the backward pass, [n, hidden]; may be the input; null for nowhere.</param>
    /// <param name="output">[n, hidden], strided.</param>
    /// <param name="dropped">The output as an adapter reads it, dropped out once more, [n, hidden]; null for nowhere.</param>
    /// <param name="drop">The dropout of the input.</param>
    /// <param name="next">The adapter's dropout.</param>
    public abstract void NormForward(Tensor input, Tensor residual, NormTensors norm, Tensor? sum, Tensor output, Tensor? dropped, Drop drop, Drop next);

    /// <summary>The gradients of <see cref="NormForward"/>'s sum and input from what comes back to its output.</summary>
    /// <param name="main">Through the next linears, [n, hidden], strided.</param>
    /// <param name="dropped">Through an adapter's dropout, before it, [n, hidden]; null for none.</param>
    /// <param name="residual">Through the next sum, [n, hidden]; null for none.</param>
    /// <param name="ragged">Through keys and values of real tokens, [tokens, hidden]; null for none.</param>
    /// <param name="batch">Where the rows' real tokens stand.</param>
    /// <param name="sum">What was normalised.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="result">The sum's gradient, [n, hidden]; may be the residual's.</param>
    /// <param name="input">The input's, [n, hidden]; null where it had no dropout and is the sum's.</param>
    /// <param name="drop">The dropout of the input.</param>
    /// <param name="next">The adapter's dropout.</param>
    public abstract void NormBackward(
        Tensor main, Tensor? dropped, Tensor? residual, Tensor? ragged, TokenBatch batch, Tensor sum, NormTensors norm, Tensor result, Tensor? input, Drop drop, Drop next);

    /// <summary>A GELU, or a copy, and what an adapter reads of it.</summary>
    /// <param name="input">[n, width].</param>
    /// <param name="gelu">Whether it is a GELU.</param>
    /// <param name="output">[n, width], strided.</param>
    /// <param name="dropped">The output dropped out, [n, width]; null for nowhere.</param>
    /// <param name="next">The adapter's dropout.</param>
    public abstract void ActivationForward(Tensor input, bool gelu, Tensor output, Tensor? dropped, Drop next);

    /// <summary>The gradient of <see cref="ActivationForward"/>'s input.</summary>
    /// <param name="main">Through the next linear, [n, width], strided.</param>
    /// <param name="dropped">Through the adapter's dropout, before it, [n, width]; null for none.</param>
    /// <param name="input">The GELU's input; null where there was none.</param>
    /// <param name="result">[n, width]; may be the input.</param>
    /// <param name="next">The adapter's dropout.</param>
    public abstract void ActivationBackward(Tensor main, Tensor? dropped, Tensor? input, Tensor result, Drop next);

    /// <summary>
    /// A product of matrices, scale·A·B and a bias a column; all may be strided. With an output of three dimensions there is one for each place of the first:
    /// an operand of two is the same in all of them, and each is to be what it is alone, to the bit.
    /// </summary>
    /// <param name="a">A, [rows, inner], or with <paramref name="transposeA"/> [inner, rows].</param>
    /// <param name="transposeA">Whether A is given transposed.</param>
    /// <param name="b">B, [inner, columns], or with <paramref name="transposeB"/> [columns, inner].</param>
    /// <param name="transposeB">Whether B is given transposed.</param>
    /// <param name="output">[rows, columns].</param>
    /// <param name="bias">[columns]; null for none.</param>
    /// <param name="scale">What the product is multiplied with.</param>
    /// <param name="accumulate">Whether it is added to the output instead of replacing it.</param>
    public abstract void Multiply(
        Tensor a, bool transposeA, Tensor b, bool transposeB, Tensor output, Tensor? bias = null, double scale = 1, bool accumulate = false);

    /// <summary>The real tokens of a batch, one after the other.</summary>
    /// <param name="input">[n, hidden], strided.</param>
    /// <param name="batch">Where they stand.</param>
    /// <param name="output">[tokens, hidden].</param>
    public abstract void Gather(Tensor input, TokenBatch batch, Tensor output);

    /// <summary>Attention of every position to the real tokens of its row.</summary>
    /// <param name="query">[n, heads, width].</param>
    /// <param name="key">[tokens, heads, width], strided.</param>
    /// <param name="value">[tokens, heads, width], strided.</param>
    /// <param name="batch">Which tokens are whose.</param>
    /// <param name="drop">The dropout of the weights.</param>
    public abstract Attended Attend(Tensor query, Tensor key, Tensor value, TokenBatch batch, AttentionDrop drop);

    /// <summary>The gradients of query, key and value, in their shapes.</summary>
    /// <param name="gradient">Of the context, [n, heads, width].</param>
    /// <param name="query">As in <see cref="Attend"/>, as are those after it.</param>
    /// <param name="key">See the query.</param>
    /// <param name="value">See the query.</param>
    /// <param name="attended">What <see cref="Attend"/> gave.</param>
    /// <param name="batch">Which tokens are whose.</param>
    /// <param name="drop">The same dropout.</param>
    public abstract (Tensor Query, Tensor Key, Tensor Value) AttendBackward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, Attended attended, TokenBatch batch, AttentionDrop drop);
}

/// <summary>A norm's weight and bias, [hidden] each, and its epsilon.</summary>
internal sealed record NormTensors(Tensor Weight, Tensor Bias, double Epsilon);

/// <summary>The embedding tables, [·, hidden] each, and their norm.</summary>
internal sealed record EmbeddingTables(Tensor Words, Tensor Types, Tensor Positions, NormTensors Norm);

/// <summary>What attention gives: the context, [n, heads, width], and what its backward pass wants besides.</summary>
internal sealed record Attended(Tensor Context, IReadOnlyList<Tensor> Kept);

/// <summary>A dropout of attention's weights: its probability, 0 for none, and what the generator that draws it is seeded with.</summary>
internal readonly record struct AttentionDrop(double Probability, ulong Seed);
