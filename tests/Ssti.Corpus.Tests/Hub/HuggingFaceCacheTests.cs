using System.Security.Cryptography;
using Ssti.Corpus.Hub;

namespace Ssti.Corpus.Tests.Hub;

/// <summary>What a revision means, and where files are looked for before they are fetched.</summary>
public sealed class HuggingFaceCacheTests : IDisposable
{
    private const string Other = "fedcba9876543210fedcba9876543210fedcba98";
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();
    private readonly HubServer _server = new();
    private readonly Clock _clock = new() { Now = Now };
    private readonly List<string> _log = [];

    public HuggingFaceCacheTests() => _server.Large["data/train.parquet"] = "large"u8.ToArray();

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_a_branch_means_is_asked_again_after_a_while_and_anew_at_once()
    {
        Assert.Equal((HubServer.Commit, "as the Hub says now"), await ResolveAsync());
        _server.Head = Other;
        _clock.Now += TimeSpan.FromMinutes(59);
        Assert.Equal((HubServer.Commit, "as the Hub said 59 min ago"), await ResolveAsync());
        Assert.Single(_server.AtHub);
        Assert.Equal(Other, (await ResolveAsync(anew: true)).Commit);
        _server.Head = HubServer.Commit;
        _clock.Now += TimeSpan.FromMinutes(61);
        Assert.Equal(HubServer.Commit, (await ResolveAsync()).Commit);
        // A clock that was put back does not make an answer young for years.
        _server.Head = Other;
        _clock.Now -= TimeSpan.FromDays(1);
        Assert.Equal(Other, (await ResolveAsync()).Commit);
    }

    [Fact]
    public async Task A_commit_is_never_asked_for()
    {
        Assert.Equal(Other, (await ResolveAsync("@" + Other)).Commit);
        Assert.Empty(_server.AtHub);
    }

    [Fact]
    public async Task A_tag_and_a_nested_ref_are_resolved_like_a_branch()
    {
        Assert.Equal(HubServer.Commit, (await ResolveAsync("@v1")).Commit);
        Assert.Equal(HubServer.Commit, (await ResolveAsync("@refs/convert/parquet")).Commit);
        Assert.Equal("/api/datasets/owner/name/revision/refs/convert/parquet", _server.AtHub.Last().Path);
    }

    [Fact]
    public async Task Without_a_network_the_last_that_is_known_is_taken_and_said()
    {
        await ResolveAsync();
        _server.Dispose();
        _clock.Now += TimeSpan.FromDays(3);
        Assert.Equal((HubServer.Commit, "as of 2026-11-27 12:00: the Hub cannot be reached now"), await ResolveAsync());
        Assert.Contains(_log, line => line.Contains("the Hub cannot be reached (Connection refused"));
        Assert.Equal((HubServer.Commit, "as of 2026-11-27 12:00: offline"), await ResolveAsync(offline: true));
        // A lock must not be written from memory.
        await Assert.ThrowsAsync<CorpusException>(() => ResolveAsync(anew: true));
        Assert.Contains("is not to be had offline", (await Assert.ThrowsAsync<CorpusException>(() => ResolveAsync(anew: true, offline: true))).Message);
    }

    [Fact]
    public async Task A_refusal_is_no_missing_network()
    {
        await ResolveAsync();
        _clock.Now += TimeSpan.FromDays(3);
        _server.Fault("GET", "/api/", (_, _) => Answer.Of(404, "", ("X-Error-Code", "RevisionNotFound")));
        Assert.Contains("has no revision 'main'", (await Assert.ThrowsAsync<CorpusException>(() => ResolveAsync())).Message);
    }

    [Fact]
    public async Task Offline_the_commit_and_the_files_come_from_Hugging_Faces_cache_with_a_doubt()
    {
        Download("data/train.parquet", "large");

        var snapshot = await OpenAsync(offline: true);
        var path = await snapshot.FetchAsync("data/train.parquet", CancellationToken.None);

        Assert.Equal(HubServer.Commit, snapshot.Commit);
        Assert.Equal(["data/train.parquet"], snapshot.Files);
        Assert.Equal("large", File.ReadAllText(path));
        Assert.StartsWith(_folder["hf"], path);
        Assert.Contains("1 file; whether these are all of commit 0123456789ab is not known (HF_HUB_OFFLINE", snapshot.Doubt);
        Assert.False(Directory.Exists(_folder["cache"]));
        Assert.Empty(_server.AtHub);
    }

    [Fact]
    public async Task A_commit_that_is_there_needs_no_network_to_be_up()
    {
        Download("data/train.parquet", "large");
        _server.Dispose();

        var snapshot = await OpenAsync("@" + HubServer.Commit);

        Assert.Equal("large", File.ReadAllText(await snapshot.FetchAsync("data/train.parquet", CancellationToken.None)));
        Assert.Contains("the Hub cannot be reached", snapshot.Doubt);
    }

    [Fact]
    public async Task With_a_network_the_Hub_says_which_files_there_are_and_those_at_hand_are_not_fetched()
    {
        _server.Small["README.md"] = "# hello"u8.ToArray();
        Download("data/train.parquet", "large");

        var snapshot = await OpenAsync();
        await snapshot.FetchAsync("data/train.parquet", CancellationToken.None);
        var readme = await snapshot.FetchAsync("README.md", CancellationToken.None);

        Assert.Equal(["README.md", "data/train.parquet"], snapshot.Files);
        Assert.Null(snapshot.Doubt);
        Assert.Empty(_server.AtCdn);
        Assert.StartsWith(_folder["cache"], readme);
    }

    [Fact]
    public async Task A_damaged_or_dangling_file_of_theirs_is_not_used()
    {
        Download("data/train.parquet", "lerge", tagOf: "large");

        var path = await (await OpenAsync()).FetchAsync("data/train.parquet", CancellationToken.None);

        Assert.Equal("large", File.ReadAllText(path));
        Assert.StartsWith(_folder["cache"], path);
        Assert.Contains(_log, line => line.Contains("it is damaged, and not used"));
        var offline = await OpenAsync(offline: true);
        File.Delete(path);
        Assert.Contains("nor in Hugging Face's", (await Assert.ThrowsAsync<CorpusException>(() => offline.FetchAsync("data/train.parquet", CancellationToken.None))).Message);
        Directory.Delete(_folder["hf/datasets--owner--name/blobs"], recursive: true);
        Directory.Delete(_folder["cache"], recursive: true);
        Assert.Contains("is not in the cache", (await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(offline: true))).Message);
    }

    [Fact]
    public async Task Of_two_caches_the_newer_says_what_a_branch_means_offline()
    {
        await ResolveAsync();
        Download("data/train.parquet", "large", commit: Other);
        var reference = _folder["hf/datasets--owner--name/refs/main"];
        File.SetLastWriteTimeUtc(reference, Now.UtcDateTime.AddDays(1));
        Assert.Equal(Other, (await ResolveAsync(offline: true)).Commit);
        File.SetLastWriteTimeUtc(reference, Now.UtcDateTime.AddDays(-1));
        Assert.Equal(HubServer.Commit, (await ResolveAsync(offline: true)).Commit);
    }

    [Fact]
    public async Task A_model_and_a_data_set_of_one_name_are_two()
    {
        Download("config.json", "{}", kind: "models");
        await Assert.ThrowsAsync<CorpusException>(() => OpenAsync(offline: true));
        using var client = new HubClient(Options(offline: true));
        Assert.Equal(["config.json"], (await client.OpenAsync(HubRepository.Parse("hf://owner/name", HubKind.Model), CancellationToken.None)).Files);
        Assert.Equal("hf://owner/name", HubRepository.Parse("hf://owner/name", HubKind.Model).FullName);
        Assert.Equal("hf://datasets/owner/name", HubRepository.Parse("hf://owner/name@main", HubKind.Dataset).FullName);
        Assert.Equal("hf://datasets/owner/name@v1", HubRepository.Parse("hf://datasets/owner/name@v1", HubKind.Dataset).FullName);
        Assert.Equal("hf://datasets/owner/name", HubRepository.Parse("hf://owner/name@" + Other, HubKind.Dataset).FullName);
    }

    // As 'hf download' leaves it.
    private void Download(string file, string content, string? tagOf = null, string commit = HubServer.Commit, string kind = "datasets")
    {
        var tag = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(tagOf ?? content)));
        var repository = $"hf/{kind}--owner--name";
        var blob = _folder.Write($"{repository}/blobs/{tag}", content);
        _folder.Write($"{repository}/refs/main", commit);
        var link = _folder[$"{repository}/snapshots/{commit}/{file}"];
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, blob));
    }

    private HubOptions Options(bool offline) => new()
    {
        Endpoint = _server.Endpoint,
        CacheFolder = _folder["cache"],
        HuggingFaceFolder = _folder["hf"],
        Offline = offline,
        Clock = _clock,
        Delay = (_, _) => Task.CompletedTask,
        Log = _log.Add,
    };

    private async Task<(string Commit, string Told)> ResolveAsync(string revision = "", bool anew = false, bool offline = false)
    {
        using var client = new HubClient(Options(offline));
        var resolved = await client.ResolveAsync(HubRepository.Parse("hf://owner/name" + revision, HubKind.Dataset), anew, CancellationToken.None);
        return (resolved.Commit, resolved.Told);
    }

    private Task<HubSnapshot> OpenAsync(string revision = "", bool offline = false) =>
        new HubClient(Options(offline)).OpenAsync(HubRepository.Parse("hf://owner/name" + revision, HubKind.Dataset), CancellationToken.None);

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
