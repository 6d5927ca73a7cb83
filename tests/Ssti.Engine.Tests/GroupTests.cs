using System.Collections.Concurrent;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Tests;

/// <summary>Stages that are worked at together on one place: begun together, and in all else as ever.</summary>
public sealed class GroupTests : IDisposable
{
    private readonly Sandbox _box = new();
    private readonly ConcurrentDictionary<string, int> _sizes = new();
    private Func<StageContext, CancellationToken, Task> _does = (_, _) => Task.CompletedTask;

    public void Dispose() => _box.Dispose();

    [Theory]
    [InlineData(1, 1, "1 1 1 1 1 1")]
    [InlineData(6, 1, "6 6 6 6 6 6")]
    [InlineData(4, 1, "4 4 4 4 2 2")]
    // Over the places that are free: two at once on each of three.
    [InlineData(6, 3, "2 2 2 2 2 2")]
    [InlineData(6, 4, "2 2 2 2 1 1")]
    [InlineData(6, 8, "1 1 1 1 1 1")]
    public async Task As_many_as_may_be_are_begun_together_but_not_while_places_are_free(int bank, int jobs, string sizes)
    {
        _does = async (_, cancellation) => await Task.Delay(100, cancellation);
        var run = await RunAsync(Yaml("a, b, c, d, e, f"), new RunOptions { Together = bank, Jobs = jobs });
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal(sizes, string.Join(' ', "abcdef".Select(cell => _sizes[$"t@{cell}"])));
    }

    [Fact]
    public async Task Keys_records_and_journal_are_those_of_each_stage_alone()
    {
        var alone = await RunAsync(Yaml("a, b, c"), new RunOptions { Jobs = 1 });
        Assert.All(_sizes.Values, size => Assert.Equal(1, size));
        using var other = new Sandbox();
        var together = await other.Run(other.Load(Yaml("a, b, c"), Catalog()), new RunOptions { Jobs = 1, Together = 3 });
        Assert.All(_sizes.Values, size => Assert.Equal(3, size));
        Assert.Equal(alone.Stages.Select(stage => (stage.Key, stage.Tree)), together.Stages.Select(stage => (stage.Key, stage.Tree)));
        foreach (var stage in together.Stages)
        {
            var record = (await other.Store.RecordsAsync([stage.Key!.Value]))[0].Single();
            Assert.Equal(stage.Instance.Name, record.Stage);
            Assert.True(File.Exists(stage.LogPath));
            Assert.Equal((3, 3), (record.Together, stage.Together));
            Assert.Equal(stage.Durations!.Execute / 3, stage.OwnSeconds);
        }

        Assert.All(alone.Stages, stage => Assert.Equal((1, stage.Durations!.Execute), (stage.Together, stage.OwnSeconds)));
        var past = new RunHistory(other.Workspace).Read(together.RunId)!;
        Assert.All(past.Stages, stage => Assert.Equal(3, stage.Together));
        Assert.Contains("\"together\":3", RunTrace.Write(past));
        // What a later run is estimated to take is the time that the group took, and not three times that.
        var estimates = StageHistory.Of(other.Workspace, together.Plan.Pipeline);
        Assert.Equal(
            together.Stages.Sum(stage => stage.OwnSeconds!.Value), together.Stages.Sum(stage => estimates.EstimateOf(stage.Instance.Name)!.Seconds), 2);

        Assert.All(
            (await other.Run(other.Load(Yaml("a, b, c"), Catalog()), new RunOptions { Jobs = 1, Together = 3 })).Stages,
            stage => Assert.Equal(StageState.Cached, stage.State));
    }

    [Fact]
    public async Task Only_what_is_alike_is_begun_together()
    {
        var run = await RunAsync("""
            name: alike
            stages:
              one: { uses: text, with: { text: one } }
              two: { uses: text, with: { text: two } }
              a: { uses: pair, needs: { data: one }, with: { text: a } }
              b: { uses: pair, needs: { data: one }, with: { text: b } }
              same: { uses: pair, needs: { data: one }, with: { text: b } }
              c: { uses: pair, needs: { data: two }, with: { text: c } }
              d: { uses: pair, needs: { data: one }, with: { text: d, kin: other } }
              e: { uses: pair, needs: { data: one }, with: { text: e, kin: none } }
              f: { uses: pair, needs: { data: one }, timeout: 1h, with: { text: f } }
              g: { uses: pair, needs: { data: one }, compute: { threads: 4 }, with: { text: g } }
              h: { uses: pair, needs: { data: one }, retries: 1, with: { text: h } }
            """, new RunOptions { Jobs = 1, Together = 8 });
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal("a 2, b 2, c 1, d 1, e 1, f 1, g 1, h 1", string.Join(", ", _sizes.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}")));
        // 'same' is of one key with b, and so is not executed.
    }

    [Fact]
    public async Task One_that_fails_is_waited_for_no_longer_and_takes_nobody_down()
    {
        var run = await RunAsync(Yaml("a, b, c"), new RunOptions { Jobs = 1, Together = 3, KeepGoing = true }, meet: true, fails: "t@b");
        Assert.Equal([StageState.Done, StageState.Failed, StageState.Done], run.Stages.Select(stage => stage.State));
        Assert.Equal("the lake is dry; dig deeper", run.Stages[1].Error);
    }

    [Fact]
    public async Task One_that_begins_again_does_so_alone()
    {
        var tries = new ConcurrentBag<int>();
        _does = (context, _) =>
        {
            if (context.StageName != "t@b") return Task.CompletedTask;
            tries.Add(context.Group?.Group.Size ?? 1);
            return tries.Count == 1 ? throw new StageException("once more") : Task.CompletedTask;
        };
        var run = await RunAsync(Yaml("a, b, c", "retries: 1,"), new RunOptions { Jobs = 1, Together = 3 });
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal([1, 3], tries.Order());
        Assert.Equal(2, run.Stages[1].Attempts);
    }

    [Fact]
    public async Task One_whose_key_another_works_at_leaves_the_group_rather_than_let_it_wait()
    {
        var key = (await RunAsync(Yaml("b"), new RunOptions { Jobs = 1 })).Stages[0].Key!.Value;
        using var other = new Sandbox();
        using var held = await other.Workspace.LockAsync(key, null, CancellationToken.None);
        var ended = new TaskCompletionSource();
        var kind = new PairKind(async (context, cancellation) =>
        {
            _sizes[context.StageName] = context.Group?.Group.Size ?? 1;
            if (context.Group is not { } group) return;
            // The one in the middle goes before the two others have met.
            await MeetAsync(group, cancellation);
            ended.TrySetResult();
        });
        var running = other.Run(other.Load(Yaml("a, b, c"), TestKinds.Catalog(kind)), new RunOptions { Jobs = 1, Together = 3 });
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(20));
        held.Dispose();
        var run = await running.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal((3, 1, 3), (_sizes["t@a"], _sizes["t@b"], _sizes["t@c"]));
    }

    [Fact]
    public async Task A_group_that_is_interrupted_ends_and_its_stages_can_be_run_again()
    {
        using var stop = new CancellationTokenSource();
        _does = async (context, cancellation) =>
        {
            await MeetAsync(context.Group!, cancellation);
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, cancellation);
        };
        var run = await RunAsync(Yaml("a, b, c"), new RunOptions { Jobs = 1, Together = 3 }, cancellation: stop.Token);
        Assert.Equal(RunOutcome.Cancelled, run.Outcome);
        Assert.All(run.Stages, stage => Assert.Equal(StageState.Cancelled, stage.State));
        _does = (_, _) => Task.CompletedTask;
        Assert.Equal(RunOutcome.Succeeded, (await RunAsync(Yaml("a, b, c"), new RunOptions { Jobs = 1, Together = 3 })).Outcome);
    }

    [Fact]
    public async Task A_group_takes_the_memory_of_all_its_members()
    {
        var run = await RunAsync(Yaml("a, b, c, d, e", "resources: { memory: 2G },"), new RunOptions { Jobs = 1, Together = 5, Memory = 5L << 30 });
        Assert.Equal(RunOutcome.Succeeded, run.Outcome);
        Assert.Equal("2 2 2 2 1", string.Join(' ', "abcde".Select(cell => _sizes[$"t@{cell}"])));
    }

    private static string Yaml(string cells, string more = "") => $$$"""
        name: pairs
        compute: { threads: 1 }
        stages:
          t: { uses: pair, {{{more}}} matrix: { text: [{{{cells}}}] }, with: { text: "${{ matrix.text }}" } }
        """;

    private Task<RunResult> RunAsync(string yaml, RunOptions options, bool meet = false, string? fails = null, CancellationToken cancellation = default)
    {
        if (meet)
        {
            _does = async (context, token) =>
            {
                if (context.StageName == fails) throw new StageException("the lake is dry; dig deeper");
                await MeetAsync(context.Group!, token);
            };
        }

        return _box.Run(_box.Load(yaml, Catalog()), options, cancellation: cancellation).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
    }

    private StageCatalog Catalog() => TestKinds.Catalog(new PairKind(async (context, cancellation) =>
    {
        _sizes[context.StageName] = context.Group?.Group.Size ?? 1;
        await _does(context, cancellation);
    }));

    // Waits until every member is here or has left.
    private static async Task MeetAsync(GroupSeat seat, CancellationToken cancellation)
    {
        var meeting = seat.Group.Share(() => new Meeting(seat.Group.Size), (meeting, number) => meeting.Note(number));
        meeting.Note(seat.Number);
        await meeting.All.WaitAsync(cancellation);
    }

    private sealed class Meeting(int size)
    {
        private readonly HashSet<int> _seen = [];
        private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task All => _all.Task;

        public void Note(int number)
        {
            lock (_seen)
                if (_seen.Add(number) && _seen.Count == size) _all.SetResult();
        }
    }
}

internal sealed record PairParameters
{
    public string Text { get; init; } = "";

    public string Kin { get; init; } = "kin";
}

/// <summary>A kind whose stages can be worked at together.</summary>
internal sealed class PairKind(Func<StageContext, CancellationToken, Task> run) : StageKind<PairParameters>
{
    public override string Name => "pair";

    public override int Version => 1;

    public override string Summary => "Works together.";

    public override bool UsesTensors => true;

    public override bool UsesSeed(PairParameters parameters) => false;

    public override IReadOnlyList<StageInput> Inputs => [new("data", "a text", Required: false)];

    public override StageLikeness? Likeness(PairParameters parameters, ComputeSettings compute) => parameters.Kin == "none" ? null : new(parameters.Kin, "data");

    public override async Task RunAsync(PairParameters parameters, StageContext context, CancellationToken cancellation)
    {
        await run(context, cancellation);
        await File.WriteAllTextAsync(context.Output("text.txt"), parameters.Text, cancellation);
    }
}
