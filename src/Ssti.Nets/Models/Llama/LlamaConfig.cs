using System.Text.Json.Nodes;

namespace Ssti.Nets.Models;

/// <summary>
/// The shape of a Llama (Touvron et al. 2023; Llama 3: Dubey et al. 2024): <c>config.json</c> of Hugging Face, model_type <c>llama</c>, with LlamaModel's names.
/// </summary>
/// <param name="VocabSize">Rows of the word embedding table.</param>
/// <param name="HiddenSize">Width of a hidden state.</param>
/// <param name="Layers">Decoder layers.</param>
/// <param name="Heads">Heads of queries.</param>
/// <param name="KeyValueHeads">Heads of keys and values, each shared by as many queries' (grouped-query attention); divides the heads.</param>
/// <param name="HeadWidth">Columns of a head.</param>
/// <param name="IntermediateSize">Width of the feed-forward layer.</param>
/// <param name="MaxPositions">The longest input in tokens.</param>
/// <param name="Rope">The rotary positions.</param>
/// <param name="RmsNormEps">Epsilon of every norm.</param>
/// <param name="AttentionDropout">Dropout of attention weights, in training.</param>
/// <param name="TieWordEmbeddings">Whether the language model's output matrix is the word table.</param>
public sealed record LlamaConfig(
    int VocabSize, int HiddenSize, int Layers, int Heads, int KeyValueHeads, int HeadWidth, int IntermediateSize, int MaxPositions, RopeSettings Rope,
    double RmsNormEps = 1e-6, double AttentionDropout = 0, bool TieWordEmbeddings = false)
    : DecoderConfig
{
    /// <inheritdoc/>
    public override string Family => "llama";

    /// <inheritdoc/>
    internal override string Words => "embed_tokens.weight";

    /// <inheritdoc/>
    internal override double NormEpsilon => RmsNormEps;

    /// <inheritdoc/>
    internal override RopeSettings Rotary => Rope;

    /// <summary>What a config.json says.</summary>
    /// <exception cref="ModelException">A key is missing, or a setting asks for what is not offered here.</exception>
    internal static LlamaConfig Of(ConfigFile file)
    {
        file.RequirePlain(
            ("hidden_act", "\"silu\""), ("attention_bias", "false"), ("mlp_bias", "false"), ("is_encoder_decoder", "false"), ("add_cross_attention", "false"),
            ("pruned_heads", "{}"), ("quantization_config", "{}"));
        file.RefuseOwnCode();
        var (hidden, heads) = (file.Positive("hidden_size"), file.Positive("num_attention_heads"));
        var shared = file.Positive("num_key_value_heads", heads);
        if (heads % shared != 0) throw new ModelException($"{file.Title}: {shared} heads of keys and values do not divide {heads} heads of queries");
        if (file["head_dim"] is null && hidden % heads != 0) throw new ModelException($"{file.Title}: {heads} heads do not divide a hidden size of {hidden}");
        var width = file.Positive("head_dim", hidden / heads);
        if (width % 2 != 0) throw file.Fault("head_dim", $"is {width}, and rotary positions turn pairs of columns: it must be even");
        var positions = file.Positive("max_position_embeddings", 2048);
        return new LlamaConfig(
            file.Positive("vocab_size"), hidden, file.Positive("num_hidden_layers"), heads, shared, width, file.Positive("intermediate_size"), positions,
            RopeSettings.Of(file, positions), file.Real("rms_norm_eps", 1e-6), file.Dropout("attention_dropout", 0), file.Flag("tie_word_embeddings", false));
    }

    /// <inheritdoc/>
    public override int HeadsOf(int layer) => Heads;

    /// <inheritdoc/>
    public override int KeyValueHeadsOf(int layer) => KeyValueHeads;

    /// <inheritdoc/>
    private protected override IEnumerable<(string Name, long[] Shape)> TensorsOf(int layer) =>
    [
        ($"layers.{layer}.input_layernorm.weight", [HiddenSize]), .. WeightsOf(layer), ($"layers.{layer}.post_attention_layernorm.weight", [HiddenSize]),
    ];

    /// <inheritdoc/>
    public override IEnumerable<LinearShape> Linears(int layer)
    {
        var (attention, feedForward) = ($"layers.{layer}.self_attn", $"layers.{layer}.mlp");
        yield return new LinearShape($"{attention}.q_proj", HiddenSize, Heads * HeadWidth);
        yield return new LinearShape($"{attention}.k_proj", HiddenSize, KeyValueHeads * HeadWidth);
        yield return new LinearShape($"{attention}.v_proj", HiddenSize, KeyValueHeads * HeadWidth);
        yield return new LinearShape($"{attention}.o_proj", Heads * HeadWidth, HiddenSize);
        yield return new LinearShape($"{feedForward}.gate_proj", HiddenSize, IntermediateSize);
        yield return new LinearShape($"{feedForward}.up_proj", HiddenSize, IntermediateSize);
        yield return new LinearShape($"{feedForward}.down_proj", IntermediateSize, HiddenSize);
    }

    /// <inheritdoc/>
    internal override DecoderLayer Layer(DecoderTrunk trunk, int number) => new LlamaLayer(this, trunk, number);

    /// <inheritdoc/>
    private protected override JsonObject Settings() => new()
    {
        ["architectures"] = new JsonArray("LlamaModel"),
        ["model_type"] = "llama",
        ["vocab_size"] = VocabSize,
        ["hidden_size"] = HiddenSize,
        ["num_hidden_layers"] = Layers,
        ["num_attention_heads"] = Heads,
        ["num_key_value_heads"] = KeyValueHeads,
        ["head_dim"] = HeadWidth,
        ["intermediate_size"] = IntermediateSize,
        ["hidden_act"] = "silu",
        ["max_position_embeddings"] = MaxPositions,
        ["rms_norm_eps"] = RmsNormEps,
        ["rope_theta"] = Rope.Theta,
        ["rope_scaling"] = Rope.ToJson(),
        ["attention_bias"] = false,
        ["mlp_bias"] = false,
        ["attention_dropout"] = AttentionDropout,
        ["tie_word_embeddings"] = TieWordEmbeddings,
    };

    // Checkpoints of 2023 keep the frequencies beside each layer.
    internal override bool IsBuffer(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);
}
