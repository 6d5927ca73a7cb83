using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ssti.Nets.Models;

namespace Ssti.Nets.Lora;

/// <summary>adapter_config.json, as far as it says what an adapter computes. Every other key must leave it LoRA or DoRA as published, or is refused by name.</summary>
/// <remarks>Names are matched as PEFT does (<c>check_target_module_exists</c>, <c>get_pattern_key</c>).</remarks>
public sealed class PeftSettings
{
    // Nothing of these is seen in what an adapter computes.
    private static readonly HashSet<string> NoMatter =
    [
        "auto_mapping", "base_model_name_or_path", "inference_mode", "megatron_core", "peft_version", "qalora_group_size", "revision", "runtime_config",
        "task_type", "modules_to_save", "ensure_weight_tying",
    ];

    // Read below.
    private static readonly HashSet<string> Known =
    [
        "peft_type", "bias", "r", "lora_alpha", "lora_dropout", "target_modules", "use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "init_lora_weights",
        "layers_to_transform", "layers_pattern", "exclude_modules",
    ];

    private readonly JsonObject _config;

    private PeftSettings(JsonObject config) => _config = config;

    /// <summary>r.</summary>
    public int Rank => (int)Real("r");

    /// <summary>lora_alpha.</summary>
    public double Alpha => Real("lora_alpha");

    /// <summary>lora_dropout.</summary>
    public double Dropout => _config["lora_dropout"] is null ? 0 : Real("lora_dropout");

    /// <summary>use_dora.</summary>
    public bool UseDora => Flag("use_dora");

    /// <summary>task_type, such as <c>SEQ_CLS</c>; null for none.</summary>
    public string? TaskType => (string?)_config["task_type"];

    /// <summary>base_model_name_or_path; null for none.</summary>
    public string? BaseModel => _config["base_model_name_or_path"] is JsonValue value && value.TryGetValue(out string? name) && name.Length > 0 ? name : null;

    /// <summary>modules_to_save.</summary>
    public IReadOnlyList<string> Saved { get; private init; } = [];

    /// <summary>Reads the settings.</summary>
    /// <exception cref="ModelException">A key is missing, or asks for what is not offered here.</exception>
    public static PeftSettings Read(JsonObject config)
    {
        try
        {
            var settings = new PeftSettings(config) { Saved = config["modules_to_save"] is JsonArray saved ? [.. saved.Select(name => (string)name!).Distinct()] : [] };
            settings.Check();
            return settings;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or RegexParseException)
        {
            throw Fault($"cannot be read: {e.Message}");
        }
    }

    /// <summary>Whether a module, by its name in the model that PEFT wraps, is one that gets an adapter.</summary>
    public bool Targets(string module)
    {
        if (Matches(_config["exclude_modules"], module)) return false;
        if (Saved.Any(saved => Regex.IsMatch(module, $@"^(|.*\.)(?:{saved})($|\..*)"))) return false;
        if (_config["target_modules"] is JsonValue all && (string)all! == "all-linear") return true;
        return Matches(_config["target_modules"], module) && InLayers(module);
    }

    /// <summary>The rank of a module and what its product is scaled by.</summary>
    public LoraScale Of(string module)
    {
        var rank = (int)(Pattern("rank_pattern", module) ?? Rank);
        var alpha = Pattern("alpha_pattern", module) ?? Alpha;
        return new LoraScale(rank, Flag("use_rslora") ? alpha / Math.Sqrt(rank) : alpha / rank);
    }

    private static ModelException Fault(string what) => new($"{PeftAdapter.ConfigFile}: {what}");

    private void Check()
    {
        if ((string?)_config["peft_type"] != "LORA") throw Fault($"peft_type is '{_config["peft_type"]}', and only 'LORA' can be used");
        if ((string?)_config["bias"] is { } bias && bias != "none") throw Fault($"bias is '{bias}', and only 'none' can be used");
        // The others change the base as well: without its changed weights the adapter computes something else.
        if (_config["init_lora_weights"]?.ToJsonString() is { } start && start is not ("true" or "false" or "\"gaussian\""))
        {
            throw Fault(
                $"init_lora_weights is {start.Trim('"')}, which changes the base's weights, so that the adapter is none of the base as it is; "
                + "convert it in PEFT (save_pretrained with path_initial_model_for_weight_conversion), which makes it a plain one");
        }

        foreach (var (key, value) in _config)
        {
            if (value is null || NoMatter.Contains(key) || Known.Contains(key) || value.ToJsonString() is "false" or "{}" or "[]") continue;
            throw Fault($"{key} is {value.ToJsonString()}, which is not offered here");
        }

        if (_config["target_modules"] is null) throw Fault("target_modules must be a list of module names, a regular expression or 'all-linear', not null");
        if (Rank < 1) throw Fault($"r is {Rank}, and must be at least 1");
        if (Dropout is < 0 or >= 1) throw Fault($"lora_dropout is {Dropout}, and must be at least 0 and less than 1");
        _ = (Alpha, UseDora, Flag("use_rslora"), Targets("a.module"), Of("a.module"));
    }

    private bool Flag(string key) => _config[key] is { } value && ((value as JsonValue)?.TryGetValue(out bool on) == true
        ? on
        : throw Fault($"{key} is {value.ToJsonString()}, and must be true or false"));

    private double Real(string key) => Real(key, _config[key] ?? throw Fault($"has no '{key}'"));

    private static double Real(string key, JsonNode value) => double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number)
        ? number
        : throw Fault($"{key} is {value.ToJsonString()}, and must be a number");

    private double? Pattern(string key, string module)
    {
        foreach (var (pattern, value) in _config[key] as JsonObject ?? [])
        {
            if (!Regex.IsMatch(module, $@"^(.*\.)?({pattern})$")) continue;
            var number = Real($"{key} of '{pattern}'", value!);
            return number > 0 ? number : throw Fault($"{key} of '{pattern}' is {number}, and must be more than 0");
        }

        return null;
    }

    private static bool Matches(JsonNode? names, string module) => names switch
    {
        null => false,
        JsonArray list => list.Any(name => LoraConfig.Names((string)name!, module)),
        _ => Regex.IsMatch(module, $"^(?:{(string)names!})$"),
    };

    private bool InLayers(string module)
    {
        if (_config["layers_to_transform"] is not { } layers || layers is JsonArray { Count: 0 }) return true;
        // A module that is named in full needs no layer.
        if (_config["target_modules"] is not JsonArray names || names.Any(name => (string)name! == module)) return true;
        string[] patterns = _config["layers_pattern"] switch
        {
            JsonArray { Count: > 0 } list => [.. list.Select(pattern => (string)pattern!)],
            JsonValue one when ((string)one!).Length > 0 => [(string)one!],
            _ => [@"[^.]*"],
        };
        var found = patterns.Select(pattern => Regex.Match(module, $@"^.*?\.{pattern}\.(\d+)\.")).FirstOrDefault(match => match.Success);
        if (found is null) return false;
        var layer = int.Parse(found.Groups[^1].Value, CultureInfo.InvariantCulture);
        return layers is JsonArray several ? several.Any(one => (int)one! == layer) : (int)layers == layer;
    }
}
