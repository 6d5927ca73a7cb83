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
        "task_type", "modules_to_save", "ensure_weight_tying", "eva_config",
    ];

    // Read below.
    private static readonly HashSet<string> Known =
    [
        "peft_type", "bias", "r", "lora_alpha", "lora_dropout", "target_modules", "use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "init_lora_weights",
        "layers_to_transform", "layers_pattern", "exclude_modules",
    ];

    // The starts that leave the base's weights as they are; eva and orthogonal only choose A and B.
    private static readonly HashSet<string> PlainStarts = ["true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\""];

    private static readonly Dictionary<string, LoraBias> Biases = new() { ["none"] = LoraBias.None, ["all"] = LoraBias.All, ["lora_only"] = LoraBias.LoraOnly };

    private readonly JsonObject _config;

    private PeftSettings(JsonObject config) => _config = config;

    /// <summary>r.</summary>
    public int Rank => Whole("r", Real("r"));

    /// <summary>lora_alpha.</summary>
    public double Alpha => Real("lora_alpha");

    /// <summary>lora_dropout.</summary>
    public double Dropout => _config["lora_dropout"] is null ? 0 : Real("lora_dropout");

    /// <summary>use_dora.</summary>
    public bool UseDora => Flag("use_dora");

    /// <summary>bias.</summary>
    public LoraBias Bias => (string?)_config["bias"] is { } bias ? Biases[bias] : LoraBias.None;

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
        var settings = new PeftSettings(config) { Saved = Reading(() => Names(config, "modules_to_save")) };
        Reading(() =>
        {
            settings.Check();
            return true;
        });
        return settings;
    }

    /// <summary>Whether a module, by its name in the model that PEFT wraps, is one that gets an adapter.</summary>
    /// <exception cref="ModelException">A pattern cannot be read, or takes too long.</exception>
    public bool Targets(string module) => Reading(() =>
    {
        if (Matches(_config["exclude_modules"], module)) return false;
        if (Saved.Any(saved => PeftNames.Match($@"^(|.*\.)(?:{saved})($|\..*)", module).Success)) return false;
        if (_config["target_modules"] is JsonValue all && (string)all! == PeftNames.AllLinear) return true;
        return Matches(_config["target_modules"], module) && InLayers(module);
    });

    /// <summary>The rank of a module and what its product is scaled by.</summary>
    /// <exception cref="ModelException">A pattern cannot be read, or takes too long.</exception>
    public LoraScale Of(string module) => Reading(() =>
    {
        var rank = Pattern("rank_pattern", module) is { } own ? Whole("rank_pattern", own) : Rank;
        var alpha = Pattern("alpha_pattern", module) ?? Alpha;
        return new LoraScale(rank, Flag("use_rslora") ? alpha / Math.Sqrt(rank) : alpha / rank);
    });

    /// <summary>bias as adapter_config.json has it.</summary>
    internal static string Written(LoraBias bias) => Biases.First(pair => pair.Value == bias).Key;

    // A value of another kind than its key wants, wherever it is looked at.
    private static T Reading<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or RegexParseException)
        {
            throw Fault($"cannot be read: {e.Message}");
        }
    }

    private static IReadOnlyList<string> Names(JsonObject config, string key) => config[key] switch
    {
        null => [],
        JsonArray names when names.All(name => name is JsonValue value && value.TryGetValue(out string? _)) =>
            [.. names.Select(name => (string)name!).Distinct()],
        var other => throw Fault($"{key} is {JsonFile.Text(other)}, and must be a list of names"),
    };

    private static int Whole(string key, double number) => number is >= 1 and <= int.MaxValue && number == Math.Truncate(number)
        ? (int)number
        : throw Fault($"{key} is {number.ToString(CultureInfo.InvariantCulture)}, and must be a whole number, at least 1");

    private static ModelException Fault(string what) => new($"{PeftAdapter.ConfigFile}: {what}");

    private void Check()
    {
        if ((string?)_config["peft_type"] != "LORA") throw Fault($"peft_type is '{_config["peft_type"]}', and only 'LORA' can be used");
        if ((string?)_config["bias"] is { } bias && !Biases.ContainsKey(bias)) throw Fault($"bias is '{bias}', and must be none, all or lora_only");
        // The others change the base as well: without its changed weights the adapter computes something else.
        if (_config["init_lora_weights"]?.ToJsonString() is { } start && !PlainStarts.Contains(start))
        {
            throw Fault(
                $"init_lora_weights is {start.Trim('"')}, which changes the base's weights, so that the adapter is none of the base as it is; "
                + "convert it in PEFT (save_pretrained with path_initial_model_for_weight_conversion), which makes it a plain one");
        }

        foreach (var (key, value) in _config)
        {
            if (value is null || NoMatter.Contains(key) || Known.Contains(key) || JsonFile.Text(value) is "false" or "{}" or "[]") continue;
            throw Fault($"{key} is {JsonFile.Text(value)}, which is not offered here");
        }

        if (_config["target_modules"] is null) throw Fault("target_modules must be a list of module names, a regular expression or 'all-linear', not null");
        if (!(Alpha > 0)) throw Fault($"lora_alpha is {Alpha.ToString(CultureInfo.InvariantCulture)}, and must be more than 0");
        if (Dropout is < 0 or >= 1) throw Fault($"lora_dropout is {Dropout}, and must be at least 0 and less than 1");
        _ = (Rank, TaskType, UseDora, Flag("use_rslora"), Targets("a.module"), Of("a.module"));
    }

    private bool Flag(string key) => _config[key] is { } value && ((value as JsonValue)?.TryGetValue(out bool on) == true
        ? on
        : throw Fault($"{key} is {JsonFile.Text(value)}, and must be true or false"));

    private double Real(string key) => Real(key, _config[key] ?? throw Fault($"has no '{key}'"));

    private static double Real(string key, JsonNode value) => double.TryParse(JsonFile.Text(value), CultureInfo.InvariantCulture, out var number)
        ? number
        : throw Fault($"{key} is {JsonFile.Text(value)}, and must be a number");

    private double? Pattern(string key, string module)
    {
        foreach (var (pattern, value) in _config[key] as JsonObject ?? [])
        {
            if (!PeftNames.Key(pattern, module)) continue;
            var number = Real($"{key} of '{pattern}'", value!);
            return number > 0 ? number : throw Fault($"{key} of '{pattern}' is {number}, and must be more than 0");
        }

        return null;
    }

    private static bool Matches(JsonNode? names, string module) => names switch
    {
        null => false,
        JsonArray list => list.Any(name => PeftNames.Named((string)name!, module)),
        _ => PeftNames.Whole((string)names!, module),
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
        var found = patterns.Select(pattern => PeftNames.Match($@"^.*?\.{pattern}\.(?<layer>\d+)\.", module)).FirstOrDefault(match => match.Success);
        if (found is null) return false;
        var layer = int.Parse(found.Groups["layer"].Value, CultureInfo.InvariantCulture);
        return layers is JsonArray several ? several.Any(one => (int)one! == layer) : (int)layers == layer;
    }
}
