using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Lora;

/// <summary>An adapter in PEFT's two files, adapter_config.json and adapter_model.safetensors.</summary>
/// <param name="Config">Every key of adapter_config.json, known here or not, in its order.</param>
/// <param name="Tensors">The tensors by PEFT's names, such as <c>base_model.model.encoder.layer.0.output.dense.lora_A.weight</c>.</param>
/// <param name="Metadata">The free text of the tensor file.</param>
public sealed record PeftAdapter(JsonObject Config, IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) : IDisposable
{
    /// <summary>Name of the settings file.</summary>
    public const string ConfigFile = "adapter_config.json";

    /// <summary>Name of the tensor file.</summary>
    public const string TensorFile = "adapter_model.safetensors";

    private const string Prefix = "base_model.model.";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Settings that change what an adapter computes, and the values that leave it plain LoRA or DoRA.
    private static readonly string[] MustBeOff =
    [
        "use_rslora", "use_qalora", "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern", "layers_to_transform", "layer_replication",
        "exclude_modules", "trainable_token_indices", "target_parameters", "alora_invocation_tokens", "use_bdlora",
    ];

    /// <summary>Reads an adapter's folder.</summary>
    /// <exception cref="ModelException">adapter_config.json is missing or no JSON object.</exception>
    /// <exception cref="SafetensorsException">adapter_model.safetensors is missing or damaged.</exception>
    public static PeftAdapter Read(string folder)
    {
        var path = Path.Combine(folder, ConfigFile);
        try
        {
            var config = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new JsonException("it is not an object");
            _ = config.Count; // doubled keys are found when the object is first looked into
            var file = SafetensorsFile.Read(Path.Combine(folder, TensorFile));
            return new PeftAdapter(config, file.Tensors, file.Metadata);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new ModelException($"{path} is not an adapter's settings: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"there is no '{path}': name a folder that PEFT's save_pretrained wrote", e);
        }
    }

    /// <summary>An adapter trained here, as PEFT would save it. The tensors are copies.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseModel">base_model_name_or_path: where PEFT finds the frozen model; null when it has no name.</param>
    /// <param name="inside">
    /// Where the trunk stands in the model PEFT wraps: nothing for AutoModel itself, <c>bert.</c> for BertForSequenceClassification.
    /// </param>
    public static PeftAdapter From(LoraAdapter adapter, string? baseModel, string inside = "")
    {
        var config = new JsonObject
        {
            ["alpha_pattern"] = new JsonObject(),
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = Number(adapter.Config.Alpha),
            ["lora_dropout"] = adapter.Config.Dropout,
            ["modules_to_save"] = null,
            ["peft_type"] = "LORA",
            ["r"] = adapter.Config.Rank,
            ["rank_pattern"] = new JsonObject(),
            ["revision"] = null,
            ["target_modules"] = new JsonArray([.. adapter.Config.TargetModules.Select(name => (JsonNode)name)]),
            ["task_type"] = null,
            ["use_dora"] = adapter.Config.UseDora,
            ["use_rslora"] = false,
        };
        return new PeftAdapter(
            config, adapter.Parameters.Copy().ToDictionary(pair => Prefix + inside + pair.Key, pair => pair.Value.DetachFromDisposeScope()),
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Writes both files; the same adapter always gives the same bytes.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        SafetensorsFile.Write(Path.Combine(folder, TensorFile), Tensors, Metadata);
        // The settings come last: a folder that has them is a whole adapter.
        var path = Path.Combine(folder, ConfigFile);
        var temporary = $"{path}.{Guid.NewGuid():n}.part";
        File.WriteAllText(temporary, Config.ToJsonString(Indented), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The adapter on a trunk, ready to be used or trained on.</summary>
    /// <param name="trunk">The model it was trained on.</param>
    /// <param name="inside">As for <see cref="From"/>.</param>
    /// <exception cref="ModelException">It is not plain LoRA or DoRA, or its tensors do not fit the trunk.</exception>
    public LoraAdapter On(Trunk trunk, string inside = "")
    {
        var prefix = Prefix + inside;
        if (Tensors.Keys.FirstOrDefault(name => !name.StartsWith(prefix, StringComparison.Ordinal)) is { } foreign)
            throw new ModelException($"the adapter's tensor '{foreign}' does not begin with '{prefix}': it was trained on a model of another structure");
        return LoraAdapter.Load(Settings(), trunk, Tensors.ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value));
    }

    /// <summary>The settings that LoRA and DoRA need.</summary>
    /// <exception cref="ModelException">A key is missing, or asks for what is not offered here.</exception>
    public LoraConfig Settings()
    {
        if ((string?)Config["peft_type"] != "LORA") throw new ModelException($"{ConfigFile}: peft_type is '{Config["peft_type"]}', and only 'LORA' can be used");
        if ((string?)Config["bias"] is { } bias && bias != "none") throw new ModelException($"{ConfigFile}: bias is '{bias}', and only 'none' can be used");
        foreach (var key in MustBeOff)
        {
            if (Config[key] is { } value && value.ToJsonString() is not ("false" or "{}" or "[]"))
                throw new ModelException($"{ConfigFile}: {key} is {value.ToJsonString()}, which is not offered here");
        }

        if (Config["target_modules"] is not JsonArray targets)
            throw new ModelException($"{ConfigFile}: target_modules must be a list of module names, not {Config["target_modules"]?.ToJsonString() ?? "null"}");
        double Real(string key) => Config[key] is not { } value ? throw new ModelException($"{ConfigFile} has no '{key}'")
            : double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number) ? number
            : throw new ModelException($"{ConfigFile}: {key} is {value.ToJsonString()}, and must be a number");
        return new LoraConfig((int)Real("r"), Real("lora_alpha"), Real("lora_dropout"), [.. targets.Select(name => (string)name!)], (bool?)Config["use_dora"] ?? false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }

    // PEFT declares lora_alpha as an integer; a fraction is kept as it is.
    private static JsonNode Number(double value) => value == Math.Truncate(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
