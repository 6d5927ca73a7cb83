using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>One layer of <see cref="FusedEncoder"/>.</summary>
internal sealed class FusedLayer : IDisposable
{
    private const int AttentionOutput = 0, Intermediate = 1, Output = 2;

    private readonly FusedLinear[] _linears;
    private readonly LoraPart?[] _lora;
    private readonly Tensor _query, _queryBias, _key, _value, _keyValue, _keyValueBias;
    private readonly NormTensors _attentionNorm, _outputNorm;
    private readonly int _heads, _parts;
    private readonly ScalarType _dtype;
    private readonly Device _device;

    /// <summary>A layer of a trunk, whose tensors it does not own.</summary>
    /// <param name="trunk">The trunk.</param>
    /// <param name="number">Which layer.</param>
    /// <param name="adapters">The adapters; null for the bare layer.</param>
    /// <param name="parts">How many adapters the rows are of.</param>
    public FusedLayer(BertTrunk trunk, int number, AdapterTensors? adapters, int parts)
    {
        var prefix = $"encoder.layer.{number}";
        (_heads, _dtype, _device, _parts) = (trunk.Config.Heads, trunk.Dtype, trunk.Device, parts);
        string[] names = [$"{prefix}.attention.output.dense", $"{prefix}.intermediate.dense", $"{prefix}.output.dense"];
        _lora = [.. names.Select(name => adapters?.Of(name))];
        _linears = [.. names.Select((name, i) => new FusedLinear(trunk.Named($"{name}.weight"), trunk.Named($"{name}.bias"), _lora[i], parts))];
        Tensor Self(string name) => trunk.Named($"{prefix}.attention.self.{name}");
        (_query, _queryBias, _key, _value) = (Self("query.weight"), Self("query.bias"), Self("key.weight"), Self("value.weight"));
        _keyValue = cat([_key, _value], 0).DetachFromDisposeScope();
        _keyValueBias = cat([Self("key.bias"), Self("value.bias")], 0).DetachFromDisposeScope();
        _attentionNorm = NormOf(trunk, $"{prefix}.attention.output.LayerNorm");
        _outputNorm = NormOf(trunk, $"{prefix}.output.LayerNorm");
    }

    /// <summary>Which of its linears are adapted, in the order they are computed.</summary>
    public IEnumerable<int> Adapted => Enumerable.Range(0, _linears.Length).Where(linear => _linears[linear].IsAdapted);

    public static NormTensors NormOf(BertTrunk trunk, string name) => new(trunk.Named($"{name}.weight"), trunk.Named($"{name}.bias"), trunk.Config.LayerNormEps);

    /// <summary>Takes the adapters over as they are now.</summary>
    public void Refresh()
    {
        foreach (var linear in Adapted) _linears[linear].Refresh();
    }

    /// <summary>Hidden states to hidden states, [n, hidden].</summary>
    public Tensor Forward(EncoderKernels kernels, Tensor hidden, TokenBatch batch, Dropouts drops, EncoderTape? tape)
    {
        var (n, width) = (hidden.shape[0], hidden.shape[1]);
        var query = NewStates(n, width);
        kernels.Multiply(Each(hidden), false, _query, true, Each(query), _queryBias);
        var tokens = NewStates(batch.Tokens, width);
        kernels.Gather(hidden, batch, tokens);
        var keyValue = NewStates(batch.Tokens, 2 * width);
        var attention = AttentionPart.Of(batch, query.view(n, _heads, -1), keyValue.view(batch.Tokens, 2, _heads, -1), drops.Attention());
        // Each part's rows as they would be alone: how many tokens they have is no matter of the others.
        foreach (var part in attention)
        {
            kernels.Multiply(part.Tokens(tokens), false, _keyValue, true, part.Tokens(keyValue), _keyValueBias);
            part.Attended = kernels.Attend(part.Query, part.Key, part.Value, part.Batch, part.Drop);
        }

        var flat = (attention.Length == 1 ? attention[0].Attended.Context : cat([.. attention.Select(part => part.Attended.Context)], 0)).view(n, width);
        var (contextDrop, middleDrop, innerDrop) = (Lora(AttentionOutput), Lora(Intermediate), Lora(Output));
        var context = new Operand(flat, flat, null, null);
        if (_linears[AttentionOutput].IsAdapted)
        {
            context = _linears[AttentionOutput].NewInput(n, contextDrop.Drops);
            kernels.ActivationForward(flat, false, context.Main, context.Dropped, contextDrop);
        }

        // The sums are kept for the backward pass in the place of what is dropped out.
        var attentionSum = _linears[AttentionOutput].Forward(kernels, context, n);
        var middle = _linears[Intermediate].NewInput(n, middleDrop.Drops);
        var attentionDrop = drops.Hidden();
        kernels.NormForward(attentionSum, hidden, _attentionNorm, tape is null ? null : attentionSum, middle.Main, middle.Dropped, attentionDrop, middleDrop);

        var before = _linears[Intermediate].Forward(kernels, middle, n);
        var inner = _linears[Output].NewInput(n, innerDrop.Drops);
        kernels.ActivationForward(before, true, inner.Main, inner.Dropped, innerDrop);
        var outputSum = _linears[Output].Forward(kernels, inner, n);
        var output = NewStates(n, width);
        var outputDrop = drops.Hidden();
        kernels.NormForward(outputSum, middle.Main, _outputNorm, tape is null ? null : outputSum, output, null, outputDrop, new Drop(0, 0, 0));
        tape?.Add(new Passed(
            batch, attention, context, attentionSum, middle, before, inner, outputSum, contextDrop, attentionDrop, middleDrop, innerDrop, outputDrop));
        return output;

        Drop Lora(int linear) => _linears[linear].IsAdapted ? drops.Lora() : new Drop(0, 0, 0);
    }

    /// <summary>Writes the gradients of the layer's adapters; returns what goes back to the layer before it, null when nothing there is trained.</summary>
    /// <param name="kernels">The kernels.</param>
    /// <param name="back">What comes back to the layer's output.</param>
    /// <param name="passed">Of the forward pass; its input of the GELU is written over.</param>
    /// <param name="first">The linear of this layer before which nothing is trained; −1 when the layers before are.</param>
    public Returned? Backward(EncoderKernels kernels, Returned back, Passed passed, int first)
    {
        var (n, width) = (passed.OutputSum.shape[0], passed.OutputSum.shape[1]);
        var (outputGradient, outputInput) = Norm(back.Main, null, back.Residual, back.Ragged, passed.OutputSum, _outputNorm, passed.OutputDrop, default);
        var (innerMain, innerDropped) = _linears[Output].Backward(kernels, outputInput, passed.Inner, n, first != Output);
        if (first == Output) return null;
        kernels.ActivationBackward(innerMain, innerDropped, passed.BeforeGelu, passed.BeforeGelu, passed.InnerDrop);
        var (middleMain, middleDropped) = _linears[Intermediate].Backward(kernels, passed.BeforeGelu, passed.Middle, n, first != Intermediate);
        if (first == Intermediate) return null;
        var (attentionGradient, attentionInput) = Norm(
            middleMain, middleDropped, outputGradient, null, passed.AttentionSum, _attentionNorm, passed.AttentionDrop, passed.MiddleDrop);
        var (contextMain, contextDropped) = _linears[AttentionOutput].Backward(kernels, attentionInput, passed.Context, n, first != AttentionOutput);
        if (first == AttentionOutput) return null;
        var context = contextMain;
        if (_linears[AttentionOutput].IsAdapted)
        {
            context = NewStates(n, width);
            kernels.ActivationBackward(contextMain, contextDropped, null, context, passed.ContextDrop);
        }

        var gradients = context.view(n, _heads, -1);
        var (main, ragged) = (NewStates(n, width), NewStates(passed.Batch.Tokens, width));
        foreach (var part in passed.Attention)
        {
            var (query, key, value) = kernels.AttendBackward(part.Rows(gradients), part.Query, part.Key, part.Value, part.Attended, part.Batch, part.Drop);
            kernels.Multiply(query.reshape(-1, width), false, _query, false, part.Rows(main));
            var tokens = part.Tokens(ragged);
            kernels.Multiply(key.reshape(-1, width), false, _key, false, tokens);
            kernels.Multiply(value.reshape(-1, width), false, _value, false, tokens, accumulate: true);
        }

        return new Returned(main, attentionGradient, ragged);

        (Tensor Sum, Tensor Input) Norm(Tensor main, Tensor? dropped, Tensor? residual, Tensor? ragged, Tensor sum, NormTensors norm, Drop drop, Drop next)
        {
            var result = NewStates(n, width);
            var input = drop.Drops ? NewStates(n, width) : null;
            kernels.NormBackward(main, dropped, residual, ragged, passed.Batch, sum, norm, result, input, drop, next);
            return (result, input ?? result);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var linear in _linears) linear.Dispose();
        foreach (var part in _lora.OfType<LoraPart>()) part.Dispose();
        _keyValue.Dispose();
        _keyValueBias.Dispose();
    }

    private Tensor Each(Tensor rows) => TokenBatch.Each(rows, _parts);

    private Tensor NewStates(long rows, long width) => empty(rows, width, _dtype, _device);
}

/// <summary>What comes back to a layer's output: through the next layer's queries, through its residual, and, for real tokens, through its keys and values.</summary>
internal sealed record Returned(Tensor Main, Tensor? Residual, Tensor? Ragged) : IDisposable
{
    public Returned MoveToOuterDisposeScope()
    {
        Main.MoveToOuterDisposeScope();
        Residual?.MoveToOuterDisposeScope();
        Ragged?.MoveToOuterDisposeScope();
        return this;
    }

    public void Dispose()
    {
        Main.Dispose();
        Residual?.Dispose();
        Ragged?.Dispose();
    }
}
