using Ssti.Engine.Planning;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Tests;

public sealed class RunnerTests : IDisposable
{
    private const string Chain = """
        name: chain
        stages:
          a:
            uses: text
            with: { text: one }
          b:
            uses: upper
            needs: { data: a }
          c:
            uses: upper
            needs: { data: b }
        """;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_second_run_finds_everything_cached()
    {
        var first = await _box.Run(_box.Load(Chain));
        var second = await _box.Run(_box.Load(Chain));

        Assert.Equal(RunOutcome.Succeeded, first.Outcome);
        Assert.All(first.Stages, s => Assert.Equal(StageState.Done, s.State));
        Assert.All(second.Stages, s => Assert.Equal(StageState.Cached, s.State));
        Assert.Equal("ONE|8|", await _box.Text(second, "c"));
        Assert.Equal(first.Stages.Select(s => s.Tree), second.Stages.Select(s => s.Tree));
    }

    [Fact]
    public async Task An_upstream_rebuilt_to_the_same_bytes_leaves_downstream_cached()
    {
        await _box.Run(_box.Load(Chain));
        // "One" differs from "one" in a's bytes but not in b's.
        var run = await _box.Run(_box.Load(Chain.Replace("text: one", "text: One")));

        Assert.Equal([StageState.Done, StageState.Done, StageState.Cached], run.Stages.Select(s => s.State));
        Assert.Contains(run.Stages[0].Reasons, r => r.ToString() == "parameter text changed from \"one\" to \"One\"");
        Assert.Contains(run.Stages[1].Reasons, r => r.Kind == ReasonKind.InputChanged && r.Field == "inputs.data" && r.Detail == "1 of 1 files differ");
    }

    [Fact]
    public async Task A_failing_stage_leaves_the_store_as_it_was_and_names_its_log()
    {
        var yaml = """
            stages:
              a: { uses: fail, with: { clearly: false } }
              b: { uses: upper, needs: { data: a } }
            """;
        var run = await _box.Run(_box.Load(yaml));

        Assert.Equal(RunOutcome.Failed, run.Outcome);
        Assert.Equal(StageState.Failed, run.Stages[0].State);
        Assert.Equal(StageState.Skipped, run.Stages[1].State);
        Assert.Contains(run.Stages[0].LogPath!, run.Stages[0].Error);
        Assert.DoesNotContain("at Ssti", run.Stages[0].Error);
        Assert.Contains("System.InvalidOperationException: a bug", File.ReadAllText(run.Stages[0].LogPath!));
        Assert.Empty(
            Directory.Exists(Path.Combine(_box.Store.Location, "cas"))
                ? Directory.GetFiles(Path.Combine(_box.Store.Location, "cas"), "*", SearchOption.AllDirectories)
                : []);
        Assert.False(Directory.Exists(_box.Workspace.WorkOf(run.Stages[0].Key!.Value)));
    }

    [Fact]
    public async Task A_stage_exception_is_shown_as_it_stands()
    {
        var run = await _box.Run(_box.Load("stages: { a: { uses: fail } }"));

        Assert.Equal("the lake is dry; dig deeper", run.Stages[0].Error);
    }

    [Fact]
    public async Task Without_keep_going_nothing_new_starts_after_a_failure()
    {
        var yaml = """
            stages:
              a: { uses: fail }
              b: { uses: text, with: { text: x } }
            """;
        var stopped = await _box.Run(_box.Load(yaml), new RunOptions { Jobs = 1 });
        var kept = await _box.Run(_box.Load(yaml), new RunOptions { Jobs = 1, KeepGoing = true });

        Assert.Equal(StageState.Skipped, stopped.Stages[1].State);
        Assert.Equal(StageState.Done, kept.Stages[1].State);
        Assert.Equal(RunOutcome.Failed, kept.Outcome);
    }

    [Fact]
    public async Task Running_siblings_are_let_to_their_end_when_one_fails()
    {
        var started = new TaskCompletionSource();
        var failed = new TaskCompletionSource();
        var slow = new DelegateKind("slow", async (context, _) =>
        {
            started.SetResult();
            await failed.Task;
            File.WriteAllText(context.Output("text.txt"), "slow");
        });
        var quick = new DelegateKind("quick", async (_, _) =>
        {
            await started.Task;
            throw new StageException("no");
        });
        var listener = new Callback(e =>
        {
            if (e is RunEvent.StageFinished { Result.State: StageState.Failed }) failed.SetResult();
        });
        var run = await _box.Run(_box.Load("stages: { s: { uses: slow }, q: { uses: quick } }", TestKinds.Catalog(slow, quick)), null, listener);

        Assert.Equal([StageState.Done, StageState.Failed], run.Stages.Select(s => s.State));
    }

    [Fact]
    public async Task Cancelling_drains_and_keeps_the_scratch_folder_for_the_next_attempt()
    {
        using var cancel = new CancellationTokenSource();
        var kind = new DelegateKind("train", async (context, stop) =>
        {
            var checkpoint = Path.Combine(context.ScratchFolder, "step");
            if (File.Exists(checkpoint))
            {
                File.WriteAllText(context.Output("text.txt"), "resumed from " + File.ReadAllText(checkpoint));
                return;
            }

            File.WriteAllText(checkpoint, "7");
            File.WriteAllText(context.Output("half.txt"), "half");
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, stop);
        });
        var pipeline = _box.Load("stages: { t: { uses: train }, u: { uses: upper, needs: { data: t } } }", TestKinds.Catalog(kind));
        var cancelled = await _box.Run(pipeline, null, null, cancel.Token);
        var resumed = await _box.Run(pipeline);

        Assert.Equal(RunOutcome.Cancelled, cancelled.Outcome);
        Assert.Equal(StageState.Cancelled, cancelled.Stages[0].State);
        Assert.Equal("resumed from 7", await _box.Text(resumed, "t"));
        Assert.Single((await Ssti.Store.ActionCache.TreeAsync(_box.Store, resumed.Stages[0].Tree!.Value)).Files);
        Assert.False(Directory.Exists(_box.Workspace.WorkOf(resumed.Stages[0].Key!.Value)));
    }

    [Fact]
    public async Task Stages_that_give_other_bytes_each_time_are_reported()
    {
        var kind = new DelegateKind("dice", (context, _) => File.WriteAllTextAsync(context.Output("text.txt"), Guid.NewGuid().ToString()));
        var pipeline = _box.Load("stages: { d: { uses: dice } }", TestKinds.Catalog(kind));
        await _box.Run(pipeline);
        var heard = new Recorder();
        var forced = await _box.Run(pipeline, new RunOptions { Selection = new RunSelection { Force = ["d"] } }, heard);
        var plan = await _box.Runner().PlanAsync(pipeline, RunSelection.All);

        Assert.Contains(heard.Events.OfType<RunEvent.Warned>(), w => w.Message.Contains("not deterministic", StringComparison.Ordinal));
        Assert.Contains(plan.Warnings, w => w.Contains("2 records", StringComparison.Ordinal));
        Assert.Equal(forced.Stages[0].Tree, plan.Stages[0].Hit!.Tree);
    }

    [Fact]
    public async Task Two_runs_at_once_execute_a_key_once()
    {
        var count = 0;
        var kind = new DelegateKind("slow", async (context, stop) =>
        {
            Interlocked.Increment(ref count);
            await Task.Delay(200, stop);
            File.WriteAllText(context.Output("text.txt"), "x");
        });
        var pipeline = _box.Load("stages: { s: { uses: slow } }", TestKinds.Catalog(kind));
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _box.Run(pipeline))));

        Assert.Equal(1, count);
        Assert.Single(runs, r => r.Stages[0].State == StageState.Done);
        Assert.Equal(3, runs.Count(r => r.Stages[0].State == StageState.Cached));
    }

    [Fact]
    public async Task A_failed_attempt_is_repeated_as_often_as_retries_says()
    {
        var attempts = 0;
        var kind = new DelegateKind("flaky", (context, _) =>
        {
            if (++attempts < 2) throw new StageException("not yet");
            File.WriteAllText(context.Output("text.txt"), "x");
            return Task.CompletedTask;
        });
        var run = await _box.Run(_box.Load("stages: { s: { uses: flaky, retries: 1 } }", TestKinds.Catalog(kind)));

        Assert.Equal("", run.Stages[0].Error ?? "");
        Assert.Equal(StageState.Done, run.Stages[0].State);
        Assert.Equal(2, run.Stages[0].Attempts);
    }

    [Fact]
    public async Task A_stage_that_takes_longer_than_its_timeout_fails()
    {
        var kind = new DelegateKind("slow", (_, stop) => Task.Delay(Timeout.Infinite, stop));
        var run = await _box.Run(_box.Load("stages: { s: { uses: slow, timeout: 0.05s } }", TestKinds.Catalog(kind)));

        Assert.Equal(StageState.Failed, run.Stages[0].State);
        Assert.Contains("timeout", run.Stages[0].Error);
    }

    [Fact]
    public async Task Until_runs_a_stage_and_what_it_needs()
    {
        var run = await _box.Run(_box.Load(Chain), new RunOptions { Selection = new RunSelection { Until = ["b"] } });

        Assert.Equal(["a", "b"], run.Stages.Select(s => s.Instance.Name));
    }

    [Fact]
    public async Task Only_refuses_what_lacks_its_inputs_and_says_which()
    {
        var run = await _box.Run(_box.Load(Chain), new RunOptions { Selection = new RunSelection { Only = ["c"] } });

        Assert.Equal(RunOutcome.Failed, run.Outcome);
        Assert.All(run.Stages, s => Assert.Equal(StageState.Skipped, s.State));
        Assert.Contains("not selected", run.Stages[0].Error);
    }

    [Fact]
    public async Task A_glob_that_selects_nothing_names_the_nearest()
    {
        var pipeline = _box.Load(Chain.Replace("  b:", "  bottle:").Replace("data: b", "data: bottle"));
        var error = await Assert.ThrowsAsync<SelectionException>(() => _box.Run(pipeline, new RunOptions { Selection = new RunSelection { Until = ["botle"] } }));

        Assert.Contains("did you mean 'bottle'?", error.Message);
    }

    [Fact]
    public async Task A_chain_of_thousands_behind_a_failure_is_skipped_without_trouble()
    {
        var yaml = "stages:\n  s0: { uses: fail }\n" + string.Concat(Enumerable.Range(1, 5000).Select(i => $"  s{i}: {{ uses: upper, needs: {{ data: s{i - 1} }} }}\n"));
        var run = await _box.Run(_box.Load(yaml));

        Assert.Equal(5000, run.Stages.Count(s => s.State == StageState.Skipped));
    }

    private sealed class Callback(Action<RunEvent> action) : IRunListener
    {
        public void On(RunEvent happened) => action(happened);
    }
}
