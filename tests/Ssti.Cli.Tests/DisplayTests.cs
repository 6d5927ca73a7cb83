using Microsoft.Extensions.Time.Testing;
using Ssti.Cli.Display;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Tests;

/// <summary>What a log sees of long work: a line every half a minute, without waiting for one here.</summary>
public sealed class DisplayTests
{
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly FakeTimeProvider _time = new();

    private string[] Lines => _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    // Second by second: what is due meanwhile is told at its time.
    private void Pass(int seconds)
    {
        for (; seconds > 0; seconds--) _time.Advance(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_stage_that_reports_nothing_is_told_to_be_at_work_every_30_seconds()
    {
        var display = new PlainDisplay(_output, quiet: false, _time);
        display.Started("load", default);
        Pass(95);
        display.Finished("load", "done");
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(["load: started, estimate unknown", "load: still at work, 30 s", "load: still at work, 1 min 00 s", "load: still at work, 1 min 30 s", "load: done"], Lines);
    }

    [Fact]
    public void A_training_says_how_far_it_is_its_loss_its_pace_and_how_long_it_still_takes()
    {
        var display = new PlainDisplay(_output, quiet: false, _time);
        display.Started("train", default);
        // From a checkpoint: 100 updates are not this attempt's work.
        for (var step = 100; step <= 160; step++, _time.Advance(TimeSpan.FromSeconds(1)))
            display.Progress("train", new StageProgress(step, 400, "updates", $"loss 0.{step}") { Rows = (step - 100) * 32 });
        Pass(30);
        Assert.Equal(
            ["train: started, estimate unknown", "train: 129/400 updates, loss 0.129, 32 rows/s, 30 s, ~4 min 30 s left",
             "train: 159/400 updates, loss 0.159, 32 rows/s, 1 min 00 s, ~4 min 00 s left", "train: 160/400 updates, loss 0.160, 32 rows/s, 1 min 30 s, ~3 min 30 s left"],
            Lines);
        // Nothing came for half a minute: that is to be seen.
        Pass(30);
        Assert.StartsWith("train: still at 160/400 updates, loss 0.160, 2 min 00 s", Lines[^1]);
        display.Progress("train", new StageProgress(400, 400, "updates"));
        Pass(30);
        Assert.EndsWith("400/400 updates, 2 min 30 s", Lines[^1]);
    }

    [Fact]
    public void Without_a_total_the_past_says_how_long_it_may_take()
    {
        var display = new PlainDisplay(_output, quiet: false, _time);
        display.Started("rows", new Expected(50, 3, "run"));
        display.Progress("rows", new StageProgress(0, null, "rows"));
        _time.Advance(TimeSpan.FromSeconds(10));
        display.Progress("rows", new StageProgress(40, null, "rows"));
        _time.Advance(TimeSpan.FromSeconds(20));
        display.Progress("rows", new StageProgress(41, null, "rows"));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(
            [
                "rows: started, estimate ~50 s, from 3 runs", "rows: 40 rows, 4.0 rows/s, 30 s, ~20 s left",
                "rows: 41 rows, 0.1 rows/s, 1 min 00 s, longer than expected"],
            Lines);
    }

    [Fact]
    public async Task Quiet_is_quiet_and_the_end_of_a_run_is_the_end_of_its_lines()
    {
        await using (var quiet = new PlainDisplay(_output, quiet: true, _time))
        {
            quiet.Started("a", default);
            _time.Advance(TimeSpan.FromMinutes(3));
        }

        await using (var display = new PlainDisplay(_output, quiet: false, _time)) display.Started("b", default);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(["b: started, estimate unknown"], Lines);
    }

    [Fact]
    public void A_meter_writes_a_line_every_30_seconds_where_nobody_watches()
    {
        using var meter = new Meter(new Terminal(TextWriter.Null, _output, IsInteractive: false), quiet: false, "push", _time);
        for (var blob = 1; blob <= 70; blob++, _time.Advance(TimeSpan.FromSeconds(1))) meter.Show(blob, blob * 1000, 100, 100_000);
        Assert.Equal(["push: 31 of 100 blobs, 31 kB of 100 kB, ~1 min 07 s left", "push: 61 of 100 blobs, 61 kB of 100 kB, ~38 s left"], Lines);
    }
}
