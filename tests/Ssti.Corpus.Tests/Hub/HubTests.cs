using System.Text;
using Ssti.Corpus.Hub;

namespace Ssti.Corpus.Tests.Hub;

public sealed class HubTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly HubServer _server = new();
    private readonly List<TimeSpan> _pauses = [];
    private readonly byte[] _large = [.. Enumerable.Range(0, 700_000).Select(number => (byte)(number * 31 + number / 997))];

    public HubTests()
    {
        _server.Small["README.md"] = "# hello"u8.ToArray();
        _server.Small["data/train.jsonl"] = Encoding.UTF8.GetBytes("{\"text\":\"é\",\"label\":0}\n");
        _server.Large["data/train-00000-of-00001.parquet"] = _large;
    }

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_repository_is_listed_at_its_commit()
    {
        var snapshot = await OpenAsync();

        Assert.Equal(HubServer.Commit, snapshot.Commit);
        Assert.Equal(["README.md", "data/train-00000-of-00001.parquet", "data/train.jsonl"], snapshot.Files);
        Assert.Equal($"{{\"source\":\"hf://owner/name\",\"revision\":\"{HubServer.Commit}\"}}", snapshot.Describe().ToJsonString());
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_not_to_where_it_redirects()
    {
        var path = await FetchAsync("data/train-00000-of-00001.parquet", options => options with { Token = "hf_secret" });

        Assert.Equal(_large, File.ReadAllBytes(path));
        Assert.NotEmpty(_server.AtCdn);
        Assert.All(_server.AtHub, seen => Assert.Equal("Bearer hf_secret", seen.Authorization));
        Assert.All(_server.AtCdn, seen => Assert.Null(seen.Authorization));
    }

    [Fact]
    public async Task A_file_is_downloaded_once()
    {
        var first = await FetchAsync("README.md");
        var requests = _server.AtHub.Count(seen => seen.Path.Contains("resolve"));
        var second = await FetchAsync("README.md");

        Assert.Equal(first, second);
        Assert.Equal("# hello", File.ReadAllText(second));
        Assert.Equal(requests, _server.AtHub.Count(seen => seen.Path.Contains("resolve")));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    public async Task A_server_error_passes(int status)
    {
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(status), times: 2);
        _server.Fault("HEAD", "README.md", (_, _) => Answer.Of(status));
        _server.Fault("GET", "README.md", (_, _) => Answer.Of(status));

        Assert.Equal("# hello", File.ReadAllText(await FetchAsync("README.md")));

        Assert.Equal([1, 2, 1, 1], _pauses.Select(pause => (int)pause.TotalSeconds));
    }

    [Fact]
    public async Task Too_many_requests_are_followed_by_the_pause_the_server_asks_for()
    {
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(429, "", ("Retry-After", "17")));
        _server.Fault("HEAD", "README.md", (_, _) => Answer.Of(429, "", ("Retry-After", "Tue, 24 Nov 2026 12:00:40 GMT")));

        await FetchAsync("README.md", options => options with { Clock = new FixedClock(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero)) });

        Assert.Equal([17, 40], _pauses.Select(pause => (int)pause.TotalSeconds));
    }

    [Fact]
    public async Task A_server_that_never_recovers_is_given_up()
    {
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(500), times: 4);

        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(options => options with { Retries = 3 }));

        Assert.StartsWith("hf://owner/name failed 4 times, at last with: the server answered 500", error.Message);
    }

    /// <summary>Nobody waits a minute to hear that there is no network.</summary>
    [Fact]
    public async Task A_server_that_is_not_there_is_given_up_soon_with_its_address()
    {
        using var gone = new HubServer();
        var endpoint = gone.Endpoint;
        gone.Dispose();

        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(options => options with { Endpoint = endpoint }));

        Assert.Contains($"failed 3 times, at last with: Connection refused ({endpoint.Authority})", error.Message);
        Assert.Contains($"Is there a network here (a proxy is named in HTTPS_PROXY), and is {endpoint} right (HF_ENDPOINT)?", error.Message);
        Assert.Equal([1, 2], _pauses.Select(pause => (int)pause.TotalSeconds));
    }

    [Fact]
    public async Task A_server_that_answered_before_may_be_starting_again_and_is_waited_for()
    {
        var snapshot = await OpenAsync();
        _server.Dispose();

        var error = await Assert.ThrowsAsync<CorpusException>(() => snapshot.FetchAsync("README.md", CancellationToken.None));

        Assert.Contains("failed 7 times", error.Message);
        Assert.Equal([1, 2, 4, 8, 16, 32], _pauses.Select(pause => (int)pause.TotalSeconds));
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_names_the_cure()
    {
        var file = _folder.Write("a-file", "x");
        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(options => options with { CacheFolder = file }));
        Assert.Contains("Set SSTI_CACHE", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500_000)]
    public async Task A_download_cut_short_goes_on_where_it_stopped(int sent)
    {
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { SendOnly = sent });

        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet")));

        Assert.Equal(sent == 0 ? null : $"bytes={sent}-", _server.AtCdn.Last().Range);
        Assert.Equal(2, _server.AtCdn.Count);
    }

    [Fact]
    public async Task A_connection_that_keeps_breaking_is_no_failure_while_there_is_progress()
    {
        for (var time = 0; time < 7; time++) _server.Fault("GET", "/lfs/", (_, answer) => answer with { SendOnly = 90_000 });

        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet", options => options with { Retries = 1 })));
    }

    [Fact]
    public async Task A_server_without_ranges_starts_again()
    {
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { SendOnly = 1000 });
        _server.Fault("GET", "/lfs/", (_, _) => new Answer(200, _large, []));

        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet")));
    }

    [Fact]
    public async Task A_file_that_changed_between_two_parts_is_fetched_anew()
    {
        var snapshot = await OpenAsync(options => options with { Retries = 0 });
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { SendOnly = 1000 });
        await Assert.ThrowsAsync<CorpusException>(() => snapshot.FetchAsync("data/train-00000-of-00001.parquet", CancellationToken.None));
        byte[] changed = [.. _large.Reverse()];
        _server.Large["data/train-00000-of-00001.parquet"] = changed;

        var path = await FetchAsync("data/train-00000-of-00001.parquet");

        Assert.Equal(changed, File.ReadAllBytes(path));
        Assert.Null(_server.AtCdn.Last().Range);
    }

    [Fact]
    public async Task A_partial_file_survives_a_failed_run()
    {
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { SendOnly = 1000 });
        await Assert.ThrowsAsync<CorpusException>(() => FetchAsync("data/train-00000-of-00001.parquet", options => options with { Retries = 0 }));

        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet")));

        Assert.Equal("bytes=1000-", _server.AtCdn.Last().Range);
    }

    [Theory]
    [InlineData("data/train-00000-of-00001.parquet", "/lfs/", "SHA-256")]
    [InlineData("data/train.jsonl", "train.jsonl", "Git id")]
    public async Task Content_that_is_not_what_its_tag_says_is_refused(string file, string path, string what)
    {
        _server.Fault("GET", path, (_, answer) => answer with { Body = [.. answer.Body.Select(one => (byte)(one ^ 1))] }, times: 2);

        var error = await Assert.ThrowsAsync<CorpusException>(() => FetchAsync(file));

        Assert.Contains($"has the {what}", error.Message);
        Assert.DoesNotContain(Directory.GetFiles(_folder.Root, "*", SearchOption.AllDirectories), one => one.EndsWith(file.Split('/')[1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Content_that_is_wrong_once_is_fetched_again()
    {
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { Body = new byte[answer.Body.Length] });
        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet")));
    }

    [Fact]
    public async Task A_server_that_is_silent_is_asked_again()
    {
        _server.Fault("GET", "/lfs/", (_, answer) => answer with { After = TimeSpan.FromSeconds(30) });
        Assert.Equal(_large, File.ReadAllBytes(await FetchAsync("data/train-00000-of-00001.parquet", options => options with { Timeout = TimeSpan.FromMilliseconds(400) })));
    }

    [Theory]
    [InlineData(401, "", null, "the Hub answers 401, so it does not exist, is private or gated")]
    [InlineData(401, "", "t", "the Hub answers 401 to the token of HF_TOKEN")]
    [InlineData(401, "", null, "if it is private, log in")]
    [InlineData(401, "GatedRepo", null, "is gated: ask for access at")]
    [InlineData(401, "GatedRepo", null, ", then log in")]
    [InlineData(403, "GatedRepo", "t", "the account of the token (HF_TOKEN) has no access: ask for it at")]
    [InlineData(403, "", "t", "the Hub answers 403: the account needs access")]
    [InlineData(403, "", null, "the Hub answers 403 without a token: log in")]
    [InlineData(407, "", null, "name it in HTTPS_PROXY")]
    [InlineData(418, "", null, "is HF_ENDPOINT right, or does a proxy answer in its place?")]
    [InlineData(404, "RepoNotFound", null, "does not exist at")]
    [InlineData(404, "RevisionNotFound", null, "has no revision 'main'")]
    public async Task A_refusal_says_what_to_do(int status, string code, string? token, string message)
    {
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(status, "{}", ("X-Error-Code", code)));

        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(options => options with { Token = token, TokenOrigin = token is null ? "log in" : "HF_TOKEN" }));

        Assert.Contains(message, error.Message);
        Assert.Empty(_pauses);
    }

    [Fact]
    public async Task Offline_the_cache_serves_and_nothing_is_asked()
    {
        await FetchAsync("README.md");
        var requests = _server.AtHub.Count;

        Assert.Equal("# hello", File.ReadAllText(await FetchAsync("README.md", options => options with { Offline = true })));
        var error = await Assert.ThrowsAsync<CorpusException>(() => FetchAsync("data/train.jsonl", options => options with { Offline = true }));

        Assert.Contains("HF_HUB_OFFLINE forbids", error.Message);
        Assert.Equal(requests, _server.AtHub.Count);
    }

    [Fact]
    public async Task Offline_with_an_empty_cache_is_a_clear_error()
    {
        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(options => options with { Offline = true }));
        Assert.Contains("what hf://owner/name means now is not in the cache", error.Message);
        Assert.Contains("HF_HUB_OFFLINE forbids to ask the Hub: unset it once, or name a local copy", error.Message);
    }

    [Fact]
    public async Task A_commit_once_seen_is_not_asked_for_again()
    {
        using var client = new HubClient(Options());
        var repository = HubRepository.Parse("hf://owner/name@" + HubServer.Commit, HubKind.Dataset);
        await client.OpenAsync(repository, CancellationToken.None);
        var requests = _server.AtHub.Count;
        await client.OpenAsync(repository, CancellationToken.None);
        Assert.Equal(requests, _server.AtHub.Count);
    }

    [Fact]
    public async Task Two_at_once_download_a_file_once()
    {
        var both = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => FetchAsync("data/train-00000-of-00001.parquet"))));

        Assert.Single(both.Distinct());
        Assert.Equal(_large, File.ReadAllBytes(both[0]));
        Assert.Single(_server.AtCdn);
    }

    [Theory]
    [InlineData("{\"sha\":\"main\",\"siblings\":[]}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":\"../../etc/passwd\"}]}")]
    [InlineData("{}")]
    [InlineData("<html>")]
    public async Task An_answer_that_is_not_the_hubs_is_refused(string body)
    {
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(200, body));
        var error = await Assert.ThrowsAsync<CorpusException>(() => OpenAsync());
        Assert.Contains("is HF_ENDPOINT right?", error.Message);
    }

    [Theory]
    [InlineData("hf://imdb")]
    [InlineData("hf://a/b/c")]
    [InlineData("hf://a/..")]
    [InlineData("hf://a/b@../x")]
    [InlineData("https://huggingface.co/a/b")]
    public void A_uri_of_another_form_is_refused(string uri) => Assert.Throws<CorpusException>(() => HubRepository.Parse(uri, HubKind.Dataset));

    [Fact]
    public void A_uri_names_owner_name_and_revision()
    {
        Assert.Equal(
            new HubRepository(HubKind.Model, "Snowflake/snowflake-arctic-embed-xs", "main"),
            HubRepository.Parse("hf://Snowflake/snowflake-arctic-embed-xs", HubKind.Model));
        Assert.Equal(new HubRepository(HubKind.Dataset, "a/b", "refs/convert/parquet"), HubRepository.Parse("hf://datasets/a/b@refs/convert/parquet", HubKind.Dataset));
    }

    private HubOptions Options() => new()
    {
        Endpoint = _server.Endpoint,
        CacheFolder = _folder["cache"],
        Timeout = TimeSpan.FromSeconds(20),
        Delay = (pause, _) =>
        {
            lock (_pauses) _pauses.Add(pause);
            return Task.CompletedTask;
        },
    };

    private async Task<HubSnapshot> OpenAsync(Func<HubOptions, HubOptions>? change = null)
    {
        var options = Options();
        var client = new HubClient(change?.Invoke(options) ?? options);
        return await client.OpenAsync(HubRepository.Parse("hf://owner/name", HubKind.Dataset), CancellationToken.None);
    }

    private async Task<string> FetchAsync(string file, Func<HubOptions, HubOptions>? change = null) =>
        await (await OpenAsync(change)).FetchAsync(file, CancellationToken.None);

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
