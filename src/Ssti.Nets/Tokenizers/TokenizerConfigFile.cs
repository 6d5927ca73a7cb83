using System.Globalization;
using System.Text.Json.Nodes;

namespace Ssti.Nets.Tokenizers;

/// <summary>tokenizer_config.json, special_tokens_map.json and added_tokens.json: every setting goes into the draft, changes no id, or is refused by name.</summary>
internal static class TokenizerConfigFile
{
    /// <summary>The settings.</summary>
    public const string Config = "tokenizer_config.json";

    private const string Map = "special_tokens_map.json", AddedTokens = "added_tokens.json";

    // What says nothing of the ids of a text: lengths and padding are max-length's here, and texts are never made of ids.
    private static readonly HashSet<string> NoMatter =
    [
        "model_max_length", "max_len", "max_length", "stride", "truncation_strategy", "pad_to_multiple_of", "pad_token_type_id", "clean_up_tokenization_spaces",
        "name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file", "full_tokenizer_file", "init_inputs", "use_fast", "backend", "is_local", "from_slow",
        "local_files_only", "cache_dir", "model_input_names", "processor_class", "return_tensors", "model_type", "vocab_size", "model_specific_special_tokens",
        "trust_remote_code", "token", "legacy", "chat_template", "transformers_version", "revision", "errors", "device_map", "torch_dtype", "dtype",
        "spaces_between_special_tokens", "use_default_system_prompt",
    ];

    /// <summary>Reads the three files, where they are.</summary>
    public static void Read(string folder, TokenizerDraft draft, ConfigFamily family)
    {
        if (draft.Json(folder, Config) is { } config)
        {
            foreach (var (key, value) in config)
            {
                if (value is not null) Setting(key, value, draft, family);
            }
        }

        if (draft.Json(folder, Map) is { } map)
        {
            foreach (var (key, value) in map)
            {
                if (value is not null && !Special(key, value, Map, draft)) throw draft.Fault(Map, $"'{key}' is a special token not known here");
            }
        }

        foreach (var (content, id) in draft.Json(folder, AddedTokens) ?? [])
        {
            if (id is not JsonValue number || !number.TryGetValue(out int whole)) throw draft.Fault(AddedTokens, $"'{content}' has no whole number for an id");
            draft.AddPlain(content, whole, AddedTokens);
        }
    }

    private static void Setting(string key, JsonNode value, TokenizerDraft draft, ConfigFamily family)
    {
        if (NoMatter.Contains(key) || Special(key, value, Config, draft) || family.Setting(key, value, draft)) return;
        switch (key)
        {
            case "added_tokens_decoder":
                foreach (var (id, token) in value as JsonObject ?? throw draft.Fault(Config, "added_tokens_decoder must be an object"))
                {
                    if (!int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) throw draft.Fault(Config, $"added_tokens_decoder: '{id}' is no id");
                    draft.Add(draft.Read(token, number, Config), Config);
                }

                break;
            case "tokenizer_class":
                var name = draft.String(value, key, Config);
                if (!family.Classes.Contains(name)) throw draft.Fault(Config, $"tokenizer_class is '{name}', and only {family.Known}");
                draft.Set(key, name, Config);
                break;
            default:
                Refuse(key, value, draft);
                break;
        }
    }

    /// <summary>Settings of which only the plain value can be had, and those that nobody here knows.</summary>
    private static void Refuse(string key, JsonNode value, TokenizerDraft draft)
    {
        var text = JsonFile.Text(value);
        var (known, plain) = key switch
        {
            "do_basic_tokenize" or "add_special_tokens" => (true, text == "true"),
            "split_special_tokens" or "add_prefix_space" or "add_bos_token" or "add_eos_token" => (true, text == "false"),
            "padding_side" or "truncation_side" => (true, text == "\"right\""),
            // Special tokens are never split anyway.
            "never_split" => (true, value is JsonArray words && words.All(word => word?.ToString() is "[PAD]" or "[UNK]" or "[CLS]" or "[SEP]" or "[MASK]")),
            "auto_map" => (true, false),
            _ => (false, text is "false" or "{}" or "[]"),
        };
        if (plain) return;
        throw draft.Fault(Config, known
            ? $"{key} is {text}, which is not offered here"
            : $"'{key}' ({text}) is a setting not known here; remove it if texts get the same ids without it");
    }

    private static bool Special(string key, JsonNode value, string file, TokenizerDraft draft)
    {
        if (TokenizerDraft.Named.Contains(key)) draft.Set(key, draft.Special(value, key, file), file);
        else if (key is not ("additional_special_tokens" or "extra_special_tokens")) return false;
        else if (value is JsonValue) throw draft.Fault(file, $"{key} is {JsonFile.Text(value)}, and must be a list of tokens");
        else
        {
            foreach (var token in value is JsonObject named && !named.ContainsKey("content") ? named.Select(pair => pair.Value) : value as IEnumerable<JsonNode?> ?? [])
                if (token is not null) draft.Special(token, key, file);
        }

        return true;
    }
}

/// <summary>What tokenizer_config.json means to one family.</summary>
/// <param name="Known">What is known, for the message that another class is not.</param>
/// <param name="Classes">Values of tokenizer_class that make the family's ids.</param>
/// <param name="Setting">Takes a setting into the draft; false for one that is not the family's own.</param>
internal sealed record ConfigFamily(string Known, HashSet<string> Classes, Func<string, JsonNode, TokenizerDraft, bool> Setting);
