using System.Text.Json;
using System.Text.Json.Nodes;

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
{
    /// <summary>Reads a config.json.</summary>
    /// <exception cref="ModelException">It is no BERT's, or a key is missing.</exception>
    public static BertConfig Read(string path)
    {
        JsonObject json;
        try
        {
            json = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw new ModelException($"{path} is not a model's config.json: {e.Message}", e);
        }

        if ((string?)json["model_type"] is var type && type != "bert")
            throw new ModelException($"{path}: model_type is '{type}', and only 'bert' can be trained; choose a BERT encoder such as Snowflake/snowflake-arctic-embed-xs");
        if ((string?)json["hidden_act"] is var activation && activation is not (null or "gelu"))
            throw new ModelException($"{path}: hidden_act is '{activation}', and only 'gelu' is known");
        if ((string?)json["position_embedding_type"] is var positions && positions is not (null or "absolute"))
            throw new ModelException($"{path}: position_embedding_type is '{positions}', and only 'absolute' is known");
        int Int(string key) => json[key]?.GetValue<int>() ?? throw new ModelException($"{path} has no '{key}'");
        double Real(string key, double otherwise) => json[key]?.GetValue<double>() ?? otherwise;
        var config = new BertConfig(
            Int("vocab_size"), Int("hidden_size"), Int("num_hidden_layers"), Int("num_attention_heads"), Int("intermediate_size"),
            Int("max_position_embeddings"), json["type_vocab_size"]?.GetValue<int>() ?? 2, Real("layer_norm_eps", 1e-12),
            Real("hidden_dropout_prob", 0.1), Real("attention_probs_dropout_prob", 0.1), json["pad_token_id"]?.GetValue<int>() ?? 0);
        if (config.HiddenSize % config.Heads != 0)
            throw new ModelException($"{path}: {config.Heads} heads do not divide a hidden size of {config.HiddenSize}");
        return config;
    }

    /// <summary>The config.json of this shape, as Hugging Face reads it.</summary>
    public string ToJson() => new JsonObject
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
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";

    /// <summary>Every tensor of the encoder without pooler, by its Hugging Face name, with its shape.</summary>
    public IEnumerable<(string Name, long[] Shape)> Tensors()
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

    /// <summary>The linears of a layer, in the order they are computed.</summary>
    public IEnumerable<LinearShape> Linears(int layer)
    {
        var prefix = $"encoder.layer.{layer}";
        yield return new LinearShape($"{prefix}.attention.self.query", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.self.key", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.self.value", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.attention.output.dense", HiddenSize, HiddenSize);
        yield return new LinearShape($"{prefix}.intermediate.dense", HiddenSize, IntermediateSize);
        yield return new LinearShape($"{prefix}.output.dense", IntermediateSize, HiddenSize);
    }

    private IEnumerable<(string, long[])> Norm(string name) => [($"{name}.weight", [HiddenSize]), ($"{name}.bias", [HiddenSize])];
}

/// <summary>A linear layer that an adapter may attach to.</summary>
/// <param name="Name">Its Hugging Face module name, such as <c>encoder.layer.0.output.dense</c>.</param>
/// <param name="In">Width of its input.</param>
/// <param name="Out">Width of its output.</param>
public sealed record LinearShape(string Name, long In, long Out);
