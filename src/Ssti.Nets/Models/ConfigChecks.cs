using System.Text.Json.Nodes;

namespace Ssti.Nets.Models;

/// <summary>What a config.json must not ask for: settings under which the same weights compute something else than <see cref="BertTrunk"/> does.</summary>
internal static class ConfigChecks
{
    // The only value, besides absence, under which these leave BERT as it is.
    private static readonly (string Key, string Plain)[] Plain =
    [
        ("hidden_act", "\"gelu\""), ("position_embedding_type", "\"absolute\""), ("is_decoder", "false"), ("add_cross_attention", "false"),
        ("is_encoder_decoder", "false"), ("pruned_heads", "{}"), ("quantization_config", "{}"),
    ];

    /// <summary>Refuses whatever is no BERT.</summary>
    /// <exception cref="ModelException">Names the setting.</exception>
    public static void RequireBert(JsonObject json, string title)
    {
        const string advice = "choose a BERT encoder such as Snowflake/snowflake-arctic-embed-xs";
        var type = json["model_type"];
        var architecture = json["architectures"] is JsonArray { Count: > 0 } classes ? classes[0]?.ToString() : null;
        if (type is not null && type.ToString() != "bert") throw new ModelException($"{title}: model_type is '{type}', and only 'bert' can be trained; {advice}");
        // Configurations older than the key: a class of another family tells.
        if (type is null && architecture?.StartsWith("Bert", StringComparison.Ordinal) == false)
            throw new ModelException($"{title} has no model_type, and its architecture is '{architecture}', no BERT's; {advice}");
        foreach (var (key, plain) in Plain)
        {
            if (json[key] is { } value && JsonFile.Text(value) != plain)
                throw new ModelException($"{title}: {key} is {JsonFile.Text(value).Trim('"')}, and only {plain.Trim('"')} is known; {advice}");
        }

        if (json["auto_map"] is JsonObject code && code.FirstOrDefault(pair => pair.Key.StartsWith("AutoModel", StringComparison.Ordinal)).Value is { } own)
            throw new ModelException($"{title}: auto_map names code of the model's own ({own}), which is not run here; {advice}");
    }
}
