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

    /// <summary>A tensor by its Hugging Face name.</summary>
    internal Tensor Named(string name) => _weights[name];

    /// <inheritdoc/>
    public override Tensor WeightOf(string linear) => _weights[$"{linear}.weight"];

    /// <inheritdoc/>
    public override Tensor Forward(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        if (length > MaxPositions)
            throw new ModelException($"an input of {length} tokens is longer than the model's {MaxPositions} positions; set max-length to at most {MaxPositions}");
        var hidden = Embed(ids, pass);
        var padding = new Padding(mask, Dtype);
        foreach (var layer in _layers)
        {
            var attended = Attend(layer, hidden, padding, rows, length, pass);
            hidden = Norm(Drop(Linear(layer.AttentionOutput, attended, pass), pass).add(hidden, Scalars.One), layer.AttentionNorm);
            var inner = functional.gelu(Linear(layer.Intermediate, hidden, pass));
            hidden = Norm(Drop(Linear(layer.Output, inner, pass), pass).add(hidden, Scalars.One), layer.OutputNorm);
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
        var sum = words.add(types, Scalars.One).add(positions, Scalars.One).view(rows * length, HiddenSize);
        return Drop(Norm(sum, NormOf("embeddings.LayerNorm")), pass);
    }

    private Tensor Attend(Layer layer, Tensor hidden, Padding padding, long rows, long length, ForwardPass pass)
    {
        var adapted = pass.Adapters is { } adapters && layer.Projections.Any(projection => adapters.Has(projection.Name));
        Tensor context;
        if (!adapted && layer.Widened is { } widened && pass.OnAttention is null && (pass.Dropout is null || pass.Dropout.OwnsDevice))
        {
            var (query, key, value) = Heads(functional.linear(hidden, widened.Weight, widened.Bias), rows, length);
            context = functional.scaled_dot_product_attention(query, key.add(padding.AsKeyColumn(widened.HeadWidth, widened.Column), Scalars.One), value, null, pass.Dropout is null ? 0 : Config.AttentionDropout)
                .narrow(-1, 0, HiddenSize / Config.Heads);
        }
        else
        {
            var projected = adapted
                ? cat([.. layer.Projections.Select(projection => Linear(projection, hidden, pass))], -1)
                : functional.linear(hidden, layer.Fused.Weight, layer.Fused.Bias);
            var (query, key, value) = Heads(projected, rows, length);
            context = Attention(layer.Number, query, key, value, padding, pass);
        }

        return context.transpose(1, 2).reshape(rows * length, HiddenSize);
    }

    // [rows·length, 3·heads·width] as three of [rows, heads, length, width].
    private (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor projected, long rows, long length)
    {
        var parts = projected.view(rows, length, 3L * Config.Heads, -1).split(Config.Heads, 2);
        return (parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2));
    }

    private Tensor Attention(int number, Tensor query, Tensor key, Tensor value, Padding padding, ForwardPass pass)
    {
        var dropout = pass.Dropout is null ? 0 : Config.AttentionDropout;
        // The fused kernel draws its dropout from the device's generator, which a run on the CPU must not touch.
        if (pass.OnAttention is null && (dropout == 0 || pass.Dropout!.OwnsDevice))
        {
            var scores = padding.AsScores.expand(query.shape[0], Config.Heads, query.shape[2], query.shape[2]);
            return functional.scaled_dot_product_attention(query, key, value, scores, dropout);
        }

        var weights = functional.softmax(matmul(query.mul(Scalars.Kept(1 / Math.Sqrt(query.shape[3]))), key.transpose(-2, -1)).add(padding.AsScores, Scalars.One), -1);
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
        // Frozen weights outlive the scope they are made in; trained ones are rebuilt in the scope of every step.
        using var scope = _ownsWeights ? NewDisposeScope() : null;
        var fused = new FusedProjection(cat([.. projections.Select(p => p.Weight)], 0), cat([.. projections.Select(p => p.Bias)], 0));
        var widened = _ownsWeights && Dtype == ScalarType.BFloat16 ? WidenedProjection.Of(fused, Config.Heads) : null;
        if (_ownsWeights)
        {
            foreach (var tensor in new[] { fused.Weight, fused.Bias, widened?.Weight, widened?.Bias }) tensor?.DetachFromDisposeScope();
        }

        return new Layer(
            number, projections, fused, widened, linears[3], linears[4], linears[5],
            NormOf($"encoder.layer.{number}.attention.output.LayerNorm"), NormOf($"encoder.layer.{number}.output.LayerNorm"));
    }

    private sealed record Projection(string Name, Tensor Weight, Tensor Bias);

    private sealed record Layer(
        int Number, Projection[] Projections, FusedProjection Fused, WidenedProjection? Widened, Projection AttentionOutput, Projection Intermediate,
        Projection Output, (Tensor Weight, Tensor Bias) AttentionNorm, (Tensor Weight, Tensor Bias) OutputNorm)
    {
        public void DisposeFused()
        {
            foreach (var tensor in new[] { Fused.Weight, Fused.Bias, Widened?.Weight, Widened?.Bias }) tensor?.Dispose();
        }
    }
}
