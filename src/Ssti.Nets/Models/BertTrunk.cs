using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>
/// The BERT encoder (Devlin et al. 2018) with Hugging Face's names and arithmetic, without pooler.
/// </summary>
/// <remarks>
/// Hidden states run as [rows·length, hidden] and are shaped only for attention. Query, key and value are one product over concatenated
/// weights unless an adapter wants them apart. Frozen tensors need no gradient, so the graph begins at the first adapted linear.
/// </remarks>
public sealed class BertTrunk : Trunk
{
    private readonly IReadOnlyDictionary<string, Tensor> _weights;
    private readonly bool _ownsWeights;
    private readonly Layer[] _layers;

    /// <summary>An encoder over tensors by name, as <see cref="Weights.Encoder"/> gives them.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="BertConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public BertTrunk(BertConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
    {
        Config = config;
        (_weights, _ownsWeights) = (weights, ownsWeights);
        Linears = [.. Enumerable.Range(0, config.Layers).SelectMany(config.Linears)];
        _layers = [.. Enumerable.Range(0, config.Layers).Select(Resolve)];
    }

    /// <summary>The shape.</summary>
    public BertConfig Config { get; }

    /// <inheritdoc/>
    public override int HiddenSize => Config.HiddenSize;

    /// <inheritdoc/>
    public override int MaxPositions => Config.MaxPositions;

    /// <inheritdoc/>
    public override ScalarType Dtype => WordEmbeddings.dtype;

    /// <inheritdoc/>
    public override Device Device => WordEmbeddings.device;

    /// <inheritdoc/>
    public override IReadOnlyList<LinearShape> Linears { get; }

    /// <summary>The word embedding table, [vocabulary, hidden].</summary>
    public Tensor WordEmbeddings => _weights["embeddings.word_embeddings.weight"];

    /// <inheritdoc/>
    public override Tensor WeightOf(string linear) => _weights[$"{linear}.weight"];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        if (length > MaxPositions)
            throw new ModelException($"an input of {length} tokens is longer than the model's {MaxPositions} positions; set max-length to at most {MaxPositions}");
        var hidden = Embed(ids, pass);
        // 0 for a token, the lowest finite value for padding: added to the scores of every query.
        var bias = (1 - mask).to(Dtype).mul_(Lowest(Dtype)).view(rows, 1, 1, length);
        foreach (var layer in _layers)
        {
            var attended = Attend(layer, hidden, bias, rows, length, pass);
            hidden = Norm(Drop(Linear(layer.AttentionOutput, attended, pass), pass) + hidden, layer.AttentionNorm);
            var inner = functional.gelu(Linear(layer.Intermediate, hidden, pass));
            hidden = Norm(Drop(Linear(layer.Output, inner, pass), pass) + hidden, layer.OutputNorm);
        }

        return hidden.view(rows, length, HiddenSize);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var layer in _layers) layer.DisposeFused();
        if (!_ownsWeights) return;
        foreach (var tensor in _weights.Values) tensor.Dispose();
    }

    private Tensor Embed(Tensor ids, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var words = WordEmbeddings.index_select(0, ids.reshape(-1)).view(rows, length, HiddenSize);
        var positions = _weights["embeddings.position_embeddings.weight"].narrow(0, 0, length);
        var types = _weights["embeddings.token_type_embeddings.weight"][0];
        var sum = (words + types + positions).view(rows * length, HiddenSize);
        return Drop(Norm(sum, NormOf("embeddings.LayerNorm")), pass);
    }

    private Tensor Attend(Layer layer, Tensor hidden, Tensor bias, long rows, long length, ForwardPass pass)
    {
        var width = HiddenSize / Config.Heads;
        Tensor Heads(Tensor projected) => projected.view(rows, length, Config.Heads, width).transpose(1, 2);
        Tensor query, key, value;
        if (pass.Adapters is { } adapters && layer.Projections.Any(projection => adapters.Has(projection.Name)))
        {
            (query, key, value) = (Heads(Linear(layer.Projections[0], hidden, pass)), Heads(Linear(layer.Projections[1], hidden, pass)), Heads(Linear(layer.Projections[2], hidden, pass)));
        }
        else
        {
            var parts = functional.linear(hidden, layer.FusedWeight, layer.FusedBias).view(rows, length, 3, Config.Heads, width).permute(2, 0, 3, 1, 4).unbind(0);
            (query, key, value) = (parts[0], parts[1], parts[2]);
        }

        var context = Attention(layer.Number, query, key, value, bias, width, pass);
        return context.transpose(1, 2).reshape(rows * length, HiddenSize);
    }

    private Tensor Attention(int number, Tensor query, Tensor key, Tensor value, Tensor bias, int width, ForwardPass pass)
    {
        var dropout = pass.Dropout is null ? 0 : Config.AttentionDropout;
        // The fused kernel draws its dropout from the device's generator, which a run on the CPU must not touch.
        if (pass.OnAttention is null && (dropout == 0 || pass.Dropout!.OwnsDevice))
        {
            var scores = bias.expand(query.shape[0], Config.Heads, query.shape[2], query.shape[2]);
            return functional.scaled_dot_product_attention(query, key, value, scores, dropout);
        }

        var weights = functional.softmax(matmul(query * (1 / Math.Sqrt(width)), key.transpose(-2, -1)) + bias, -1);
        pass.OnAttention?.Invoke(number, weights);
        if (dropout > 0) weights = pass.Dropout!.Dropout(weights, dropout);
        return matmul(weights, value);
    }

    private static Tensor Linear(Projection projection, Tensor input, ForwardPass pass) =>
        pass.Adapters is { } adapters && adapters.Has(projection.Name)
            ? adapters.Apply(projection.Name, input, projection.Weight, projection.Bias, pass.Dropout)
            : functional.linear(input, projection.Weight, projection.Bias);

    private Tensor Drop(Tensor input, ForwardPass pass) => pass.Dropout?.Dropout(input, Config.HiddenDropout) ?? input;

    private Tensor Norm(Tensor input, (Tensor Weight, Tensor Bias) norm) =>
        functional.layer_norm(input, [HiddenSize], norm.Weight, norm.Bias, Config.LayerNormEps);

    private (Tensor, Tensor) NormOf(string name) => (_weights[$"{name}.weight"], _weights[$"{name}.bias"]);

    private Projection ProjectionOf(LinearShape linear) => new(linear.Name, _weights[$"{linear.Name}.weight"], _weights[$"{linear.Name}.bias"]);

    private Layer Resolve(int number)
    {
        var linears = Config.Linears(number).Select(ProjectionOf).ToArray();
        var projections = linears[..3];
        return new Layer(
            number, projections, cat([.. projections.Select(p => p.Weight)], 0), cat([.. projections.Select(p => p.Bias)], 0),
            linears[3], linears[4], linears[5],
            NormOf($"encoder.layer.{number}.attention.output.LayerNorm"), NormOf($"encoder.layer.{number}.output.LayerNorm"), _ownsWeights);
    }

    // What transformers uses for a masked score: finite, so that a row of padding alone gives no NaN.
    private static double Lowest(ScalarType dtype) => dtype == ScalarType.BFloat16 ? -3.3895313892515355e38 : -3.4028234663852886e38;

    private sealed record Projection(string Name, Tensor Weight, Tensor Bias);

    private sealed class Layer
    {
        public Layer(
            int number, Projection[] projections, Tensor fusedWeight, Tensor fusedBias, Projection attentionOutput, Projection intermediate,
            Projection output, (Tensor, Tensor) attentionNorm, (Tensor, Tensor) outputNorm, bool keep)
        {
            (Number, Projections, AttentionOutput, Intermediate, Output) = (number, projections, attentionOutput, intermediate, output);
            (AttentionNorm, OutputNorm) = (attentionNorm, outputNorm);
            // Frozen weights outlive the scope they were made in; trained ones are rebuilt in the scope of every step.
            (FusedWeight, FusedBias) = keep ? (fusedWeight.DetachFromDisposeScope(), fusedBias.DetachFromDisposeScope()) : (fusedWeight, fusedBias);
        }

        public int Number { get; }

        public Projection[] Projections { get; }

        public Tensor FusedWeight { get; }

        public Tensor FusedBias { get; }

        public Projection AttentionOutput { get; }

        public Projection Intermediate { get; }

        public Projection Output { get; }

        public (Tensor, Tensor) AttentionNorm { get; }

        public (Tensor, Tensor) OutputNorm { get; }

        public void DisposeFused()
        {
            FusedWeight.Dispose();
            FusedBias.Dispose();
        }
    }
}
