using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;

namespace Ssti.Nets.Tokenizers;

/// <summary>What the files of a tokenizer say of it, put together; where two of them contradict each other, neither is believed.</summary>
internal sealed class TokenizerDraft(string title)
{
    /// <summary>The special tokens by the name of their setting.</summary>
    public static readonly IReadOnlyList<string> Named = ["pad_token", "unk_token", "cls_token", "sep_token", "mask_token", "bos_token", "eos_token"];

    /// <summary>More than any model has: what is above it is a slip, and would be a table of that many rows.</summary>
    public const int HighestId = 10_000_000;

    private readonly Dictionary<string, (int Id, string Where)> _ids = [];
    private readonly Dictionary<string, (object Value, string Where)> _settings = [];
    private readonly Dictionary<string, (AddedToken Token, string Where)> _added = [];
    private readonly List<(string Content, AddedToken? Flags, string Where)> _special = [];

    /// <summary>A fault in a file.</summary>
    public ModelException Fault(string file, string what) => new($"{title}/{file}: {what}");

    /// <summary>Reads a file that holds a JSON object; null when it is not there.</summary>
    public JsonObject? Json(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonFile.Object(path);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{title}/{file} is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Notes a setting.</summary>
    /// <exception cref="ModelException">Another file says otherwise.</exception>
    public void Set<T>(string key, T value, string file)
        where T : notnull
    {
        if (_settings.TryAdd(key, (value, file)) || Equals(_settings[key].Value, value)) return;
        throw new ModelException($"{title}: {_settings[key].Where} says that {key} is {Text(_settings[key].Value)}, and {file} that it is {Text(value)}; make them agree");

        static string Text(object value) => value is bool on ? (on ? "true" : "false") : value is string text ? $"\"{text}\"" : $"{value}";
    }

    /// <summary>Notes the id that a file gives to the token of a setting, such as <c>cls_token</c>.</summary>
    public void Expect(string key, JsonNode? id, string what, string file)
    {
        if (id is null) return;
        if (id is not JsonValue number || !number.TryGetValue(out int whole)) throw Fault(file, $"{what} has the id {JsonFile.Text(id)}");
        _ids[key] = (whole, $"{file}: {what}");
    }

    /// <summary>Refuses ids beside a token's name that are not those of the vocabulary: Hugging Face writes the ids, whatever the name.</summary>
    /// <param name="idOf">The id of the token of a setting.</param>
    /// <param name="piece">The piece of an id.</param>
    public void RequireIds(Func<string, int> idOf, Func<int, string> piece)
    {
        foreach (var (key, (id, where)) in _ids)
        {
            var own = idOf(key);
            if (own != id) throw new ModelException($"{title}/{where} gives {piece(own)} the id {id}, and the vocabulary {own}; make them agree");
        }
    }

    /// <summary>Notes an added token with its id.</summary>
    /// <exception cref="ModelException">Another file says otherwise.</exception>
    public void Add(AddedToken token, string file)
    {
        if (token.Content.Length == 0) throw Fault(file, "an added token is empty");
        if (token.Id is < 0 or > HighestId)
            throw Fault(file, $"the added token '{token.Content}' has the id {token.Id}, which no embedding can have");
        if (_added.TryAdd(token.Content, (token, file))) return;
        // White space beside a token has no id, so that it does not matter who takes it.
        static AddedToken Plain(AddedToken token) => token with { LeftStrip = false, RightStrip = false };
        var (other, where) = _added[token.Content];
        if (Plain(token) != Plain(other)) throw new ModelException($"{title}: {where} and {file} describe the added token '{token.Content}' differently; make them agree");
    }

    /// <summary>Notes an added token of which only the id is known.</summary>
    public void AddPlain(string content, int id, string file)
    {
        if (!_added.TryGetValue(content, out var other)) Add(new AddedToken(content, id), file);
        else if (other.Token.Id != id) throw new ModelException($"{title}: {other.Where} gives '{content}' the id {other.Token.Id}, and {file} {id}; make them agree");
    }

    /// <summary>Notes a token that is special, as text or with flags.</summary>
    public string Special(JsonNode token, string key, string file)
    {
        if (token is JsonValue value && value.TryGetValue(out string? text))
        {
            _special.Add((text, null, file));
            return text;
        }

        var read = Read(token, -1, file, special: true);
        _special.Add((read.Content, read, file));
        return read.Content;
    }

    /// <summary>A token as the files describe one: its content and flags.</summary>
    public AddedToken Read(JsonNode? token, int id, string file, bool special = false)
    {
        if (token is not JsonObject json || json["content"] is not JsonValue content || !content.TryGetValue(out string? text))
            throw Fault(file, $"{JsonFile.Text(token)} is no added token: it has no content");
        if (json.FirstOrDefault(pair => pair.Key is not ("id" or "content" or "special" or "normalized" or "single_word" or "lstrip" or "rstrip" or "__type")).Key is { } unknown)
            throw Fault(file, $"the added token '{text}' has a setting '{unknown}', which is not known here");
        bool Flag(string key, bool otherwise) => json[key] is not { } value ? otherwise : Bool(value, key, file);
        var isSpecial = Flag("special", special);
        return new AddedToken(text, id, isSpecial, Flag("normalized", !isSpecial), Flag("single_word", false), Flag("lstrip", false), Flag("rstrip", false));
    }

    /// <summary>A setting that must be true or false.</summary>
    public bool Bool(JsonNode value, string key, string file) =>
        value is JsonValue flag && flag.TryGetValue(out bool on) ? on : throw Fault(file, $"{key} is {JsonFile.Text(value)}, and must be true or false");

    /// <summary>A setting that must be text.</summary>
    public string String(JsonNode value, string key, string file) =>
        value is JsonValue text && text.TryGetValue(out string? read) ? read : throw Fault(file, $"{key} is {JsonFile.Text(value)}, and must be text");

    /// <summary>A setting that was noted; <paramref name="otherwise"/> where none was.</summary>
    public T Of<T>(string key, T otherwise) => _settings.TryGetValue(key, out var noted) ? (T)noted.Value : otherwise;

    /// <summary>The added tokens together; special ones without an entry of their own have the id of their piece.</summary>
    /// <exception cref="ModelException">A special token has no id.</exception>
    public IEnumerable<AddedToken> Added(IReadOnlyDictionary<string, int> ids)
    {
        var tokens = _added.ToDictionary(pair => pair.Key, pair => pair.Value.Token);
        foreach (var (content, flags, file) in _special)
        {
            if (tokens.TryGetValue(content, out var listed)) tokens[content] = listed with { Special = true };
            else if (ids.TryGetValue(content, out var id)) tokens[content] = (flags ?? new AddedToken(content, id, Normalized: false)) with { Id = id, Special = true };
            else throw Fault(file, $"the special token '{content}' is neither in the vocabulary nor among the added tokens, so that it has no embedding");
        }

        return tokens.Values.OrderBy(token => token.Id);
    }
}
