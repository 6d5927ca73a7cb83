using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>The shape of a BERT encoder: <c>config.json</c> of Hugging Face, model_type <c>bert</c>.</summary>
/// <param name="VocabSize">Rows of the word embedding table.</param>
/// <param name="HiddenSize">Width of a hidden state.</param>
/// <param name="Layers">Encoder layers.</param>
/// <param name="Heads">Attention heads; must divide the hidden size.</param>
/// <param name="IntermediateSize">Width of the feed-forward layer.</param>
/// <param name="MaxPositions">Rows of the position table: the longest input in tokens.</param>
/// <param name="TypeVocabSize">Rows of the token type table.</param>
/// <param name="LayerNormEps">Epsilon of every layer norm.</param>
/// <param name="HiddenDropout">Dropout after embeddings and after each block, in training.</param>
/// <param name="AttentionDropout">Dropout of attention weights, in training.</param>
/// <param name="PadTokenId">Id of [PAD].</param>
public sealed record BertConfig(
    int VocabSize, int HiddenSize, int Layers, int Heads, int IntermediateSize, int MaxPositions,
    int TypeVocabSize = 2, double LayerNormEps = 1e-12, double HiddenDropout = 0.1, double AttentionDropout = 0.1, int PadTokenId = 0)
    : TrunkConfig
{
    /// <inheritdoc/>
    public override string Family => "bert";

    /// <inheritdoc/>
    internal override string Words => "embeddings.word_embeddings.weight";

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Roots => ["embeddings.", "encoder."];

    /// <summary>Reads a config.json that must be a BERT's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">It is no BERT's, a key is missing, or a setting asks for what is not offered here.</exception>
    public static new BertConfig Read(string path, string? title = null) => TrunkConfig.Read(path, title) as BertConfig
        ?? throw new ModelException($"{title ?? path} is of another family than BERT");

    /// <summary>What a config.json says.</summary>
    internal static BertConfig Of(ConfigFile file)
    {
        file.RequirePlain(
            ("hidden_act", "\"gelu\""), ("position_embedding_type", "\"absolute\""), ("is_decoder", "false"), ("add_cross_attention", "false"),
            ("is_encoder_decoder", "false"), ("pruned_heads", "{}"), ("quantization_config", "{}"));
        file.RefuseOwnCode();
        var config = new BertConfig(
            file.Positive("vocab_size"), file.Positive("hidden_size"), file.Positive("num_hidden_layers"), file.Positive("num_attention_heads"),
            file.Positive("intermediate_size"), file.Positive("max_position_embeddings"), file.Positive("type_vocab_size", 2), file.Real("layer_norm_eps", 1e-12),
            file.Dropout("hidden_dropout_prob", 0.1), file.Dropout("attention_probs_dropout_prob", 0.1), file.Whole("pad_token_id", 0));
        return config.HiddenSize % config.Heads == 0 ? config
            : throw new ModelException($"{file.Title}: {config.Heads} heads do not divide a hidden size of {config.HiddenSize}");
    }

    /// <inheritdoc/>
    public override int HeadsOf(int layer) => Heads;

    /// <inheritdoc/>
    public override Trunk Build(IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true) => new BertTrunk(this, weights, ownsWeights);

    /// <inheritdoc/>
    private protected override JsonObject Settings() => new()
    {
        ["architectures"] = new JsonArray("BertModel"),
        ["model_type"] = "bert",
        ["vocab_size"] = VocabSize,
        ["hidden_size"] = HiddenSize,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["intermediate_size"] = IntermediateSize,
        ["hidden_act"] = "gelu",
        ["hidden_dropout_prob"] = HiddenDropout,
        ["attention_probs_dropout_prob"] = AttentionDropout,
        ["max_position_embeddings"] = MaxPositions,
        ["type_vocab_size"] = TypeVocabSize,
        ["layer_norm_eps"] = LayerNormEps,
        ["pad_token_id"] = PadTokenId,
    };

    /// <inheritdoc/>
    public override IEnumerable<(string Name, long[] Shape)> Tensors()
    {
        yield return ("embeddings.word_embeddings.weight", [VocabSize, HiddenSize]);
        yield return ("embeddings.position_embeddings.weight", [MaxPositions, HiddenSize]);
        yield return ("embeddings.token_type_embeddings.weight", [TypeVocabSize, HiddenSize]);
        foreach (var norm in Norm("embeddings.LayerNorm")) yield return norm;
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var linear in Linears(layer))
            {
                yield return ($"{linear.Name}.weight", [linear.Out, linear.In]);
                yield return ($"{linear.Name}.bias", [linear.Out]);
            }

            foreach (var norm in Norm($"encoder.layer.{layer}.attention.output.LayerNorm")) yield return norm;
            foreach (var norm in Norm($"encoder.layer.{layer}.output.LayerNorm")) yield return norm;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<LinearShape> Linears(int layer)
    {
        var prefix = $"encoder.layer.{layer}";
        yield return new LinearShape($"{prefix}.attention.self.query", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.self.key", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.self.value", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.output.dense", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.intermediate.dense", HiddenSize, IntermediateSize);
        yield return new LinearShape($"{prefix}.output.dense", IntermediateSize, HiddenSize);
    }

    /// <inheritdoc/>
    internal override IEnumerable<string> Spellings(string name) => LayerNormNames.Of(name);

    /// <inheritdoc/>
    internal override bool IsBuffer(string name) => name is "embeddings.position_ids" or "embeddings.token_type_ids";

    private IEnumerable<(string, long[])> Norm(string name) => [($"{name}.weight", [HiddenSize]), ($"{name}.bias", [HiddenSize])];
}
