using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>The shape of a DistilBERT: <c>config.json</c> of Hugging Face, model_type <c>distilbert</c>.</summary>
/// <param name="VocabSize">Rows of the word embedding table.</param>
/// <param name="HiddenSize">dim: width of a hidden state.</param>
/// <param name="Layers">n_layers.</param>
/// <param name="Heads">n_heads; must divide the hidden size.</param>
/// <param name="IntermediateSize">hidden_dim: width of the feed-forward layer.</param>
/// <param name="MaxPositions">Rows of the position table: the longest input in tokens.</param>
/// <param name="HiddenDropout">dropout: after embeddings and after each feed-forward block, in training.</param>
/// <param name="AttentionDropout">Dropout of attention weights, in training.</param>
/// <param name="PadTokenId">Id of [PAD].</param>
public sealed record DistilBertConfig(
    int VocabSize, int HiddenSize, int Layers, int Heads, int IntermediateSize, int MaxPositions,
    double HiddenDropout = 0.1, double AttentionDropout = 0.1, int PadTokenId = 0)
    : TrunkConfig
{
    /// <inheritdoc/>
    public override string Family => "distilbert";

    /// <inheritdoc/>
    internal override string Words => "embeddings.word_embeddings.weight";

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Roots => ["embeddings.", "transformer."];

    /// <summary>What a config.json says.</summary>
    /// <exception cref="ModelException">A key is missing, or a setting asks for what is not offered here.</exception>
    internal static DistilBertConfig Of(ConfigFile file)
    {
        file.RequirePlain(
            ("activation", "\"gelu\""), ("is_decoder", "false"), ("add_cross_attention", "false"), ("is_encoder_decoder", "false"), ("pruned_heads", "{}"),
            ("quantization_config", "{}"));
        file.RefuseOwnCode();
        var config = new DistilBertConfig(
            file.Positive("vocab_size"), file.Positive("dim"), file.Positive("n_layers"), file.Positive("n_heads"), file.Positive("hidden_dim"),
            file.Positive("max_position_embeddings"), file.Dropout("dropout", 0.1), file.Dropout("attention_dropout", 0.1), file.Whole("pad_token_id", 0));
        return config.HiddenSize % config.Heads == 0 ? config
            : throw new ModelException($"{file.Title}: {config.Heads} heads do not divide a hidden size of {config.HiddenSize}");
    }

    /// <inheritdoc/>
    public override int HeadsOf(int layer) => Heads;

    /// <inheritdoc/>
    public override IEnumerable<(string Name, long[] Shape)> Tensors()
    {
        yield return (Words, [VocabSize, HiddenSize]);
        yield return ("embeddings.position_embeddings.weight", [MaxPositions, HiddenSize]);
        foreach (var norm in Norm("embeddings.LayerNorm")) yield return norm;
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var linear in Linears(layer))
            {
                yield return ($"{linear.Name}.weight", [linear.Out, linear.In]);
                yield return ($"{linear.Name}.bias", [linear.Out]);
            }

            foreach (var norm in Norm($"transformer.layer.{layer}.sa_layer_norm")) yield return norm;
            foreach (var norm in Norm($"transformer.layer.{layer}.output_layer_norm")) yield return norm;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<LinearShape> Linears(int layer)
    {
        var prefix = $"transformer.layer.{layer}";
        foreach (var name in new[] { "q_lin", "k_lin", "v_lin", "out_lin" }) yield return new LinearShape($"{prefix}.attention.{name}", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.ffn.lin1", HiddenSize, IntermediateSize);
        yield return new LinearShape($"{prefix}.ffn.lin2", IntermediateSize, HiddenSize);
    }

    /// <inheritdoc/>
    public override Trunk Build(IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true) => new DistilBertTrunk(this, weights, ownsWeights);

    /// <inheritdoc/>
    private protected override JsonObject Settings() => new()
    {
        ["architectures"] = new JsonArray("DistilBertModel"),
        ["model_type"] = "distilbert",
        ["vocab_size"] = VocabSize,
        ["dim"] = HiddenSize,
        ["n_layers"] = Layers,
        ["n_heads"] = Heads,
        ["hidden_dim"] = IntermediateSize,
        ["activation"] = "gelu",
        ["dropout"] = HiddenDropout,
        ["attention_dropout"] = AttentionDropout,
        ["max_position_embeddings"] = MaxPositions,
        ["pad_token_id"] = PadTokenId,
    };

    /// <inheritdoc/>
    internal override IEnumerable<string> Spellings(string name) => LayerNormNames.Of(name);

    /// <inheritdoc/>
    internal override bool IsBuffer(string name) => name is "embeddings.position_ids";

    private IEnumerable<(string, long[])> Norm(string name) => [($"{name}.weight", [HiddenSize]), ($"{name}.bias", [HiddenSize])];
}
