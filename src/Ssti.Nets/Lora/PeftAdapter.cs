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

    /// <summary>What a head's module is called, here and in transformers' classifiers.</summary>
    public const string HeadModule = "classifier";

    /// <summary>What stands before every name.</summary>
    public const string Prefix = "base_model.model.";

    /// <summary>What stands before the own tensors of a linear that is adapted.</summary>
    internal const string BaseLayer = "base_layer.";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads an adapter's folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">adapter_config.json is missing or no JSON object.</exception>
    /// <exception cref="SafetensorsException">adapter_model.safetensors is missing or damaged.</exception>
    public static PeftAdapter Read(string folder, string? title = null)
    {
        title ??= folder;
        try
        {
            var config = JsonFile.Object(Path.Combine(folder, ConfigFile));
            var file = SafetensorsFile.Read(Path.Combine(folder, TensorFile), title: $"{title}/{TensorFile}");
            return new PeftAdapter(config, file.Tensors, file.Metadata);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{title}/{ConfigFile} is not an adapter's settings: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"there is no '{title}/{ConfigFile}': name a folder that PEFT's save_pretrained wrote", e);
        }
    }

    /// <summary>An adapter trained here, as PEFT would save it. The tensors are copies.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="baseModel">base_model_name_or_path: where PEFT finds the frozen model; null when it has no name on the Hub.</param>
    /// <param name="inside">
    /// Where the trunk stands in the model PEFT wraps: nothing for BertModel itself or a class derived from it, <c>bert.</c> for BertForSequenceClassification.
    /// </param>
    /// <param name="head">The head, to be a module <c>classifier</c> of the model PEFT wraps; null for the adapter alone.</param>
    /// <param name="revision">The frozen model's commit.</param>
    public static PeftAdapter From(LoraAdapter adapter, string? baseModel, string inside = "", ClassifierHead? head = null, string? revision = null)
    {
        string[] saved = [.. adapter.Config.ModulesToSave ?? [], .. head is null ? Array.Empty<string>() : [HeadModule]];
        var config = new JsonObject
        {
            ["alpha_pattern"] = Alphas(adapter),
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = PeftSettings.Written(adapter.Config.Bias),
            ["fan_in_fan_out"] = false,
            ["inference_mode"] = true,
            ["init_lora_weights"] = adapter.Config.Start switch { LoraStart.Gaussian => "gaussian", LoraStart.Random => false, _ => true },
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = Number(adapter.Config.Alpha),
            ["lora_dropout"] = adapter.Config.Dropout,
            ["modules_to_save"] = saved.Length == 0 ? null : new JsonArray([.. saved.Select(name => (JsonNode)name)]),
            ["peft_type"] = "LORA",
            ["r"] = adapter.Config.Rank,
            ["rank_pattern"] = Ranks(adapter),
            ["revision"] = revision,
            ["target_modules"] = Targets(adapter),
            ["task_type"] = head is null ? null : "SEQ_CLS",
            ["use_dora"] = adapter.Config.UseDora,
            ["use_rslora"] = adapter.Config.RankStabilized,
        };
        var tensors = adapter.Parameters.Copy().ToDictionary(pair => Prefix + inside + StoredName(adapter, pair.Key), pair => pair.Value.DetachFromDisposeScope());
        foreach (var (name, tensor) in head?.Parameters.Copy() ?? new Dictionary<string, Tensor>())
            tensors.Add($"{Prefix}{HeadModule}.{name[(name.LastIndexOf('.') + 1)..]}", tensor.DetachFromDisposeScope());
        return new PeftAdapter(config, tensors, new Dictionary<string, string> { ["format"] = "pt" });
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

    /// <summary>The adapter on a trunk, ready to be used or trained on, wherever the trunk stands in the model that PEFT wrapped.</summary>
    /// <param name="trunk">The model it was trained on.</param>
    /// <exception cref="ModelException">It is not plain LoRA or DoRA, or its tensors do not fit the trunk.</exception>
    public LoraAdapter On(Trunk trunk) => PeftContents.Of(this, trunk).Adapter(trunk);

    /// <summary>The settings that LoRA and DoRA need.</summary>
    /// <exception cref="ModelException">A key is missing, or asks for what is not offered here.</exception>
    public PeftSettings Settings() => PeftSettings.Read(Config);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }

    // An adapted linear is wrapped, and its own bias stands inside.
    private static string StoredName(LoraAdapter adapter, string name) =>
        name.EndsWith(".bias", StringComparison.Ordinal) && adapter.Targets.Any(linear => linear.Name == name[..^".bias".Length])
            ? name[..^"bias".Length] + BaseLayer + "bias" : name;

    // Every linear by its name: PEFT's all-linear would take a pooler or a head in as well.
    private static JsonNode Targets(LoraAdapter adapter) => adapter.Config switch
    {
        { TargetPattern: { } pattern } => JsonValue.Create(pattern),
        { TargetModules: [PeftNames.AllLinear] } => new JsonArray([.. adapter.Targets.Select(linear => (JsonNode)linear.Name)]),
        _ => new JsonArray([.. adapter.Config.TargetModules.Select(name => (JsonNode)name)]),
    };

    private static JsonObject Ranks(LoraAdapter adapter) => Pattern(adapter, adapter.Config.RankPattern, scale => scale.Rank, adapter.Config.Rank);

    private static JsonObject Alphas(LoraAdapter adapter) => Pattern(
        adapter, adapter.Config.AlphaPattern, scale => scale.Scaling * (adapter.Config.RankStabilized ? Math.Sqrt(scale.Rank) : scale.Rank), adapter.Config.Alpha);

    // As it was asked for; of an adapter that was read, for each linear that has a number of its own.
    private static JsonObject Pattern(LoraAdapter adapter, IReadOnlyList<LoraPattern>? patterns, Func<LoraScale, double> number, double otherwise)
    {
        var own = (adapter.Config.Own ?? new Dictionary<string, LoraScale>()).Where(pair => Math.Abs(number(pair.Value) - otherwise) > 1e-9 * otherwise)
            .Select(pair => new LoraPattern(pair.Key, number(pair.Value)));
        return new((patterns ?? own).Select(pattern => KeyValuePair.Create(pattern.Modules, (JsonNode?)Number(pattern.Value))));
    }

    // PEFT declares lora_alpha as an integer; a fraction is kept as it is.
    private static JsonNode Number(double value) => value == Math.Truncate(value) ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
