using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>The shape of an OpenELM (Mehta et al. 2024): <c>config.json</c> of apple/OpenELM, model_type <c>openelm</c>. Layers have heads and widths of their own.</summary>
/// <param name="VocabSize">Rows of the word embedding table.</param>
/// <param name="HiddenSize">model_dim: width of a hidden state.</param>
/// <param name="Layers">num_transformer_layers.</param>
/// <param name="QkvMultipliers">qkv_multipliers: the width of all heads of queries as a share of the hidden size; one for all layers, or the first's and the last's.</param>
/// <param name="FfnMultipliers">ffn_multipliers: the width of the gated feed-forward layer as a share of it; one, the first's and the last's, or one a layer.</param>
/// <param name="Groups">num_gqa_groups: how many heads of queries share one of keys and values; divides the heads of every layer.</param>
/// <param name="HeadWidth">head_dim: columns of a head.</param>
/// <param name="MaxPositions">max_context_length: the longest input in tokens.</param>
/// <param name="FfnDivisor">ffn_dim_divisor: what the feed-forward widths are multiples of.</param>
/// <param name="RopeTheta">rope_freq_constant: the base of the rotary frequencies.</param>
/// <param name="NormalizeQueriesAndKeys">normalize_qk_projections: whether queries and keys have norms of their own.</param>
/// <param name="TieWordEmbeddings">share_input_output_layers: whether the language model's output matrix is the word table.</param>
public sealed record OpenElmConfig(
    int VocabSize, int HiddenSize, int Layers, IReadOnlyList<double> QkvMultipliers, IReadOnlyList<double> FfnMultipliers, int Groups, int HeadWidth,
    int MaxPositions = 2048, int FfnDivisor = 256, double RopeTheta = 10000, bool NormalizeQueriesAndKeys = true, bool TieWordEmbeddings = true)
    : DecoderConfig
{
    // Of every norm: the published code has it as a constant.
    private const double Epsilon = 1e-6;

    /// <inheritdoc/>
    public override string Family => "openelm";

    /// <summary>Heads of queries, a layer each.</summary>
    public IReadOnlyList<int> QueryHeads { get; } =
        [.. LayerWise.Spread(QkvMultipliers, Layers).Select(share => LayerWise.Divisible(HiddenSize * share, HeadWidth * Groups) / HeadWidth)];

    /// <summary>Widths of the gated feed-forward layers, a layer each.</summary>
    public IReadOnlyList<int> IntermediateSizes { get; } =
        [.. LayerWise.Spread(FfnMultipliers, Layers).Select(share => LayerWise.Divisible(HiddenSize * share, FfnDivisor))];

    /// <inheritdoc/>
    internal override string Words => "token_embeddings.weight";

    /// <inheritdoc/>
    internal override double NormEpsilon => Epsilon;

    /// <inheritdoc/>
    internal override RopeSettings Rotary => new(RopeTheta);

    /// <summary>What a config.json says: heads and widths follow from its multipliers, as in configuration_openelm.py.</summary>
    /// <exception cref="ModelException">A key is missing, or a setting asks for what is not offered here.</exception>
    internal static OpenElmConfig Of(ConfigFile file)
    {
        // Its auto_map is not looked at: the code it names is the published one, and what it computes is here.
        file.RequirePlain(
            ("activation_fn_name", "\"swish\""), ("normalization_layer_name", "\"rms_norm\""), ("ffn_with_glu", "true"), ("is_encoder_decoder", "false"),
            ("quantization_config", "{}"));
        var layers = file.Positive("num_transformer_layers");
        IReadOnlyList<double> Multipliers(string key, params int[] counts) => file.Reals(key) is var given && counts.Contains(given.Count) ? given
            : throw file.Fault(key, $"has {given.Count} numbers, and must have {string.Join(" or ", counts)}");
        var config = new OpenElmConfig(
            file.Positive("vocab_size"), file.Positive("model_dim"), layers, Multipliers("qkv_multipliers", 1, 2), Multipliers("ffn_multipliers", 1, 2, layers),
            file.Positive("num_gqa_groups", 1), file.Positive("head_dim"), file.Positive("max_context_length", 2048), file.Positive("ffn_dim_divisor", 256),
            file.Real("rope_freq_constant", 10000), file.Flag("normalize_qk_projections", false), file.Flag("share_input_output_layers", false));
        if (config.HeadWidth % 2 != 0) throw file.Fault("head_dim", $"is {config.HeadWidth}, and rotary positions turn pairs of columns: it must be even");
        LayerWise.RequireAgreement(file, "num_query_heads", config.QueryHeads);
        LayerWise.RequireAgreement(file, "num_kv_heads", [.. Enumerable.Range(0, layers).Select(config.KeyValueHeadsOf)]);
        return config;
    }

    /// <inheritdoc/>
    public override int HeadsOf(int layer) => QueryHeads[layer];

    /// <inheritdoc/>
    public override int KeyValueHeadsOf(int layer) => QueryHeads[layer] / Groups;

    /// <inheritdoc/>
    private protected override IEnumerable<(string Name, long[] Shape)> TensorsOf(int layer)
    {
        var prefix = $"layers.{layer}";
        yield return ($"{prefix}.attn_norm.weight", [HiddenSize]);
        if (NormalizeQueriesAndKeys)
        {
            yield return ($"{prefix}.attn.q_norm.weight", [HeadWidth]);
            yield return ($"{prefix}.attn.k_norm.weight", [HeadWidth]);
        }

        yield return ($"{prefix}.ffn_norm.weight", [HiddenSize]);
        foreach (var linear in WeightsOf(layer)) yield return linear;
    }

    /// <inheritdoc/>
    public override IEnumerable<LinearShape> Linears(int layer)
    {
        var prefix = $"layers.{layer}";
        var queries = QueryHeads[layer] * HeadWidth;
        yield return new LinearShape($"{prefix}.attn.qkv_proj", HiddenSize, queries + (2 * KeyValueHeadsOf(layer) * HeadWidth));
        yield return new LinearShape($"{prefix}.attn.out_proj", queries, HiddenSize);
        yield return new LinearShape($"{prefix}.ffn.proj_1", HiddenSize, 2 * IntermediateSizes[layer]);
        yield return new LinearShape($"{prefix}.ffn.proj_2", IntermediateSizes[layer], HiddenSize);
    }

    /// <summary>fp32 whatever the precision, as modeling_openelm.py does; fp64 stays.</summary>
    internal override ScalarType TurnedIn(ScalarType dtype) => dtype == ScalarType.Float64 ? dtype : ScalarType.Float32;

    /// <inheritdoc/>
    internal override DecoderLayer Layer(DecoderTrunk trunk, int number) => new OpenElmLayer(this, trunk, number);

    /// <inheritdoc/>
    private protected override JsonObject Settings() => new()
    {
        ["architectures"] = new JsonArray("OpenELMModel"),
        ["model_type"] = "openelm",
        ["vocab_size"] = VocabSize,
        ["model_dim"] = HiddenSize,
        ["num_transformer_layers"] = Layers,
        ["head_dim"] = HeadWidth,
        ["num_gqa_groups"] = Groups,
        ["qkv_multipliers"] = Written(QkvMultipliers),
        ["ffn_multipliers"] = Written(FfnMultipliers),
        ["ffn_dim_divisor"] = FfnDivisor,
        ["ffn_with_glu"] = true,
        ["activation_fn_name"] = "swish",
        ["normalization_layer_name"] = "rms_norm",
        ["normalize_qk_projections"] = NormalizeQueriesAndKeys,
        ["share_input_output_layers"] = TieWordEmbeddings,
        ["rope_freq_constant"] = RopeTheta,
        ["max_context_length"] = MaxPositions,
    };

    /// <inheritdoc/>
    internal override bool IsBuffer(string name) => name.Contains(".pos_embedding.", StringComparison.Ordinal);

    /// <summary>Equal when every layer is.</summary>
    public bool Equals(OpenElmConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    private static JsonNode Written(IReadOnlyList<double> multipliers) =>
        multipliers is [var only] ? JsonValue.Create(only) : new JsonArray([.. multipliers.Select(value => (JsonNode)JsonValue.Create(value))]);
}
