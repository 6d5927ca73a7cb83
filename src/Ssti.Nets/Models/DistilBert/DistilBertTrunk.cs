using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>
/// The DistilBERT encoder (Sanh et al. 2019) with Hugging Face's names and arithmetic: BERT's without token types, and without dropout behind attention.
/// </summary>
public sealed class DistilBertTrunk : Trunk
{
    private const double Epsilon = 1e-12;

    private readonly Layer[] _layers;

    /// <summary>An encoder over tensors by name, as <see cref="TrunkConfig.Build"/> makes it.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weights">Every tensor of <see cref="DistilBertConfig.Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public DistilBertTrunk(DistilBertConfig config, IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true)
        : base(config, weights, ownsWeights)
    {
        Config = config;
        _layers = [.. Enumerable.Range(0, config.Layers).Select(Resolve)];
    }

    /// <inheritdoc/>
    public override DistilBertConfig Config { get; }

    /// <inheritdoc/>
    private protected override Tensor Run(Tensor ids, Tensor mask, ForwardPass pass)
    {
        var (rows, length) = (ids.shape[0], ids.shape[1]);
        var positions = Named("embeddings.position_embeddings.weight").narrow(0, 0, length);
        var sum = Embedded(ids).view(rows, length, HiddenSize).add(positions, Scalars.One).view(rows * length, HiddenSize);
        var hidden = Drop(Norm("embeddings.LayerNorm").Of(sum), pass);
        var padding = new Padding(mask, Dtype);
        foreach (var layer in _layers)
        {
            Tensor Heads(Projection projection) => Attention.Split(projection.Of(hidden, pass), rows, length, Config.Heads);
            var context = Attention.Of(layer.Number, Heads(layer.Query), Heads(layer.Key), Heads(layer.Value), padding, Config.AttentionDropout, pass);
            hidden = layer.AttentionNorm.Of(layer.AttentionOutput.Of(Attention.Join(context), pass).add(hidden, Scalars.One));
            var output = layer.Output.Of(functional.gelu(layer.Intermediate.Of(hidden, pass)), pass);
            hidden = layer.OutputNorm.Of(Drop(output, pass).add(hidden, Scalars.One));
        }

        return hidden.view(rows, length, HiddenSize);
    }

    private Tensor Drop(Tensor input, ForwardPass pass) => pass.Dropout?.Dropout(input, Config.HiddenDropout) ?? input;

    private LayerNorm Norm(string name) => new(Named($"{name}.weight"), Named($"{name}.bias"), Epsilon);

    private Layer Resolve(int number)
    {
        var linears = Config.Linears(number).Select(linear => Linear(linear.Name)).ToArray();
        var prefix = $"transformer.layer.{number}";
        return new Layer(
            number, linears[0], linears[1], linears[2], linears[3], Norm($"{prefix}.sa_layer_norm"), linears[4], linears[5], Norm($"{prefix}.output_layer_norm"));
    }

    private sealed record Layer(
        int Number, Projection Query, Projection Key, Projection Value, Projection AttentionOutput, LayerNorm AttentionNorm,
        Projection Intermediate, Projection Output, LayerNorm OutputNorm);
}
