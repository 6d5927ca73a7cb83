using Ssti.Engine.Keys;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Tests;

public sealed class SourcePinTests : IDisposable
{
    private const string One = "1111", Two = "2222";

    private const string Yaml = """
        stages:
          a: { uses: read, with: { source: "kv://shelf/book" } }
          b: { uses: upper, needs: { data: a } }
          c: { uses: read, with: { source: "kv://shelf/book", more: ["kv://shelf/atlas@v1", "kv://shelf/atlas@0000", "other://x"] } }
        """;

    private readonly Sandbox _box = new();
    private readonly Shelf _shelf = new() { ["kv://shelf/book"] = One, ["kv://shelf/atlas@v1"] = "aaaa" };

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_key_holds_what_a_source_meant_and_the_stage_reads_that()
    {
        var run = await Runner().RunAsync(Load(), new RunOptions());
        var document = (await Runner().PlanAsync(Load(), RunSelection.All)).Stages[0].Document!.Text;

        Assert.Contains("\"source\":\"kv://shelf/book@1111\"", document);
        Assert.Equal("kv://shelf/book@1111 kv://shelf/atlas@aaaa kv://shelf/atlas@0000 other://x", await _box.Text(run, "c"));
        Assert.Equal(
            ["kv://shelf/atlas 0000 Pipeline c", "kv://shelf/atlas@v1 aaaa Resolved c", "kv://shelf/book 1111 Resolved a,c"],
            run.Plan.Pipeline.Sources.Select(s => $"{s.Name} {s.Revision} {s.Origin} {string.Join(',', s.Stages)}"));
    }

    [Fact]
    public async Task What_moved_on_is_stale_and_why_says_from_which_revision()
    {
        await Runner().RunAsync(Load(), new RunOptions());
        Assert.False((await Runner().PlanAsync(Load(), RunSelection.All)).IsStale);
        _shelf["kv://shelf/book"] = Two;

        var plan = await Runner().PlanAsync(Load(), RunSelection.All);

        Assert.Equal("parameter source changed from \"kv://shelf/book@1111\" to \"kv://shelf/book@2222\"", plan.Stages[0].Reasons.Single().ToString());
    }

    [Fact]
    public async Task A_revision_of_its_own_and_a_lock_ask_nobody_and_give_the_same_key()
    {
        SourceLock.Write(File, new Dictionary<string, string> { ["kv://shelf/book"] = One, ["kv://shelf/atlas@v1"] = "aaaa" });
        var locked = await Runner().PlanAsync(Load(), RunSelection.All);
        var written = await Runner().PlanAsync(_box.Load(Yaml.Replace("kv://shelf/book", "kv://shelf/book@1111").Replace("@v1", "@aaaa"), Catalog), RunSelection.All);

        Assert.Empty(_shelf.Asked);
        Assert.Equal(locked.Stages.Select(s => s.Key), written.Stages.Select(s => s.Key));
        Assert.Equal(PinOrigin.Lock, locked.Pipeline.Sources.Single(s => s.Name == "kv://shelf/book").Origin);
        // Where the source has moved on, the lock still holds.
        _shelf["kv://shelf/book"] = Two;
        Assert.Equal(locked.Stages[0].Key, (await Runner().PlanAsync(Load(), RunSelection.All)).Stages[0].Key);
    }

    [Fact]
    public async Task Only_what_is_selected_is_asked_for_and_once()
    {
        var runner = Runner();
        await runner.PlanAsync(Load(), new RunSelection { Until = ["b"] });
        await runner.RunAsync(Load(), new RunOptions { Selection = new() { Until = ["b"] } });

        Assert.Equal(["kv://shelf/book"], _shelf.Asked);
    }

    [Fact]
    public async Task Executing_again_reads_what_the_record_is_of()
    {
        var runner = Runner();
        await runner.RunAsync(Load(), new RunOptions());
        var plan = await runner.PlanAsync(Load(), RunSelection.All);
        _shelf["kv://shelf/book"] = Two;
        var again = await new StageRerunner(_box.Store, _box.Workspace, new KeyBuilder(_box.Probe)).RerunAsync(plan, 3, seed: 1);

        Assert.Equal(3, again.Count);
        Assert.All(again, result => Assert.True(result.Same, result.Error));
    }

    [Fact]
    public async Task A_run_that_must_keep_to_the_lock_tells_all_that_is_missing_and_all_that_is_too_much()
    {
        var nothing = await Assert.ThrowsAsync<LockException>(() => Runner(locked: true).PlanAsync(Load(), RunSelection.All));
        Assert.Contains("there is none, and it lacks kv://shelf/book, kv://shelf/atlas@v1", nothing.Message);
        Assert.Contains("ssti lock", nothing.Message);

        SourceLock.Write(File, new Dictionary<string, string> { ["kv://shelf/book"] = One, ["kv://shelf/gone"] = Two });
        var differs = await Assert.ThrowsAsync<LockException>(() => Runner(locked: true).RunAsync(Load(), new RunOptions()));
        Assert.Contains("it lacks kv://shelf/atlas@v1; it holds kv://shelf/gone", differs.Message);

        SourceLock.Write(File, new Dictionary<string, string> { ["kv://shelf/book"] = One, ["kv://shelf/atlas@v1"] = "aaaa" });
        await Runner(locked: true).RunAsync(Load(), new RunOptions());
        Assert.Empty(_shelf.Asked);
    }

    [Fact]
    public void A_lock_file_is_the_same_bytes_whoever_writes_it()
    {
        SourceLock.Write(File, new Dictionary<string, string> { ["b"] = Two, ["a"] = One });

        var path = Path.Combine(_box.Folder, "p.lock.json");
        Assert.Equal("{\n  \"ssti-lock\": 1,\n  \"sources\": {\n    \"a\": \"1111\",\n    \"b\": \"2222\"\n  }\n}\n", System.IO.File.ReadAllText(path));
        Assert.Equal(One, SourceLock.Read(File).Revisions["a"]);
        Assert.Equal([path], Directory.GetFiles(_box.Folder, "p.lock*"));
    }

    [Theory]
    [InlineData("", "is no lock file")]
    [InlineData("<<<<<<< ours\n{}", "if a merge left both sides in it, take one of them")]
    [InlineData("{ \"ssti-lock\": 1, \"sources\": { \"a\": \"1\", \"a\": \"2\" } }", "'a' stands twice")]
    [InlineData("{ \"sources\": {} }", "it has no 'ssti-lock'")]
    [InlineData("{ \"ssti-lock\": 1 }", "is no lock file")]
    [InlineData("{ \"ssti-lock\": 9, \"sources\": {} }", "is of form 9, and this program knows 1")]
    [InlineData("[]", "is no lock file")]
    [InlineData(" \n", "it is empty")]
    [InlineData("{ \"ssti-lock\": 1,\n<<<<<<< HEAD", "line 2 is no JSON")]
    [InlineData("{ \"ssti-lock\": \"1\", \"sources\": {} }", "is no whole number")]
    [InlineData("{ \"ssti-lock\": 1, \"sources\": [] }", "it has no mapping 'sources'")]
    [InlineData("{ \"ssti-lock\": 1, \"sources\": { \"hf://a/b\": null } }", "'hf://a/b' has no revision")]
    public void A_damaged_lock_says_what_to_do(string text, string expected)
    {
        _box.Write("p.lock.json", text);
        var error = Assert.Throws<LockException>(() => SourceLock.Read(File));
        Assert.Contains(expected, error.Message);
        Assert.Contains("p.lock.json", error.Message);
    }

    [Fact]
    public async Task A_lock_that_holds_no_revision_is_refused()
    {
        SourceLock.Write(File, new Dictionary<string, string> { ["kv://shelf/book"] = "main" });
        var error = await Assert.ThrowsAsync<LockException>(() => Runner().PlanAsync(Load(), RunSelection.All));
        Assert.Contains("has 'main' for kv://shelf/book, which is no commit", error.Message);
    }

    private static StageCatalog Catalog => TestKinds.Catalog(new ReadKind());

    private string File => Path.Combine(_box.Folder, "p.yaml");

    private Pipeline Load() => _box.Load(Yaml, Catalog);

    // A new one each time, as each process has.
    private Runner Runner(bool locked = false) =>
        new(_box.Store, _box.Workspace, new KeyBuilder(_box.Probe), sources: new SourcePins(_shelf, SourceLock.Read(File), locked));

    /// <summary>Sources <c>kv://shelf/name@revision</c>, where four hexadecimal digits are a revision for good.</summary>
    private sealed class Shelf : Dictionary<string, string>, ISourceResolver
    {
        public List<string> Asked { get; } = [];

        public RemoteSource? Read(IStageKind kind, string uri)
        {
            if (!uri.StartsWith("kv://", StringComparison.Ordinal)) return null;
            var parts = uri.Split('@');
            var pinned = parts.Length == 2 && parts[1].Length == 4 && parts[1].All(char.IsAsciiHexDigitLower);
            return new RemoteSource(pinned ? parts[0] : uri, parts[0], pinned ? parts[1] : null);
        }

        public Task<ResolvedSource> ResolveAsync(IStageKind kind, string uri, bool anew, CancellationToken cancellation)
        {
            Asked.Add(uri);
            return Task.FromResult(new ResolvedSource(this[uri], "now"));
        }
    }

    private sealed record ReadParameters
    {
        public required SourcePath Source { get; init; }

        public List<SourcePath> More { get; init; } = [];
    }

    private sealed class ReadKind : StageKind<ReadParameters>
    {
        public override string Name => "read";

        public override int Version => 1;

        public override string Summary => "Writes its sources.";

        public override Task RunAsync(ReadParameters parameters, StageContext context, CancellationToken cancellation) =>
            System.IO.File.WriteAllTextAsync(context.Output("text.txt"), string.Join(' ', parameters.More.Prepend(parameters.Source)), cancellation);
    }
}
