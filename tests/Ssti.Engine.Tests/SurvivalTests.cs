using Ssti.Engine.Keys;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Tests;

/// <summary>What a disk, a second process, or a stage that does as it likes can do to a run.</summary>
public sealed class SurvivalTests : IDisposable
{
    private const string Chain = """
        name: p
        params: { prefix: x }
        stages:
          a: { uses: text, with: { text: one } }
          b: { uses: copy, needs: { data: a }, with: { prefix: "${{ params.prefix }}" } }
        """;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_flipped_bit_is_never_an_input_and_the_same_run_rebuilds_it()
    {
        var first = await _box.Run(_box.Load(Chain));
        var path = await FlipAsync(first, "a");
        var run = await _box.Run(_box.Load(Chain, null, "params.prefix=y"));

        Assert.Equal([StageState.Done, StageState.Done], run.Stages.Select(s => s.State));
        Assert.Matches("^'text.txt' of 'a' cannot be used: the blob .* is damaged, and was put aside as .*; it is rebuilt in this run$", run.Warnings[0]);
        Assert.Equal("yone|8|", await _box.Text(run, "b"));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task A_list_of_files_that_is_damaged_is_rebuilt_as_well()
    {
        var first = await _box.Run(_box.Load(Chain));
        Flip(_box.Store.PathOf(first.Stages[0].Tree!.Value));
        var run = await _box.Run(_box.Load(Chain, null, "params.prefix=y"));

        Assert.Equal([StageState.Done, StageState.Done], run.Stages.Select(s => s.State));
        Assert.Contains("the list of files of 'a' cannot be used", run.Warnings[0]);
    }

    [Fact]
    public async Task What_many_need_is_rebuilt_once_and_what_was_handed_on_is_rebuilt_where_it_came_from()
    {
        // The same bytes all the way: the blob that d's cells read is the output of a, of b and of c.
        const string Yaml = """
            stages:
              a: { uses: text, with: { text: one } }
              b: { uses: copy, needs: { data: a } }
              c: { uses: copy, needs: { data: b } }
              d: { uses: copy, matrix: { p: [x, y, z] }, needs: { data: c }, with: { prefix: "PREFIX${{ matrix.p }}" } }
            """;
        var first = await _box.Run(_box.Load(Yaml));
        await FlipAsync(first, "a");
        var heard = new Recorder();
        var run = await _box.Run(_box.Load(Yaml.Replace("PREFIX", "new")), new RunOptions { Jobs = 4 }, heard);

        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal(first.Stages.Take(3).Select(s => s.Tree), run.Stages.Take(3).Select(s => s.Tree));
        Assert.Equal("newzone|8|", await _box.Text(run, "d@z"));
        Assert.Equal(1, heard.Events.OfType<RunEvent.StageFinished>().Count(e => e.Result is { State: StageState.Done, Instance.Name: "a" }));
        Assert.DoesNotContain(heard.Events.OfType<RunEvent.StageFinished>(), e => e.Result.State is StageState.Failed or StageState.Skipped);
        Assert.All((await _box.Run(_box.Load(Yaml.Replace("PREFIX", "new")))).Stages, s => Assert.Equal(StageState.Cached, s.State));
    }

    [Fact]
    public async Task A_disk_that_spoils_everything_at_once_ends_a_run_and_not_never()
    {
        var first = await _box.Run(_box.Load(Chain));
        var path = await PathAsync(first, "a");
        var spoilt = 0;
        var run = await _box.Run(_box.Load(Chain, null, "params.prefix=y"), new RunOptions(), new Spoiler("b", () =>
        {
            spoilt++;
            Flip(path);
        }));

        Assert.Equal([StageState.Done, StageState.Failed], run.Stages.Select(s => s.State));
        Assert.Matches("'text.txt' of 'a' cannot be used: .*; run again to rebuild it", run.Stages[1].Error);
        Assert.Equal(4, spoilt);
    }

    [Fact]
    public async Task What_is_not_selected_is_not_rebuilt_and_what_needs_it_is_skipped_with_the_reason()
    {
        await FlipAsync(await _box.Run(_box.Load(Chain)), "a");
        var run = await _box.Run(_box.Load(Chain, null, "params.prefix=y"), new RunOptions { Selection = new() { Only = ["b"] } });

        Assert.Equal([StageState.Skipped, StageState.Skipped], run.Stages.Select(s => s.State));
        Assert.Contains("but not selected to run", run.Stages[1].Error);
    }

    private sealed class Spoiler(string stage, Action spoil) : IRunListener
    {
        public void On(RunEvent happened)
        {
            if (happened is RunEvent.StageStarted started && started.Stage.Instance.Name == stage) spoil();
        }
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
    }

    [Fact]
    public async Task A_flipped_bit_is_never_exported()
    {
        var run = await _box.Run(_box.Load(Chain));
        await FlipAsync(run, "b");
        var folder = Path.Combine(_box.Folder, "exported");
        var error = await Assert.ThrowsAsync<StoreException>(() => Exporter.ExportAsync(_box.Store, run.Stages[1].Tree!.Value, folder, overwrite: false));

        Assert.Contains("is damaged", error.Message);
        Assert.False(Directory.Exists(folder));
        Assert.Equal(StageState.Done, (await _box.Run(_box.Load(Chain))).Stages[1].State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_blob_cut_short_or_a_record_of_nothing_is_rebuilt_at_once(bool everything)
    {
        var run = await _box.Run(_box.Load(Chain));
        if (everything) Directory.Delete(Path.Combine(_box.Store.Location, "cas"), recursive: true);
        else
        {
            var path = await PathAsync(run, "b");
            File.SetAttributes(path, FileAttributes.Normal);
            File.WriteAllText(path, "xo");
        }

        var again = await _box.Run(_box.Load(Chain));

        Assert.Equal(everything ? StageState.Done : StageState.Cached, again.Stages[0].State);
        Assert.Equal(StageState.Done, again.Stages[1].State);
        Assert.Contains(again.Stages[1].Reasons, r => r.Kind is ReasonKind.OutputMissing or ReasonKind.UpstreamStale);
        Assert.Equal("xone|8|", await _box.Text(again, "b"));
    }

    [Fact]
    public async Task An_attempt_that_does_not_stop_cannot_write_among_the_files_of_the_next()
    {
        var second = new TaskCompletionSource();
        var written = new TaskCompletionSource();
        var attempts = 0;
        var kind = new DelegateKind("deaf", async (context, _) =>
        {
            if (Interlocked.Increment(ref attempts) == 1)
            {
                // Not looking at the token: its time is over, and still it goes on.
                await second.Task;
                await File.WriteAllTextAsync(context.Output("late.txt"), "late", CancellationToken.None);
                written.SetResult();
                return;
            }

            second.SetResult();
            await written.Task;
            await File.WriteAllTextAsync(context.Output("text.txt"), "good", CancellationToken.None);
        });
        var run = await _box.Run(_box.Load("stages: { s: { uses: deaf, timeout: 2s, retries: 1 } }", TestKinds.Catalog(kind)));

        Assert.Equal(2, attempts);
        Assert.Equal(StageState.Done, run.Stages[0].State);
        Assert.Equal(["text.txt"], (await _box.Store.TreeAsync(run.Stages[0].Tree!.Value)).Files.Select(f => f.Path));
    }

    [Fact]
    public async Task A_source_that_changes_while_it_is_read_is_not_stored_under_what_it_was()
    {
        var source = _box.Write("data.txt", "before");
        var disturb = true;
        var kind = new ReadKind(() =>
        {
            if (disturb) File.WriteAllText(source, "after!");
        });
        var pipeline = _box.Load("stages: { r: { uses: read, with: { source: data.txt } } }", TestKinds.Catalog(kind));
        var disturbed = await _box.Run(pipeline);
        disturb = false;
        var calm = await _box.Run(pipeline);
        File.WriteAllText(source, "before");
        var back = await _box.Run(pipeline);

        Assert.Contains("the source 'data.txt' changed while it was being read", disturbed.Stages[0].Error);
        Assert.Equal("after!", await _box.Text(calm, "r"));
        // Were the first run's output stored, it would be served now.
        Assert.Equal(StageState.Done, back.Stages[0].State);
        Assert.Equal("before", await _box.Text(back, "r"));
    }

    [Fact]
    public async Task Time_stamps_of_a_source_are_no_reason_and_no_excuse()
    {
        var source = _box.Write("data.txt", "one");
        var pipeline = _box.Load("stages: { a: { uses: text, with: { text: t, source: data.txt } } }");
        await _box.Run(pipeline);
        var stamp = File.GetLastWriteTimeUtc(source);
        File.SetLastWriteTimeUtc(source, stamp.AddYears(10));
        var touched = await _box.Run(pipeline);
        File.WriteAllText(source, "two");
        File.SetLastWriteTimeUtc(source, stamp.AddYears(-30));
        var changed = await _box.Run(pipeline);

        Assert.Equal(StageState.Cached, touched.Stages[0].State);
        Assert.Equal("t|8|two", await _box.Text(changed, "a"));
    }

    [Fact]
    public void Many_writers_of_one_history_lose_no_line()
    {
        const int writers = 6, lines = 60;
        Parallel.For(0, writers, new ParallelOptions { MaxDegreeOfParallelism = writers }, writer =>
        {
            // Each as a process has it: with a handle and a memory of its own.
            var history = StageHistory.Of(_box.Workspace, "p");
            for (var i = 0; i < lines; i++) history.Note($"s{writer}-{i}", new HistoryEntry(Digest.Of($"{writer} {i}"), Digest.Of("tree"), "000001-abcd"), 0.5);
        });
        var read = StageHistory.Of(_box.Workspace, "p");

        Assert.All(Enumerable.Range(0, writers * lines), n => Assert.Equal(Digest.Of($"{n / lines} {n % lines}"), read.Last($"s{n / lines}-{n % lines}")?.Key));
    }

    [Fact]
    public void A_history_made_smaller_keeps_what_others_wrote_meanwhile()
    {
        var mine = StageHistory.Of(_box.Workspace, "p");
        for (var i = 0; i < 1200; i++) mine.Note("mine", new HistoryEntry(Digest.Of($"{i}"), Digest.Of("tree"), "000001-abcd"), 0.5);
        StageHistory.Of(_box.Workspace, "p").Note("theirs", new HistoryEntry(Digest.Of("theirs"), Digest.Of("tree"), "000002-abcd"), 0.5);
        var before = new FileInfo(Path.Combine(_box.Workspace.History, "p.jsonl")).Length;
        mine.Compact();
        var read = StageHistory.Of(_box.Workspace, "p");

        Assert.True(new FileInfo(Path.Combine(_box.Workspace.History, "p.jsonl")).Length < before / 10);
        Assert.Equal(Digest.Of("1199"), read.Last("mine")!.Key);
        Assert.Equal(Digest.Of("theirs"), read.Last("theirs")?.Key);
    }

    [Fact]
    public void A_history_made_smaller_keeps_pipelines_of_one_name_apart()
    {
        StageHistory Of(string place) => StageHistory.Of(_box.Workspace, "p", place);
        static HistoryEntry Entry(string key) => new(Digest.Of(key), Digest.Of("tree"), "000001-abcd");
        Of("b/p.yaml").Note("s", Entry("b"), 9);
        var mine = Of("a/p.yaml");
        for (var i = 0; i < 1200; i++) mine.Note("s", Entry($"{i}"), 0.5);
        Of("b/p.yaml").Note("s", Entry("newest"), 7);
        mine.Compact();

        Assert.Equal((Digest.Of("1199"), 0.5), (Of("a/p.yaml").Last("s")!.Key, Of("a/p.yaml").EstimateOf("s")!.Seconds));
        Assert.Equal((Digest.Of("newest"), 8), (Of("b/p.yaml").Last("s")!.Key, Of("b/p.yaml").EstimateOf("s")!.Seconds));
        var never = Of("c/p.yaml");
        Assert.Equal((Digest.Of("newest"), "b/p.yaml", true), (never.Last("s")!.Key, never.Last("s")!.Place, never.IsElsewhere(never.Last("s")!)));
        Assert.Null(never.EstimateOf("s"));
    }

    [SkippableFact]
    public async Task A_source_folder_without_an_end_is_an_error_and_not_a_hang()
    {
        Skip.If(OperatingSystem.IsWindows(), "links need rights there");
        var folder = Directory.CreateDirectory(Path.Combine(_box.Folder, "data")).FullName;
        _box.Write("data/real.txt", "x");
        Directory.CreateSymbolicLink(Path.Combine(folder, "a"), folder);
        Directory.CreateSymbolicLink(Path.Combine(folder, "b"), folder);
        var pipeline = _box.Load("stages: { a: { uses: text, with: { text: t, source: data } } }");

        Assert.Contains("leads back to a folder it lies in", (await Assert.ThrowsAsync<StageException>(() => _box.Runner().PlanAsync(pipeline, RunSelection.All))).Message);
    }

    private async Task<string> PathAsync(RunResult run, string stage) =>
        _box.Store.PathOf((await _box.Store.TreeAsync(run.Stages.Single(s => s.Instance.Name == stage).Tree!.Value)).Files.Single().Digest);

    private async Task<string> FlipAsync(RunResult run, string stage)
    {
        var path = await PathAsync(run, stage);
        var bytes = File.ReadAllBytes(path);
        bytes[0] ^= 16;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private sealed record ReadParameters
    {
        public required SourcePath Source { get; init; }
    }

    private sealed class ReadKind(Action meanwhile) : StageKind<ReadParameters>
    {
        public override string Name => "read";

        public override int Version => 1;

        public override string Summary => "Reads a source, while something else happens to it.";

        public override Task RunAsync(ReadParameters parameters, StageContext context, CancellationToken cancellation)
        {
            meanwhile();
            return File.WriteAllTextAsync(context.Output("text.txt"), File.ReadAllText(parameters.Source.LocalPath!), cancellation);
        }
    }
}
