using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Chat;

/// <summary>
/// Answers by their request, in a file of JSON lines: <c>{"request": "…", "answer": "…", "served": "…"}</c>. What a stage leaves, what another replays, and what survives
/// an interruption: an answer is on disk before it counts.
/// </summary>
public sealed class ChatTranscript
{
    /// <summary>The file among a stage's outputs.</summary>
    public const string FileName = "answers.jsonl";

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly Dictionary<string, ChatAnswer> _answers = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly string? _file;

    private ChatTranscript(string? file) => _file = file;

    /// <summary>How many answers there are.</summary>
    public int Count => _answers.Count;

    /// <summary>Reads recorded answers, to be looked up.</summary>
    /// <exception cref="CorpusException">A line is no answer.</exception>
    public static ChatTranscript Read(string file)
    {
        var transcript = new ChatTranscript(null);
        foreach (var (index, line) in File.ReadLines(file).Index()) transcript.Put(Parse(line) ?? throw NoAnswer(file, index));
        return transcript;
    }

    /// <summary>Opens a file that grows with every answer. A last line that an interruption cut short is dropped, and its question asked again.</summary>
    public static ChatTranscript Continue(string file)
    {
        var transcript = new ChatTranscript(file);
        if (!File.Exists(file)) return transcript;
        var lines = File.ReadAllLines(file);
        var whole = lines.Index().TakeWhile(line => line.Index + 1 < lines.Length || Parse(line.Item) is not null).Select(line => line.Item).ToArray();
        foreach (var (index, line) in whole.Index()) transcript.Put(Parse(line) ?? throw NoAnswer(file, index));
        // The next answer must begin a line of its own.
        File.WriteAllText(file, string.Concat(whole.Select(line => line + "\n")));
        return transcript;
    }

    /// <summary>The answer to a request; null where there is none.</summary>
    public ChatAnswer? Find(ChatRequest request)
    {
        lock (_lock) return _answers.GetValueOrDefault(request.Digest);
    }

    /// <summary>Keeps an answer.</summary>
    public void Add(ChatAnswer answer)
    {
        lock (_lock)
        {
            if (_file is not null) File.AppendAllText(_file, Line(answer));
            Put(answer);
        }
    }

    /// <summary>Writes the answers to some requests, each once, in their order.</summary>
    public void Write(string file, IEnumerable<ChatRequest> requests)
    {
        using var writer = new StreamWriter(file, append: false, new UTF8Encoding(false));
        foreach (var digest in requests.Select(request => request.Digest).Distinct()) writer.Write(Line(_answers[digest]));
    }

    private void Put(ChatAnswer answer) => _answers[answer.Request] = answer;

    private static string Line(ChatAnswer answer) =>
        new JsonObject { ["request"] = answer.Request, ["answer"] = answer.Text, ["served"] = answer.Served }.ToJsonString(Readable) + "\n";

    private static CorpusException NoAnswer(string file, int index) =>
        CorpusException.AtRow(Path.GetFileName(file), index + 1, "the line is no recorded answer (\"request\" and \"answer\", strings)");

    private static ChatAnswer? Parse(string line)
    {
        try
        {
            var json = JsonNode.Parse(line) as JsonObject;
            return (string?)json?["request"] is { } request && (string?)json["answer"] is { } answer ? new(request, answer, (string?)json["served"]) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
