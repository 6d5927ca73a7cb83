using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>A pretrained model without its head: token ids in, hidden states out.</summary>
public abstract class Trunk : IDisposable
{
    private readonly IReadOnlyDictionary<string, Tensor> _weights;

    /// <summary>A trunk over tensors by name.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="TrunkConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    protected Trunk(TrunkConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights)
    {
        (_weights, OwnsWeights) = (weights, ownsWeights);
        WordEmbeddings = weights[config.Words];
        Linears = [.. config.Linears()];
    }

    /// <summary>The shape.</summary>
    public abstract TrunkConfig Config { get; }

    /// <summary>Width of a hidden state.</summary>
    public int HiddenSize => Config.HiddenSize;

    /// <summary>The longest input, in tokens.</summary>
    public int MaxPositions => Config.MaxPositions;

    /// <summary>The precision of the weights and activations.</summary>
    public ScalarType Dtype => WordEmbeddings.dtype;

    /// <summary>The device of the weights.</summary>
    public Device Device => WordEmbeddings.device;

    /// <summary>Every linear that an adapter may attach to, in the order they are computed.</summary>
    public IReadOnlyList<LinearShape> Linears { get; }

    /// <summary>The word embedding table, [vocabulary, hidden].</summary>
    public Tensor WordEmbeddings { get; }

    /// <summary>Whether disposing this disposes the weights.</summary>
    protected bool OwnsWeights { get; }

    /// <summary>The frozen weight of a linear, [out, in].</summary>
    public Tensor WeightOf(string linear) => _weights[$"{linear}.weight"];

    /// <summary>Hidden states of the last layer.</summary>
    /// <param name="ids">Token ids, [rows, length], int64.</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length], int64.</param>
    /// <param name="pass">Adapters, dropouts and what else this pass has.</param>
    /// <returns>[rows, length, hidden].</returns>
    /// <exception cref="ModelException">The input is longer than the model's positions.</exception>
    public Tensor Forward(Tensor ids, Tensor mask, ForwardPass pass)
    {
        if (ids.shape[1] > MaxPositions)
        {
            throw new ModelException(
                $"an input of {ids.shape[1]} tokens is longer than the model's {MaxPositions} positions; set max-length to at most {MaxPositions}");
        }

        if (pass.Adapters is not { Replaced.Count: > 0 } adapters) return Run(ids, mask, pass);
        using var changed = With(adapters.Replaced);
        return changed.Run(ids, mask, pass);
    }

    /// <summary>This trunk with some of its tensors replaced; it owns none of them.</summary>
    /// <param name="replaced">Tensors by name.</param>
    public Trunk With(IReadOnlyDictionary<string, Tensor> replaced) =>
        Config.Build(_weights.ToDictionary(pair => pair.Key, pair => replaced.GetValueOrDefault(pair.Key, pair.Value)), ownsWeights: false);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        if (!OwnsWeights) return;
        foreach (var tensor in _weights.Values) tensor.Dispose();
    }

    /// <summary>A tensor by its Hugging Face name.</summary>
    internal Tensor Named(string name) => _weights[name];

    /// <summary>A linear by its Hugging Face name, with its bias where it has one.</summary>
    private protected Projection Linear(string name) => new(name, _weights[$"{name}.weight"], _weights.GetValueOrDefault($"{name}.bias"));

    /// <summary>The word embeddings of ids [rows, length], as [rows·length, hidden].</summary>
    private protected Tensor Embedded(Tensor ids) => WordEmbeddings.index_select(0, ids.reshape(-1));

    /// <summary>What <see cref="Forward"/> does with an input of a length that it may have.</summary>
    private protected abstract Tensor Run(Tensor ids, Tensor mask, ForwardPass pass);
}

/// <summary>What one pass through a trunk does besides the frozen weights.</summary>
/// <param name="Dropout">The randomness of dropouts in training; null turns them off.</param>
/// <param name="Adapters">Adapters of the linears; null for the bare trunk.</param>
/// <param name="OnAttention">Receives the attention weights of each layer, [rows, heads, length, length], by the layer's number.</param>
/// <param name="Start">What passes of other adapters over the same batch have in common with this one; null for nothing.</param>
public sealed record ForwardPass(
    IDropouts? Dropout = null, Lora.ILinearAdapters? Adapters = null, Action<int, Tensor>? OnAttention = null, SharedStart? Start = null)
{
    /// <summary>Evaluation of the bare trunk.</summary>
    public static ForwardPass Plain { get; } = new();
}
