using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Tests;

public sealed class MaintenanceTests : IDisposable
{
    internal const string Yaml = """
        name: p
        params: { word: one }
        stages:
          a: { uses: text, with: { text: "${{ params.word }}" } }
          b: { uses: upper, needs: { data: a } }
        """;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_flipped_bit_is_found_put_aside_and_rebuilt()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var blob = (await _box.Store.TreeAsync(run.Stages[1].Tree!.Value)).Files[0].Digest;
        var bytes = File.ReadAllBytes(_box.Store.PathOf(blob));
        bytes[1] ^= 4;
        File.SetAttributes(_box.Store.PathOf(blob), FileAttributes.Normal);
        File.WriteAllBytes(_box.Store.PathOf(blob), bytes);
        var report = await new StoreVerifier(_box.Store).VerifyAsync(repair: true);
        var again = await _box.Run(_box.Load(Yaml));

        Assert.False(report.IsSound);
        Assert.Equal((blob, Digest.Of(bytes)), (report.DamagedBlobs.Single().Blob, report.DamagedBlobs.Single().Actual!.Value));
        Assert.Equal(bytes, File.ReadAllBytes(report.DamagedBlobs.Single().Quarantined!));
        Assert.Equal("b", report.DamagedRecords.Single().Stage);
        Assert.Equal([StageState.Cached, StageState.Done], again.Stages.Select(s => s.State));
        Assert.Equal("ONE|8|", await _box.Text(again, "b"));
        var sound = await new StoreVerifier(_box.Store).VerifyAsync(repair: false);
        Assert.True(sound.IsSound);
        Assert.Equal(2, sound.Records);
        Assert.InRange(sound.Blobs, 6, 7);
    }

    [Fact]
    public async Task A_record_with_another_document_than_its_key_is_found()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var path = Directory.GetFiles(Path.Combine(_box.Store.Location, "ac", run.Stages[0].Key!.Value.ToString())).Single();
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["document"]!["seed"] = 1;
        File.WriteAllText(path, json.ToJsonString());

        Assert.Contains("another digest than its key", (await new StoreVerifier(_box.Store).VerifyAsync(repair: false)).DamagedRecords.Single().Problem);
    }

    [Fact]
    public async Task Executing_cached_stages_again_tells_which_file_differs()
    {
        var other = false;
        var kind = new DelegateKind("dice", async (context, _) =>
        {
            await File.WriteAllTextAsync(context.Output("a.txt"), "same");
            await File.WriteAllTextAsync(context.Output("b.txt"), other ? "2" : "1");
        });
        var pipeline = _box.Load("stages: { d: { uses: dice }, e: { uses: text, with: { text: x } } }", TestKinds.Catalog(kind));
        await _box.Run(pipeline);
        other = true;
        var plan = await _box.Runner().PlanAsync(pipeline, RunSelection.All);
        var results = await new StageRerunner(_box.Store, _box.Workspace, new KeyBuilder(_box.Probe)).RerunAsync(plan, 10, 1);

        Assert.Equal([false, true], results.Select(r => r.Same));
        Assert.Equal(("b.txt", Digest.Of("1"), Digest.Of("2")), (results[0].FirstDifference, results[0].Recorded!.Value, results[0].Now!.Value));
        Assert.False((await _box.Runner().PlanAsync(pipeline, RunSelection.All)).IsStale);
        Assert.Empty(Directory.GetDirectories(Path.Combine(_box.Workspace.Root, "work")));
    }

    [Fact]
    public async Task Collecting_keeps_what_kept_runs_refer_to_and_nothing_else()
    {
        await _box.Run(_box.Load(Yaml));
        var second = await _box.Run(_box.Load(Yaml, null, "params.word=two"));
        var collector = new Collector(_box.Store, _box.Workspace);
        var dry = await collector.PlanAsync(new CollectionOptions { KeepLast = 1 });
        var done = await collector.CollectAsync(new CollectionOptions { KeepLast = 1 });

        Assert.Equal((1, 2), (dry.Runs.Count, dry.Records.Count));
        // Each stage has an output, a tree and a log of its own.
        Assert.Equal(6, dry.Blobs.Count);
        Assert.Equal(dry.Blobs.OrderBy(b => b.Digest), done.Blobs.OrderBy(b => b.Digest));
        Assert.Equal([second.RunId], new RunHistory(_box.Workspace).Ids);
        Assert.False((await _box.Runner().PlanAsync(_box.Load(Yaml, null, "params.word=two"), RunSelection.All)).IsStale);
        Assert.True((await _box.Runner().PlanAsync(_box.Load(Yaml), RunSelection.All)).IsStale);
        Assert.True((await new StoreVerifier(_box.Store).VerifyAsync(repair: false)).IsSound);
    }

    [Fact]
    public async Task Nothing_is_collected_under_a_run()
    {
        await _box.Run(_box.Load(Yaml));
        using var use = _box.Workspace.TryUse();

        Assert.Contains("is using the store", (await Assert.ThrowsAsync<StoreException>(() =>
            new Collector(_box.Store, _box.Workspace).CollectAsync(new CollectionOptions()))).Message);
    }

    [Fact]
    public async Task What_is_pushed_is_cached_there_and_is_not_sent_twice()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var keys = run.Stages.Select(s => s.Key!.Value).Append(Digest.Of("unknown")).ToList();
        using var other = new Sandbox();
        var first = await StoreTransfer.CopyAsync(_box.Store, other.Store, keys);
        var second = await StoreTransfer.CopyAsync(_box.Store, other.Store, keys);

        Assert.Equal((2, 2, 6), (first.Keys, first.Records, first.Blobs));
        Assert.Equal([Digest.Of("unknown")], first.Missing);
        Assert.Equal((2, 0, 0, 0L), (second.Keys, second.Records, second.Blobs, second.Bytes));
        Assert.All((await other.Run(other.Load(Yaml))).Stages, s => Assert.Equal(StageState.Cached, s.State));
    }

    [Fact]
    public async Task What_is_damaged_is_not_pushed()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var path = _box.Store.PathOf((await _box.Store.TreeAsync(run.Stages[0].Tree!.Value)).Files[0].Digest);
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllText(path, new string('x', (int)new FileInfo(path).Length));
        using var other = new Sandbox();

        var result = await StoreTransfer.CopyAsync(_box.Store, other.Store, [.. run.Stages.Select(s => s.Key!.Value)]);
        Assert.Equal("a", result.Damaged.Single().Stage);
        Assert.Contains("damaged", result.Damaged.Single().Problem);
        Assert.Equal([run.Stages[1].Key!.Value], await other.Store.KeysAsync().ToListAsync());
    }

    [Theory]
    [InlineData("run.tar")]
    [InlineData("run.tar.gz")]
    public async Task A_run_travels_as_one_file(string name)
    {
        var run = await _box.Run(_box.Load(Yaml));
        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;
        var path = Path.Combine(_box.Folder, name);
        var archive = new RunArchive(_box.Store, _box.Workspace);
        await archive.ExportAsync(past, path);
        var first = File.ReadAllBytes(path);
        await archive.ExportAsync(past, path);
        using var other = new Sandbox();
        var id = await new RunArchive(other.Store, other.Workspace).ImportAsync(path);

        Assert.Equal(first, File.ReadAllBytes(path));
        Assert.Equal(run.RunId, id);
        Assert.Equal(past.Stages.Select(s => (s.Stage, s.Key, s.Tree)), new RunHistory(other.Workspace).Read(id)!.Stages.Select(s => (s.Stage, s.Key, s.Tree)));
        Assert.All((await other.Run(other.Load(Yaml))).Stages, s => Assert.Equal(StageState.Cached, s.State));

        File.WriteAllBytes(path, first[..(first.Length / 2)]);
        using var third = new Sandbox();
        await Assert.ThrowsAsync<StoreException>(() => new RunArchive(third.Store, third.Workspace).ImportAsync(path));
        Assert.Empty(await third.Store.KeysAsync().ToListAsync());
    }

    [Fact]
    public async Task Two_runs_are_compared_by_parameters_causes_metrics_and_files()
    {
        var first = await _box.Run(_box.Load(Yaml));
        var second = await _box.Run(_box.Load(Yaml, null, "params.word=three"));
        var history = new RunHistory(_box.Workspace);
        var difference = await RunComparison.CompareAsync(_box.Store, [history.Read(first.RunId)!, history.Find("2")!]);

        Assert.Equal(second.RunId, difference.Runs[1].Id);
        Assert.Equal(("word", "one three"), (difference.Parameters.Single().Name, string.Join(' ', difference.Parameters.Single().Values)));
        Assert.Equal(["a", "b"], difference.Stages.Select(s => s.Stage));
        Assert.Equal("parameter text changed from \"one\" to \"three\"", difference.Stages[0].Causes.Single().ToString());
        Assert.Equal(("length", "3 5"), (difference.Stages[0].Metrics.Single().Name, string.Join(' ', difference.Stages[0].Metrics.Single().Values)));
        Assert.Equal("text.txt", difference.Stages[1].Files.Single().Path);
        Assert.Equal(2, (await RunComparison.CompareAsync(_box.Store, [history.Read(first.RunId)!, history.Read(first.RunId)!])).Same);
    }

    [Fact]
    public async Task A_trace_has_a_slice_a_stage_and_its_phases_within()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var events = JsonNode.Parse(RunTrace.Write(new RunHistory(_box.Workspace).Read(run.RunId)!))!["traceEvents"]!.AsArray();

        Assert.Equal(["p " + run.RunId, "lane 1", "a", "fetch", "execute", "store", "b", "fetch", "execute", "store"], events
            .Select(e => (string?)e!["args"]?["name"] ?? (string)e["name"]!));
        Assert.All(events.Skip(2), e => Assert.True((double)e!["dur"]! >= 0));
    }

    [Fact]
    public async Task A_journal_cut_in_mid_line_loses_that_line_only()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var journal = Path.Combine(_box.Workspace.Runs, run.RunId, "journal.jsonl");
        var text = File.ReadAllText(journal);
        File.WriteAllText(journal, text[..(text.LastIndexOf("\"stage\":\"b\"", StringComparison.Ordinal) + 3)]);
        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;

        Assert.Equal(["a"], past.Stages.Select(s => s.Stage));
        Assert.Null(past.Outcome);
    }

    [Fact]
    public async Task A_history_cut_in_mid_line_is_written_on_after()
    {
        await _box.Run(_box.Load(Yaml));
        var path = Path.Combine(_box.Workspace.History, "p.jsonl");
        var text = File.ReadAllText(path);
        File.WriteAllText(path, text[..^20]);
        await _box.Run(_box.Load(Yaml, null, "params.word=two"));
        var history = StageHistory.Of(_box.Workspace, _box.Load(Yaml));

        Assert.NotNull(history.Last("a"));
        Assert.NotNull(history.Last("b"));
        Assert.Equal(2, history.EstimateOf("a")!.Runs);
    }

    [Fact]
    public async Task Runs_are_in_order_although_the_clock_is_set_back()
    {
        var runner = new Runner(_box.Store, _box.Workspace, new KeyBuilder(_box.Probe), new Clock(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero)));
        var late = await runner.RunAsync(_box.Load(Yaml), new RunOptions());
        var earlier = new Runner(_box.Store, _box.Workspace, new KeyBuilder(_box.Probe), new Clock(new DateTimeOffset(1999, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        var second = await earlier.RunAsync(_box.Load(Yaml), new RunOptions());

        Assert.Equal([second.RunId, late.RunId], new RunHistory(_box.Workspace).Ids);
        Assert.All(second.Stages, s => Assert.Equal(StageState.Cached, s.State));
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
