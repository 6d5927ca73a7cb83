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
    private const int LinearsOfLayer = 6;

    private readonly Layer[] _layers;

    /// <summary>An encoder over tensors by name, as <see cref="TrunkConfig.Build"/> makes it.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="BertConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public BertTrunk(BertConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
        : base(config, weights, ownsWeights)
    {
        Config = config;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(Resolve)];
    }

    /// <inheritdoc/>
    public override BertConfig Config { get; }

    /// <inheritdoc/>
    private protected override Tensor Run(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var begun = pass.Start?.State;
        var hidden = begun?.Hidden ?? Embed(ids, pass);
        var padding = new Padding(mask, Dtype);
        foreach (var layer in _layers.Skip(begun?.Layer ?? 0))
        {
            pass.Start?.Keep(layer.Number * LinearsOfLayer, new(layer.Number, hidden, null));
            var attended = (layer.Number == begun?.Layer ? begun.Attended : null) ?? Attend(layer, hidden, padding, rows, length, pass);
            pass.Start?.Keep((layer.Number * LinearsOfLayer) + layer.Projections.Length, new(layer.Number, hidden, attended));
            hidden = layer.AttentionNorm.Of(Drop(layer.AttentionOutput.Of(attended, pass), pass).add(hidden, Scalars.One));
            var inner = functional.gelu(layer.Intermediate.Of(hidden, pass));
            hidden = layer.OutputNorm.Of(Drop(layer.Output.Of(inner, pass), pass).add(hidden, Scalars.One));
        }

        return hidden.view(rows, length, HiddenSize);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var layer in _layers) layer.DisposeFused();
        base.Dispose();
    }

    private Tensor Embed(Tensor ids, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var words = Embedded(ids).view(rows, length, HiddenSize);
        var positions = Named("embeddings.position_embeddings.weight").narrow(0, 0, length);
        var types = Named("embeddings.token_type_embeddings.weight")[0];
        var sum = words.add(types, Scalars.One).add(positions, Scalars.One).view(rows * length, HiddenSize);
        return Drop(Norm("embeddings.LayerNorm").Of(sum), pass);
    }

    private Tensor Attend(Layer layer, Tensor hidden, Padding padding, long rows, long length, ForwardPass pass)
    {
        var adapted = pass.Adapters is { } adapters && layer.Projections.Any(projection => adapters.Has(projection.Name));
        Tensor context;
        if (!adapted && layer.Widened is { } widened && pass.OnAttention is null && (pass.Dropout is null || pass.Dropout.OwnsDevice))
        {
            var (query, key, value) = Heads(functional.linear(hidden, widened.Weight, widened.Bias), rows, length);
            context = functional.scaled_dot_product_attention(query, key.add(padding.AsKeyColumn(widened.HeadWidth, widened.Column), Scalars.One),
                value, null, pass.Dropout is null ? 0 : Config.AttentionDropout)
                .narrow(-1, 0, HiddenSize / Config.Heads);
        }
        else
        {
            var projected = adapted
                ? cat([.. layer.Projections.Select(projection => projection.Of(hidden, pass))], -1)
                : functional.linear(hidden, layer.Fused.Weight, layer.Fused.Bias);
            var (query, key, value) = Heads(projected, rows, length);
            context = Attention.Of(layer.Number, query, key, value, padding, Config.AttentionDropout, pass);
        }

        return Attention.Join(context);
    }

    // [rows·length, 3·heads·width] as three of [rows, heads, length, width].
    private (Tensor Query, Tensor Key, Tensor Value) Heads(Tensor projected, long rows, long length)
    {
        var parts = projected.view(rows, length, 3L * Config.Heads, -1).split(Config.Heads, 2);
        return (parts[0].transpose(1, 2), parts[1].transpose(1, 2), parts[2].transpose(1, 2));
    }

    private Tensor Drop(Tensor input, ForwardPass pass) => pass.Dropout?.Dropout(input, Config.HiddenDropout) ?? input;

    private LayerNorm Norm(string name) => new(Named($"{name}.weight"), Named($"{name}.bias"), Config.LayerNormEps);

    private Layer Resolve(int number)
    {
        var linears = Config.Linears(number).Select(linear => Linear(linear.Name)).ToArray();
        var projections = linears[..3];
        // Frozen weights outlive the scope they are made in; trained ones are rebuilt in the scope of every step.
        using var scope = OwnsWeights ? NewDisposeScope() : null;
        var fused = new FusedProjection(cat([.. projections.Select(p => p.Weight)], 0), cat([.. projections.Select(p => p.Bias!)], 0));
        var widened = OwnsWeights && Dtype == ScalarType.BFloat16 ? WidenedProjection.Of(fused, Config.Heads) : null;
        if (OwnsWeights)
        {
            foreach (var tensor in new[] { fused.Weight, fused.Bias, widened?.Weight, widened?.Bias }) tensor?.DetachFromDisposeScope();
        }

        return new Layer(
            number, projections, fused, widened, linears[3], linears[4], linears[5],
            Norm($"encoder.layer.{number}.attention.output.LayerNorm"), Norm($"encoder.layer.{number}.output.LayerNorm"));
    }

    private sealed record Layer(
        int Number, Projection[] Projections, FusedProjection Fused, WidenedProjection? Widened, Projection AttentionOutput, Projection Intermediate,
        Projection Output, LayerNorm AttentionNorm, LayerNorm OutputNorm)
    {
        public void DisposeFused()
        {
            foreach (var tensor in new[] { Fused.Weight, Fused.Bias, Widened?.Weight, Widened?.Bias }) tensor?.Dispose();
        }
    }
}
