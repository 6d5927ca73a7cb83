using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Fused;

/// <summary>
/// A frozen BERT encoder with a LoRA adapter, its forward and its backward pass written out: few, wide operations, and nothing for padding but what the head
/// sees of it. Or with several adapters side by side, each for its own rows: what each computes is then, to the bit, what it computes alone.
/// </summary>
/// <remarks>
/// The same arithmetic as <see cref="BertTrunk"/> up to rounding. Padding is a query, because the head averages over all positions, but never a key: keys
/// and values are computed of real tokens alone, and no mask is needed. What autograd would do is done by hand: an adapted linear and its adapter are one
/// product, the pointwise parts between two products are one kernel, dropout masks are drawn again instead of stored.
/// </remarks>
public sealed class FusedEncoder : IDisposable
{
    // A thread of the norm kernels holds a sixteenth of a row, and twice that backward.
    private const int WidestHidden = 1024;

    private readonly EncoderKernels _kernels;
    private readonly BertTrunk _trunk;
    private readonly BertConfig _config;
    private readonly EmbeddingTables _embeddings;
    private readonly AdapterTensors? _adapters;
    private readonly FusedLayer[] _layers;
    private readonly (int Layer, int Linear) _first;

    internal FusedEncoder(BertTrunk trunk, IReadOnlyList<LoraAdapter> adapters, EncoderKernels kernels)
    {
        (_kernels, _trunk, _config) = (kernels, trunk, trunk.Config);
        _adapters = adapters.Count == 0 ? null : new AdapterTensors(adapters, trunk.Dtype, trunk.Device);
        _embeddings = new EmbeddingTables(
            trunk.Named("embeddings.word_embeddings.weight"), trunk.Named("embeddings.token_type_embeddings.weight"),
            trunk.Named("embeddings.position_embeddings.weight"), FusedLayer.NormOf(trunk, "embeddings.LayerNorm"));
        _layers = [.. Enumerable.Range(0, _config.Layers).Select(number => new FusedLayer(trunk, number, _adapters, Math.Max(1, adapters.Count)))];
        _first = _layers.SelectMany((layer, number) => layer.Adapted.Select(linear => (number, linear))).DefaultIfEmpty((int.MaxValue, 0)).First();
        Refresh();
    }

    /// <summary>
    /// Such an encoder, or null where there is none and the plain one must do: it is for BERT on CUDA in bf16 (from compute capability 8.0, on Linux), without DoRA,
    /// with no tensor of the encoder trained whole, with no adapter on query, key or value, and of widths that are multiples of eight, a hidden state's at most 1,024.
    /// </summary>
    /// <remarks>Which of them computes follows from device class, model and adapter alone, and so from a stage's key.</remarks>
    /// <param name="trunk">The encoder; not owned.</param>
    /// <param name="adapter">The adapter; not owned; null for the bare encoder.</param>
    /// <exception cref="Native.LibTorchException">The kernels cannot be compiled here.</exception>
    public static FusedEncoder? For(Trunk trunk, LoraAdapter? adapter) =>
        trunk is BertTrunk bert && Fits(bert.Config, adapter) && trunk.Dtype == ScalarType.BFloat16
        && CudaKernels.For(trunk.Device, trunk.HiddenSize) is { } kernels ? new FusedEncoder(bert, adapter is null ? [] : [adapter], kernels) : null;

    /// <summary>One for several adapters, each of whose own encoder <see cref="For"/> gives, and which <see cref="Fit"/>.</summary>
    /// <param name="adapters">The adapters, in the order of their rows; not owned.</param>
    public FusedEncoder Among(IReadOnlyList<LoraAdapter> adapters) => new(_trunk, adapters, _kernels);

    /// <summary>A rank as it is stored: a multiple of eight.</summary>
    public static long Stored(long rank) => FusedLinear.Padded(rank);

    /// <summary>
    /// Whether two adapters can stand side by side: of the same linears, with the same dropout and scaling, and with ranks that are stored alike, in
    /// multiples of eight.
    /// </summary>
    public static bool Fit(LoraAdapter one, LoraAdapter other) => AdapterTensors.Fit(one, other);

    /// <summary>Begins to compile what <see cref="For"/> will want, beside whatever is done until then. What goes wrong is told there.</summary>
    /// <param name="device">Where it will compute.</param>
    /// <param name="dtype">In which precision.</param>
    /// <param name="config">The encoder's shape.</param>
    public static void Prepare(Device device, ScalarType dtype, TrunkConfig config)
    {
        if (dtype != ScalarType.BFloat16 || config is not BertConfig bert || !Fits(bert, null)) return;
        Task.Run(() =>
        {
            try
            {
                CudaKernels.For(device, config.HiddenSize)?.Warm();
            }
            catch (Native.LibTorchException)
            {
                // Kept by the lazy value: thrown again where the kernels are asked for.
            }
        });
    }

    internal static bool Fits(BertConfig config, LoraAdapter? adapter) =>
        config.HiddenSize % 8 == 0 && config.HiddenSize <= WidestHidden && config.IntermediateSize % 8 == 0 && config.HiddenSize / config.Heads % 8 == 0
        && (adapter is null || (!adapter.Config.UseDora && adapter.Whole.Count == 0
            && !adapter.Targets.Any(linear => linear.Name.Contains(".attention.self.", StringComparison.Ordinal))));

    /// <summary>Takes the adapters over as they are now: to be called after every update.</summary>
    public void Refresh()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _adapters?.Refresh();
        foreach (var layer in _layers) layer.Refresh();
    }

    /// <inheritdoc cref="Forward(TokenBatch, EncoderTape, IReadOnlyList{RandomStream})"/>
    public Tensor Forward(TokenBatch batch, RandomStream? dropout = null, EncoderTape? tape = null) => Forward(batch, tape, dropout is null ? [] : [dropout]);

    /// <summary>Hidden states of the last layer, [rows, length, hidden], without gradient.</summary>
    /// <param name="batch">The rows; with several adapters put together of as many batches.</param>
    /// <param name="tape">Takes down what <see cref="Backward"/> wants; null for no backward pass.</param>
    /// <param name="dropout">The randomness of dropouts in training, a stream for each adapter; none turns them off.</param>
    /// <exception cref="ModelException">The rows are longer than the model's position table.</exception>
    public Tensor Forward(TokenBatch batch, EncoderTape? tape, IReadOnlyList<RandomStream> dropout)
    {
        if (batch.Length > _config.MaxPositions)
            throw new ModelException(
                $"an input of {batch.Length} tokens is longer than the model's {_config.MaxPositions} positions; set max-length to at most "
                + $"{_config.MaxPositions}");
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var drops = new Dropouts(dropout, batch, _config, _adapters?.Dropout ?? 0, tape);
        var hidden = empty(batch.Rows * batch.Length, _config.HiddenSize, _embeddings.Words.dtype, _embeddings.Words.device);
        _kernels.Embed(batch.Ids, _embeddings, hidden, drops.Hidden());
        foreach (var layer in _layers)
        {
            using var inner = NewDisposeScope();
            var output = layer.Forward(_kernels, hidden, batch, drops, tape);
            hidden.Dispose();
            hidden = output.MoveToOuterDisposeScope();
        }

        return hidden.view(batch.Rows, batch.Length, _config.HiddenSize).MoveToOuterDisposeScope();
    }

    /// <summary>The gradients of each adapter's masters, in their order, fp32.</summary>
    /// <param name="tape">What the forward pass took down; used up.</param>
    /// <param name="gradient">Of the hidden states, [rows, length, hidden].</param>
    public IReadOnlyList<Tensor>[] Backward(EncoderTape tape, Tensor gradient)
    {
        using var _ = no_grad();
        using (var scope = NewDisposeScope())
        {
            var back = new Returned(gradient.reshape(-1, _config.HiddenSize), null, null);
            for (var number = _config.Layers - 1; number >= _first.Layer; number--)
            {
                using var inner = NewDisposeScope();
                using var passed = tape.Take();
                var before = _layers[number].Backward(_kernels, back, passed, number == _first.Layer ? _first.Linear : -1);
                back.Dispose();
                if (before is null) break;
                back = before.MoveToOuterDisposeScope();
            }
        }

        return _adapters!.Gradients();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var layer in _layers) layer.Dispose();
        _adapters?.Dispose();
    }
}
