using System.Text.Json.Nodes;
using Ssti.Corpus.Chat;
using Ssti.Tests;

namespace Ssti.Corpus.Tests.Chat;

public sealed class ChatClientTests : IDisposable
{
    private const string Secret = "sk-very-secret";
    private readonly ChatServer _server = new();
    private readonly TempFolder _folder = new();
    private readonly List<string> _log = [];

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    private ChatOptions Options => new()
    {
        Endpoint = new Uri(_server.Endpoint), Model = "toy", Prompt = "Say it louder:\n{text}", Backoff = TimeSpan.FromMilliseconds(1), Retries = 3, Log = _log.Add,
    };

    [Fact]
    public async Task It_asks_as_clients_of_OpenAI_do()
    {
        var answer = await AskAsync(Options with { ApiKey = Secret, System = "You are loud.", Temperature = 0.5, MaxTokens = 9 }, "good film");
        Assert.Equal(("GOOD FILM", "toy-1"), (answer.Text, answer.Served));
        var body = Assert.Single(_server.Seen);
        Assert.Equal(
            """{"model":"toy","messages":[{"role":"system","content":"You are loud."},{"role":"user","content":"Say it louder:\ngood film"}]"""
            + ""","temperature":0.5,"max_tokens":9,"stream":false}""",
            body.ToJsonString());
        Assert.Equal($"Bearer {Secret}", Assert.Single(_server.Keys));
    }

    [Fact]
    public async Task Without_a_key_none_is_sent()
    {
        await AskAsync(Options, "good");
        Assert.Null(Assert.Single(_server.Keys));
    }

    [Theory]
    [InlineData(429, "{\"error\":{\"message\":\"slow down\"}}")]
    [InlineData(500, "")]
    [InlineData(503, "<html>down</html>")]
    [InlineData(200, "{\"choices\":[{\"message\":{\"content\":\"GOO")]
    [InlineData(200, "{\"choices\":[]}")]
    [InlineData(200, "{\"object\":\"list\"}")]
    [InlineData(200, "[]")]
    [InlineData(200, "{\"choices\":[{\"message\":{\"content\":\" \"}}]}")]
    [InlineData(200, "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[]}}]}")]
    public async Task What_may_pass_is_tried_again(int status, string body)
    {
        _server.Fail(status, body);
        _server.Fail(status, body);
        Assert.Equal("GOOD", (await AskAsync(Options, "good")).Text);
        Assert.Equal(3, _server.Seen.Count);
        Assert.Equal(2, _log.Count(line => line.Contains("trying again", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_server_says_how_long_to_wait()
    {
        _server.Fail(429, "", ("Retry-After", "1"));
        var started = System.Diagnostics.Stopwatch.StartNew();
        await AskAsync(Options, "good");
        Assert.InRange(started.ElapsedMilliseconds, 900, 20_000);
    }

    [Fact]
    public async Task An_answer_that_does_not_come_in_time_is_asked_for_again_and_in_the_end_an_error_names_the_row()
    {
        for (var i = 0; i < 2; i++) _server.Next.Enqueue((200, null, [], TimeSpan.FromSeconds(3)));
        var error = await Assert.ThrowsAsync<CorpusException>(() => AskAsync(Options with { Timeout = TimeSpan.FromMilliseconds(100), Retries = 1 }, "good"));
        Assert.StartsWith($"row '7' of 'train': toy at {_server.Endpoint} gave no answer in 2 tries, at last: no answer within 0.1 s", error.Message);
    }

    [Fact]
    public async Task What_will_not_pass_is_told_at_once_and_never_shows_the_key()
    {
        _server.Fail(401, "{\"error\":{\"message\":\"Incorrect API key provided: " + Secret + "\"}}");
        var error = await Assert.ThrowsAsync<CorpusException>(() => AskAsync(Options with { ApiKey = Secret, ApiKeyVariable = "MY_KEY" }, "good"));
        Assert.Contains("refused with 401", error.Message);
        Assert.Contains("environment variable MY_KEY", error.Message);
        Assert.DoesNotContain(Secret, error.ToString());
        Assert.DoesNotContain(Secret, (Options with { ApiKey = Secret }).ToString());
        Assert.Single(_server.Seen);
    }

    [Fact]
    public async Task The_key_is_in_no_log_line()
    {
        _server.Fail(500, "your key " + Secret + " is fine, we are not");
        await AskAsync(Options with { ApiKey = Secret }, "good");
        Assert.Contains("your key ***", Assert.Single(_log));
    }

    [Fact]
    public async Task An_answer_that_was_cut_is_no_answer()
    {
        _server.Fail(200, ChatServer.Answer("GOOD FI", "length"));
        Assert.Contains("cut at max-tokens (512)", (await Assert.ThrowsAsync<CorpusException>(() => AskAsync(Options, "good film"))).Message);
    }

    [Fact]
    public async Task A_wrong_address_says_what_addresses_look_like()
    {
        var error = await Assert.ThrowsAsync<CorpusException>(() => AskAsync(Options with { Endpoint = new Uri($"http://127.0.0.1:{_server.Port}") }, "good"));
        Assert.Contains("ends with /v1", error.Message);
    }

    [Fact]
    public async Task Every_question_is_asked_once_and_no_more_at_a_time_than_allowed()
    {
        _server.Pace = TimeSpan.FromMilliseconds(30);
        var requests = Enumerable.Range(0, 24).Select(i => ChatRequest.Of(Options, $"{i}", $"text {i / 2}")).ToArray();
        var transcript = ChatTranscript.Continue(Path.Combine(_folder.Root, "checkpoint.jsonl"));
        using var client = new ChatClient(Options with { Parallel = 3 });
        var seen = new List<long>();
        await client.AnswerAsync(requests, transcript, done => { lock (seen) seen.Add(done); }, CancellationToken.None);
        Assert.Equal(12, _server.Seen.Count);
        Assert.InRange(_server.Most, 2, 3);
        Assert.All(requests, (request, i) => Assert.Equal($"TEXT {i / 2}", transcript.Find(request)!.Text));
        Assert.Equal(12, seen.Max());
    }

    [Fact]
    public async Task After_an_interruption_only_what_is_missing_is_asked_for()
    {
        var file = Path.Combine(_folder.Root, "checkpoint.jsonl");
        var requests = Enumerable.Range(0, 6).Select(i => ChatRequest.Of(Options, $"'{i}' of 'train'", $"text {i}")).ToArray();
        using var client = new ChatClient(Options with { Parallel = 1, Retries = 0 });
        for (var i = 0; i < 3; i++) _server.Next.Enqueue((200, null, [], default));
        _server.Fail(500, "out of memory");
        var error = await Assert.ThrowsAsync<CorpusException>(() => client.AnswerAsync(requests, ChatTranscript.Continue(file), null, CancellationToken.None));
        Assert.Contains("row '3' of 'train'", error.Message);
        Assert.Contains("What was answered is kept", error.Message);
        // Killed while it wrote the third answer.
        File.WriteAllText(file, File.ReadAllText(file)[..^9]);

        var seen = _server.Seen.Count;
        var transcript = ChatTranscript.Continue(file);
        Assert.Equal(2, transcript.Count);
        await client.AnswerAsync(requests, transcript, null, CancellationToken.None);
        Assert.Equal(4, _server.Seen.Count - seen);
        Assert.Equal(6, File.ReadAllLines(file).Select(line => (string?)JsonNode.Parse(line)!["request"]).Distinct().Count());
    }

    [Fact]
    public void A_request_is_known_by_what_is_asked_and_not_by_where_or_for_which_row()
    {
        var one = ChatRequest.Of(Options, "1", "good");
        Assert.Equal(one.Digest, ChatRequest.Of(Options with { Endpoint = null, ApiKey = Secret, Parallel = 9 }, "2", "good").Digest);
        Assert.NotEqual(one.Digest, ChatRequest.Of(Options, "1", "bad").Digest);
        Assert.NotEqual(one.Digest, ChatRequest.Of(Options with { Temperature = 1 }, "1", "good").Digest);
        Assert.DoesNotContain(Secret, ChatRequest.Of(Options with { ApiKey = Secret }, "2", "good").Body);
    }

    [Fact]
    public void A_damaged_recording_names_its_line()
    {
        var file = Path.Combine(_folder.Root, "answers.jsonl");
        File.WriteAllText(file, "{\"request\":\"a\",\"answer\":\"b\"}\n{\"request\":1}\n");
        Assert.StartsWith("answers.jsonl(2): ", Assert.Throws<CorpusException>(() => ChatTranscript.Read(file)).Message);
    }

    private async Task<ChatAnswer> AskAsync(ChatOptions options, string text)
    {
        using var client = new ChatClient(options);
        return await client.AskAsync(ChatRequest.Of(options, "'7' of 'train'", text), CancellationToken.None);
    }
}
