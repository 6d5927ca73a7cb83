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
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">It is no BERT's, a key is missing, or a setting asks for what is not offered here.</exception>
    public static BertConfig Read(string path, string? title = null)
    {
        title ??= path;
        JsonObject json;
        try
        {
            json = JsonFile.Object(path);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{title} is not a model's config.json: {e.Message}", e);
        }

        ConfigChecks.RequireBert(json, title);
        int Int(string key, int? otherwise = null) => json[key] is not { } value ? otherwise ?? throw new ModelException($"{title} has no '{key}'")
            : value is JsonValue number && number.TryGetValue(out int whole) && whole >= 0 ? whole
            : throw new ModelException($"{title}: '{key}' is {JsonFile.Text(value)}, and must be a whole number");
        int Positive(string key, int? otherwise = null) => Int(key, otherwise) is > 0 and var value ? value : throw new ModelException($"{title}: '{key}' must be more than 0");
        double Real(string key, double otherwise) => json[key] is not { } value ? otherwise
            : value is JsonValue number && number.TryGetValue(out double real) && real >= 0 ? real
            : throw new ModelException($"{title}: '{key}' is {JsonFile.Text(value)}, and must be a number");
        double Dropout(string key) => Real(key, 0.1) is < 1 and var share ? share : throw new ModelException($"{title}: '{key}' must be less than 1");
        var config = new BertConfig(
            Positive("vocab_size"), Positive("hidden_size"), Positive("num_hidden_layers"), Positive("num_attention_heads"), Positive("intermediate_size"),
            Positive("max_position_embeddings"), Positive("type_vocab_size", 2), Real("layer_norm_eps", 1e-12),
            Dropout("hidden_dropout_prob"), Dropout("attention_probs_dropout_prob"), Int("pad_token_id", 0));
        if (config.HiddenSize % config.Heads != 0)
            throw new ModelException($"{title}: {config.Heads} heads do not divide a hidden size of {config.HiddenSize}");
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
