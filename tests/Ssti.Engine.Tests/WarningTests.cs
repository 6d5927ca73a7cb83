using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Tests;

/// <summary>What stages warn of: kept with the result as long as that is, and a failure for who asks so.</summary>
public sealed class WarningTests : IDisposable
{
    private const string Yaml = """
        name: warned
        stages:
          a: { uses: doubtful, matrix: { text: [x, y] }, with: { text: "${{ matrix.text }}" } }
          b: { uses: join, needs: { parts: a } }
          c: { uses: text, with: { text: alone } }
        """;

    private static readonly RunOptions Plain = new() { Jobs = 1 };
    private static readonly RunOptions Strict = new() { Jobs = 1, Strict = true };
    private readonly Sandbox _box = new();
    private readonly StageCatalog _catalog = TestKinds.Catalog(new DelegateKind("doubtful", async (context, cancellation) =>
    {
        context.Warn("3 rows were dropped");
        context.Warn("\"labels\" are guessed");
        await File.WriteAllTextAsync(context.Output("text.txt"), context.StageName, cancellation);
    }));

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_result_keeps_its_warnings_in_record_journal_and_cache()
    {
        string[] expected = ["3 rows were dropped", "\"labels\" are guessed"];
        var first = await _box.Run(_box.Load(Yaml, _catalog), Plain);
        var second = await _box.Run(_box.Load(Yaml, _catalog), Plain);
        var record = (await _box.Store.RecordsAsync([first.Stages[0].Key!.Value]))[0].Single();

        Assert.Equal((StageState.Done, StageState.Cached), (first.Stages[0].State, second.Stages[0].State));
        Assert.All((IEnumerable<RunResult>)[first, second], run => Assert.Equal(expected, run.Stages[0].Warnings));
        Assert.All((IEnumerable<RunResult>)[first, second], run => Assert.Equal(expected, new RunHistory(_box.Workspace).Read(run.RunId)!.Stages[0].Warnings));
        Assert.Equal(expected, record.Warnings);
        Assert.Empty(second.Stages.Single(stage => stage.Instance.Name == "c").Warnings);
        Assert.Empty(second.Warnings);
        Assert.Contains("warning: 3 rows were dropped", await File.ReadAllTextAsync(_box.Store.PathOf(record.Log!.Value)));
    }

    [Fact]
    public async Task A_record_from_before_there_were_warnings_has_none()
    {
        var run = await _box.Run(_box.Load(Yaml, _catalog), Plain);
        var record = (await _box.Store.RecordsAsync([run.Stages[0].Key!.Value]))[0].Single();
        var json = System.Text.Json.Nodes.JsonNode.Parse(record.ToJson())!.AsObject();
        Assert.True(json.Remove("warnings") && json.Remove("gpus"));
        var old = ActionRecord.Parse(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()));

        Assert.Empty(old.Warnings);
        Assert.Empty(old.Gpus);
        Assert.Empty(RecordSummary.Parse(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString())).Warnings);
        Assert.Equal(record.Warnings, RecordSummary.Parse(record.ToJson()).Warnings);
    }

    [Fact]
    public async Task Strict_fails_who_warns_and_skips_who_needs_it_and_loses_nothing()
    {
        var strict = await _box.Run(_box.Load(Yaml, _catalog), Strict with { KeepGoing = true });
        Assert.Equal(RunOutcome.Failed, strict.Outcome);
        Assert.Equal(["a@x Failed", "a@y Failed", "b Skipped", "c Done"], strict.Stages.Select(stage => $"{stage.Instance.Name} {stage.State}").Order());
        Assert.Equal("strict: it warns: 3 rows were dropped (and 1 more)", strict.Stages[0].Error);

        var lenient = await _box.Run(_box.Load(Yaml, _catalog), Plain);
        Assert.Equal(RunOutcome.Succeeded, lenient.Outcome);
        Assert.Equal(["a@x Cached", "a@y Cached", "b Done", "c Cached"], lenient.Stages.Select(stage => $"{stage.Instance.Name} {stage.State}").Order());

        // Cached, and what needs it as well: the number is as doubtful as before.
        var again = await _box.Run(_box.Load(Yaml, _catalog), Strict);
        Assert.Equal(RunOutcome.Failed, again.Outcome);
        Assert.Equal(["a@x Failed", "a@y Failed", "b Skipped", "c Cached"], again.Stages.Select(stage => $"{stage.Instance.Name} {stage.State}").Order());
        Assert.Equal("failed", new RunHistory(_box.Workspace).Read(again.RunId)!.Outcome);
    }

    [Fact]
    public async Task What_the_engine_itself_warns_of_is_in_the_result_and_fails_a_strict_run()
    {
        const string Two = "stages: { a: { uses: text, with: { text: one } }, b: { uses: upper, needs: { data: a } } }";
        var first = await _box.Run(_box.Load(Two), Strict);
        var tree = await ActionCache.TreeAsync(_box.Store, first.Stages[0].Tree!.Value);
        File.Delete(_box.Store.PathOf(tree.Files[0].Digest));
        var second = await _box.Run(_box.Load(Two), Strict);

        Assert.Equal((RunOutcome.Succeeded, RunOutcome.Failed), (first.Outcome, second.Outcome));
        Assert.Contains("is missing; that record is not used", Assert.Single(second.Warnings));
        Assert.Equal([StageState.Done, StageState.Cached], second.Stages.Select(stage => stage.State));
        Assert.Equal(RunOutcome.Succeeded, (await _box.Run(_box.Load(Two), Strict)).Outcome);
    }

    [Fact]
    public async Task A_stage_that_fails_keeps_what_it_warned_of_before()
    {
        var catalog = TestKinds.Catalog(new DelegateKind("broken", (context, _) =>
        {
            context.Warn("half of it is missing");
            throw new StageException("and the other half, too");
        }));
        var run = await _box.Run(_box.Load("stages: { a: { uses: broken } }", catalog));

        Assert.Equal("and the other half, too", run.Stages[0].Error);
        Assert.Equal(["half of it is missing"], run.Stages[0].Warnings);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_still_tells_what_is_all_there()
    {
        var pipeline = _box.Load(Yaml, _catalog);
        await _box.Run(pipeline, Plain);
        // As on a read-only disk, which a test cannot mount: neither a lock nor a journal can be made.
        foreach (var folder in (string[])["locks", "runs"])
        {
            Directory.Delete(Path.Combine(_box.Store.Location, folder), recursive: true);
            File.WriteAllText(Path.Combine(_box.Store.Location, folder), "");
        }

        // What an attempt left that was killed is not to be removed either.
        Directory.CreateDirectory(_box.Workspace.WorkOf(Digest.Of("dead")));
        var heard = new Recorder();
        var run = await _box.Run(pipeline, Plain, heard);
        Assert.Equal((RunOutcome.Succeeded, "unrecorded"), (run.Outcome, run.RunId));
        Assert.All(run.Stages, stage => Assert.Equal(StageState.Cached, stage.State));
        Assert.Contains(_box.Store.Location, heard.Events.OfType<RunEvent.Unrecorded>().Single().Why);
        await Assert.ThrowsAsync<StoreException>(() => _box.Run(_box.Load(Yaml.Replace("alone", "else"), _catalog), Plain));
    }
}
