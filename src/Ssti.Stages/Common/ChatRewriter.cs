using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Chat;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>
/// Asks a model about every row, or takes recorded answers. Every question and its answer stand in <c>answers.jsonl</c> afterwards; what was answered before an interruption is
/// not asked again.
/// </summary>
internal sealed class ChatRewriter : IDisposable
{
    private readonly ChatParameters _parameters;
    private readonly StageContext _context;
    private readonly ChatOptions _options;
    private readonly ChatClient _client;
    private readonly ChatTranscript _transcript;
    private readonly List<ChatRequest> _asked = [];

    /// <param name="parameters">Which endpoint, or which recorded answers.</param>
    /// <param name="defaultPrompt">The stage's own prompt.</param>
    /// <param name="context">The stage.</param>
    /// <param name="environment">Gives an environment variable, or null: where the endpoint's key is.</param>
    public ChatRewriter(ChatParameters parameters, string defaultPrompt, StageContext context, Func<string, string?> environment)
    {
        (_parameters, _context) = (parameters, context);
        _options = parameters.ToOptions(defaultPrompt, environment, context.Log);
        _client = new ChatClient(_options);
        // A file of this name follows the stage to another machine.
        _transcript = parameters.Replay is { } replay
            ? ChatTranscript.Read(Recorded(replay))
            : ChatTranscript.Continue(Path.Combine(context.ScratchFolder, "checkpoint-answers.jsonl"));
        context.Log(parameters.Replay is null ? $"asking {_options}{(_transcript.Count > 0 ? $"; {_transcript.Count} answers are kept from an earlier attempt" : "")}"
            : $"{_transcript.Count} recorded answers");
    }

    /// <summary>What is asked, for provenance: not where.</summary>
    public JsonObject Describe() => new()
    {
        ["model"] = _options.Model, ["system"] = _options.System, ["prompt"] = _options.Prompt, ["temperature"] = _options.Temperature, ["max-tokens"] = _options.MaxTokens,
        ["replayed"] = _parameters.Replay is not null,
    };

    /// <summary>The answers, one a row; an empty text is not asked about.</summary>
    /// <exception cref="StageException">A row has no answer.</exception>
    public async Task<string[]> AnswersAsync(string split, IReadOnlyList<Row> rows, IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        var requests = texts.Select((text, i) => string.IsNullOrWhiteSpace(text) ? null : ChatRequest.Of(_options, $"'{rows[i].Id}' of '{split}'", text)).ToArray();
        var asked = requests.OfType<ChatRequest>().ToArray();
        _asked.AddRange(asked);
        if (_parameters.Replay is not null)
        {
            if (asked.FirstOrDefault(request => _transcript.Find(request) is null) is { } missing)
            {
                throw new StageException(
                    $"row {missing.Row}: chat.replay has no answer to its request ({missing.Digest[..12]}…), "
                        + $"and {asked.Count(request => _transcript.Find(request) is null)} of {asked.Length} rows are without: "
                    + "it answers the model, prompt, temperature, max-tokens and texts that it was recorded with. Record again with 'endpoint'");
            }
        }
        else
        {
            try
            {
                await _client.AnswerAsync(asked, _transcript, done => _context.Progress(new(done, asked.Length, "rows", split)), cancellation);
            }
            catch (CorpusException error)
            {
                throw new StageException(error.Message, error);
            }
        }

        return [.. requests.Select((request, i) => request is null ? texts[i] : _transcript.Find(request)!.Text)];
    }

    /// <summary>Leaves every question with its answer.</summary>
    public void Save()
    {
        _transcript.Write(_context.Output(ChatTranscript.FileName), _asked);
        var served = _asked.Select(request => _transcript.Find(request)!.Served).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToArray();
        _context.Log($"{_asked.Count} rows answered{(served.Length > 0 ? $" by {string.Join(", ", served)}" : "")}");
        if (served.Length > 1) _context.Warn($"the endpoint answered as several models: {string.Join(", ", served)}");
    }

    public void Dispose() => _client.Dispose();

    private static string Recorded(SourcePath replay)
    {
        var path = Directory.Exists(replay.LocalPath) ? Path.Combine(replay.LocalPath, ChatTranscript.FileName) : replay.LocalPath!;
        return File.Exists(path) ? path : throw new StageException($"chat.replay: there is no {ChatTranscript.FileName} in '{replay}'; "
            + $"give what a stage recorded, as 'ssti export' puts it");
    }
}
