using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssti.Corpus.Chat;

/// <summary>
/// Asks an endpoint that speaks OpenAI's chat interface (<c>POST …/chat/completions</c>). Failures that may pass (408, 409, 425, 429, 5xx, a broken connection, an answer that
/// is no JSON, without a choice or without a word, one that takes too long) are tried again; all others end the work. None is passed over.
/// </summary>
public sealed class ChatClient : IDisposable
{
    private const int MostOfAMessage = 300;
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ChatOptions _options;
    private readonly HttpClient _client;
    private readonly Uri? _address;

    /// <param name="options">What is asked, and where.</param>
    public ChatClient(ChatOptions options)
    {
        _options = options;
        // A redirect would take the key to another host.
        _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = options.Timeout, MaxConnectionsPerServer = options.Parallel })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _address = options.Endpoint is { } endpoint ? new Uri(endpoint.AbsoluteUri.TrimEnd('/') + "/chat/completions") : null;
    }

    /// <summary>Answers every request that the transcript has no answer to yet; each answer is in it as soon as it comes.</summary>
    /// <param name="requests">The requests; the same question is asked once.</param>
    /// <param name="transcript">Where answers are looked up and kept.</param>
    /// <param name="progress">Told how many have an answer.</param>
    /// <param name="cancellation">Stops; what was answered stays answered.</param>
    /// <exception cref="CorpusException">A request has no answer; names its row. The others in flight are given up.</exception>
    public async Task AnswerAsync(IReadOnlyList<ChatRequest> requests, ChatTranscript transcript, Action<long>? progress, CancellationToken cancellation)
    {
        var open = requests.Where(request => transcript.Find(request) is null).DistinctBy(request => request.Digest).ToArray();
        long done = requests.DistinctBy(request => request.Digest).Count() - open.Length;
        progress?.Invoke(done);
        CorpusException? first = null;
        try
        {
            await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = _options.Parallel, CancellationToken = cancellation }, Answer);
        }
        catch (Exception) when (first is not null)
        {
            throw first;
        }

        async ValueTask Answer(ChatRequest request, CancellationToken stop)
        {
            try
            {
                transcript.Add(await AskAsync(request, stop));
                progress?.Invoke(Interlocked.Increment(ref done));
            }
            catch (CorpusException error)
            {
                Interlocked.CompareExchange(ref first, error, null);
                throw;
            }
        }
    }

    /// <summary>The answer to a request.</summary>
    /// <exception cref="CorpusException">There is none, for good or after all retries.</exception>
    public async Task<ChatAnswer> AskAsync(ChatRequest request, CancellationToken cancellation)
    {
        for (var failures = 0; ;)
        {
            try
            {
                return await OnceAsync(request, cancellation);
            }
            catch (Exception error) when (error is PassingFailure or HttpRequestException or IOException && !cancellation.IsCancellationRequested)
            {
                if (++failures > _options.Retries)
                {
                    throw new CorpusException(
                        $"row {request.Row}: {_options} gave no answer in {failures} {(failures == 1 ? "try" : "tries")}, at last: "
                            + $"{Clean(error.Message)}. What was answered is kept: run again to go on", error);
                }

                var pause = (error as PassingFailure)?.RetryAfter ?? TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, _options.Backoff.Ticks << Math.Min(failures - 1, 20)));
                _options.Log?.Invoke($"row {request.Row}: {Clean(error.Message)}; trying again in {pause.TotalSeconds:0.#} s");
                await Task.Delay(pause, cancellation);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<ChatAnswer> OnceAsync(ChatRequest request, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_options.Timeout);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, _address) { Content = new StringContent(request.Body, Encoding.UTF8, "application/json") };
            message.Headers.UserAgent.Add(new ProductInfoHeaderValue("ssti", "0.1"));
            if (_options.ApiKey is { Length: > 0 } key) message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var body = await response.Content.ReadAsStringAsync(limit.Token);
            return response.IsSuccessStatusCode ? Read(request, body) : throw Refused(request, response, body);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new PassingFailure($"no answer within {_options.Timeout.TotalSeconds:0.#} s", null, error);
        }
    }

    private ChatAnswer Read(ChatRequest request, string body)
    {
        JsonNode? json;
        try
        {
            json = JsonNode.Parse(body);
        }
        catch (JsonException error)
        {
            throw new PassingFailure($"an answer that is no JSON: {error.Message}", null, error);
        }

        try
        {
            if (json?["choices"] is not JsonArray { Count: > 0 } choices) throw new PassingFailure("an answer without a choice");
            var text = (string?)choices[0]?["message"]?["content"];
            if (string.IsNullOrWhiteSpace(text)) throw new PassingFailure("an answer without a word");
            if ((string?)choices[0]?["finish_reason"] == "length")
                throw new CorpusException($"row {request.Row}: the answer was cut at max-tokens ({_options.MaxTokens}), so it is no whole text; raise max-tokens");
            return new(request.Digest, text.Trim(), (string?)json["model"]);
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException)
        {
            throw new PassingFailure($"an answer of another form than OpenAI's: {error.Message}", null, error);
        }
    }

    private Exception Refused(ChatRequest request, HttpResponseMessage response, string body)
    {
        var status = (int)response.StatusCode;
        var told = $"{status} {response.ReasonPhrase}{(body.Length > 0 ? $": {body}" : "")}";
        if (status is 408 or 409 or 425 or 429 or >= 500)
        {
            var after = response.Headers.RetryAfter?.Delta;
            return new PassingFailure(told, after is { } wait && wait > LongestPause ? LongestPause : after);
        }

        var advice = status switch
        {
            401 or 403 => _options.ApiKey is null
                ? $"It wants a key: put it into the environment variable {_options.ApiKeyVariable}"
                : $"Is the key in the environment variable {_options.ApiKeyVariable} right?",
            404 => $"Is the endpoint right (its address ends with /v1 for most servers), and is '{_options.Model}' a model that it has?",
            >= 300 and < 400 => $"It redirects to {response.Headers.Location}; give that address",
            _ => "The request will not be better the next time",
        };
        return new CorpusException($"row {request.Row}: {_options} refused with {Clean(told)}. {advice}");
    }

    // A server may repeat the key in what it says.
    private string Clean(string message)
    {
        if (_options.ApiKey is { Length: > 0 } key) message = message.Replace(key, "***", StringComparison.Ordinal);
        message = message.ReplaceLineEndings(" ");
        return message.Length > MostOfAMessage ? message[..MostOfAMessage] + "…" : message;
    }

    private sealed class PassingFailure(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
    {
        public TimeSpan? RetryAfter => retryAfter;
    }
}
