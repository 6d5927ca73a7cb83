using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Nets.Models;

/// <summary>A config.json, read strictly: a key of another kind than its family wants, or a setting that asks for what is not offered, is refused by name.</summary>
internal sealed class ConfigFile
{
    private readonly JsonObject _json;

    private ConfigFile(JsonObject json, string title) => (_json, Title) = (json, title);

    /// <summary>What messages call it.</summary>
    public string Title { get; }

    /// <summary>model_type; null without one.</summary>
    public string? ModelType => _json["model_type"]?.ToString();

    /// <summary>The first of architectures; null without one.</summary>
    public string? Architecture => _json["architectures"] is JsonArray { Count: > 0 } classes ? classes[0]?.ToString() : null;

    /// <summary>A value; null where there is none.</summary>
    public JsonNode? this[string key] => _json[key];

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is no JSON object.</exception>
    public static ConfigFile Read(string path, string? title)
    {
        try
        {
            return new ConfigFile(JsonFile.Object(path), title ?? path);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{title ?? path} is not a model's config.json: {e.Message}", e);
        }
    }

    /// <summary>The settings inside of one, such as rope_scaling; null where there are none.</summary>
    public ConfigFile? Inside(string key) => _json[key] switch
    {
        null => null,
        JsonObject json => new ConfigFile(json, $"{Title}: {key}"),
        var other => throw Fault(key, $"is {JsonFile.Text(other)}, and must be an object"),
    };

    /// <summary>A whole number, at least 0.</summary>
    public int Whole(string key, int? otherwise = null) => _json[key] is not { } value ? otherwise ?? throw Missing(key)
        : value is JsonValue number && number.TryGetValue(out int whole) && whole >= 0 ? whole
        : throw Fault(key, $"is {JsonFile.Text(value)}, and must be a whole number");

    // Whoever took one family's file for another's sees it by the type.
    private ModelException Missing(string key) => new($"{Title} has no '{key}'{(ModelType is { } type ? $", which a model of the type '{type}' has" : "")}");

    /// <summary>A whole number, at least 1.</summary>
    public int Positive(string key, int? otherwise = null) => Whole(key, otherwise) is > 0 and var value ? value : throw Fault(key, "must be more than 0");

    /// <summary>A number, at least 0.</summary>
    public double Real(string key, double? otherwise = null) => _json[key] is not { } value ? otherwise ?? throw Missing(key)
        : Number(key, value);

    /// <summary>A number of a list, or the same number for all of its places.</summary>
    public IReadOnlyList<double> Reals(string key) => _json[key] switch
    {
        null => throw Missing(key),
        JsonArray { Count: > 0 } list => [.. list.Select(value => Number(key, value))],
        var value => [Number(key, value)],
    };

    /// <summary>A probability that is less than 1.</summary>
    public double Dropout(string key, double otherwise) => Real(key, otherwise) is < 1 and var share ? share : throw Fault(key, "must be less than 1");

    /// <summary>True or false.</summary>
    public bool Flag(string key, bool otherwise) => _json[key] is not { } value ? otherwise
        : value is JsonValue flag && flag.TryGetValue(out bool on) ? on : throw Fault(key, $"is {JsonFile.Text(value)}, and must be true or false");

    /// <summary>Refuses settings under which the same weights would compute something else.</summary>
    /// <param name="plain">The only values, besides absence, that leave the family as it is known here; as JSON.</param>
    /// <exception cref="ModelException">Names the setting.</exception>
    public void RequirePlain(params (string Key, string Plain)[] plain)
    {
        foreach (var (key, value) in plain)
        {
            if (_json[key] is { } set && JsonFile.Text(set) != value)
                throw new ModelException($"{Title}: {key} is {JsonFile.Text(set).Trim('"')}, and only {value.Trim('"')} is known; {TrunkConfig.Advice}");
        }
    }

    /// <summary>Refuses a model whose code comes with it.</summary>
    /// <exception cref="ModelException">Names the class.</exception>
    public void RefuseOwnCode()
    {
        if (_json["auto_map"] is JsonObject code && code.FirstOrDefault(pair => pair.Key.StartsWith("AutoModel", StringComparison.Ordinal)).Value is { } own)
            throw new ModelException($"{Title}: auto_map names code of the model's own ({own}), which is not run here; {TrunkConfig.Advice}");
    }

    /// <summary>What is wrong with a key.</summary>
    public ModelException Fault(string key, string what) => new($"{Title}: '{key}' {what}");

    private double Number(string key, JsonNode? value) => value is JsonValue number && number.TryGetValue(out double real) && real >= 0 && double.IsFinite(real) ? real
        : throw Fault(key, $"is {JsonFile.Text(value)}, and must be a number");
}
