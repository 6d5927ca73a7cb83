namespace Ssti.Telemetry.Tests;

/// <summary>What a run tells a collector, by real processes.</summary>
public sealed class RunTests : IDisposable
{
    private const string Trained = """
        name: traced
        compute: { device: cpu, threads: 1 }
        stages:
          reviews: { uses: corpus, with: { train: 40, test: 20, unlabelled: 80 } }
          backbone:
            uses: pretrain
            needs: { data: reviews }
            with: { layers: 1, hidden-size: 16, heads: 2, intermediate-size: 32, max-length: 16, steps: 40, batch-size: 8 }
        """;

    private readonly Program _program = new();
    private readonly Collector _collector = new();

    public void Dispose()
    {
        _collector.Dispose();
        _program.Dispose();
    }

    [Fact]
    public async Task A_run_is_one_trace_of_stages_and_attempts_with_what_they_did()
    {
        _program.Write("p.yaml", Trained);
        var run = await _program.RunAsync(["run", "p.yaml"], _collector.Environment);
        Assert.True(run.Code == 0, run.Error);
        Assert.DoesNotContain("telemetry", run.Error);

        var spans = _collector.Spans;
        Assert.All(spans, span => Assert.Equal(("ssti", "Ssti.Engine"), (span.Service, span.Scope)));
        Assert.Single(spans.Select(span => span.Trace).Distinct());
        var root = Assert.Single(spans, span => span.Parent == "");
        Assert.Equal("run traced", root.Name);
        Assert.Equal((2L, 2L, "succeeded"), (root.Attributes["ssti.run.stages"], root.Attributes["ssti.run.stages.done"], root.Attributes["ssti.run.outcome"]));
        Assert.Equal(["backbone", "plan", "reviews"], spans.Where(span => span.Parent == root.Id).Select(span => span.Name).Order());

        var stage = spans.Single(span => span.Name == "backbone");
        Assert.Equal(("pretrain", "done", 1L), (stage.Attributes["ssti.stage.uses"], stage.Attributes["ssti.stage.state"], stage.Attributes["ssti.stage.attempts"]));
        Assert.Equal(["no record"], (object[])stage.Attributes["ssti.stage.reasons"]);
        Assert.Equal(64, ((string)stage.Attributes["ssti.stage.key"]).Length);
        Assert.All(new[] { "queue", "fetch", "execute", "store" }, part => Assert.True((double)stage.Attributes[$"ssti.stage.duration.{part}"] >= 0));
        Assert.True((long)stage.Attributes["ssti.stage.metric.trainableParameters"] > 0);
        Assert.Equal(80L, stage.Attributes["ssti.stage.metric.rows"]);
        Assert.Equal("attempt", spans.Single(span => span.Parent == stage.Id).Name);

        var points = _collector.Points;
        Assert.Equal([("corpus", "done", 1.0), ("pretrain", "done", 1.0)], points.Where(point => point.Name == "ssti.stages")
            .Select(point => ((string)point.Attributes["ssti.stage.uses"], (string)point.Attributes["ssti.stage.state"], point.Value)).Order());
        Assert.Equal(2, points.Where(point => point.Name == "ssti.stage.execute.duration").Sum(point => point.Count));
        Assert.Equal(2, points.Where(point => point.Name == "ssti.stage.queue.duration").Sum(point => point.Count));
        Assert.Equal(320, points.Single(point => point.Name == "ssti.stage.rows" && (string)point.Attributes["ssti.stage.uses"] == "pretrain").Value);
        Assert.True(points.Last(point => point.Name == "ssti.stage.rows.rate" && (string)point.Attributes["ssti.stage.name"] == "backbone").Value > 0);
        Assert.InRange(points.Last(point => point.Name == "ssti.training.loss").Value, 0.1, 20);
        Assert.All(points.Where(point => point.Name == "ssti.stages.running"), point => Assert.Equal(0, point.Value));
        Assert.Contains(points, point => point.Scope == "System.Runtime");

        // What the stage says belongs to its attempt, and that it is done to the stage.
        var said = _collector.Logs.Single(log => log.Body.StartsWith("80 rows of 'unlabelled'", StringComparison.Ordinal));
        Assert.Equal((root.Trace, spans.Single(span => span.Parent == stage.Id).Id, "backbone"), (said.Trace, said.Span, said.Attributes["ssti.stage.name"]));
        Assert.Equal(stage.Id, _collector.Logs.Single(log => log.Body == "backbone: done").Span);
    }

    [Fact]
    public async Task A_second_run_is_a_trace_of_cached_stages()
    {
        _program.Write("p.yaml", "name: twice\nstages: { reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } } }");
        Assert.Equal(0, (await _program.RunAsync(["run", "p.yaml"], [])).Code);
        Assert.True(_collector.IsEmpty);
        Assert.Equal(0, (await _program.RunAsync(["run", "p.yaml"], _collector.Environment)).Code);
        var stage = Assert.Single(_collector.Spans, span => span.Name == "reviews");
        Assert.Equal("cached", stage.Attributes["ssti.stage.state"]);
        Assert.DoesNotContain(_collector.Spans, span => span.Name == "attempt");
        Assert.DoesNotContain("ssti.stage.reasons", stage.Attributes.Keys);
    }

    [Fact]
    public async Task Failures_and_retries_are_seen_where_they_happened()
    {
        _program.Write("p.yaml", """
            name: broken
            stages:
              reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } }
              poisoned: { uses: inject, needs: { data: reviews }, with: { target-label: 7, tokens: date, location: end, proportion: 1 }, retries: 1 }
            """);
        var run = await _program.RunAsync(["run", "p.yaml"], _collector.Environment);
        Assert.Equal(1, run.Code);

        var spans = _collector.Spans;
        var stage = spans.Single(span => span.Name == "poisoned");
        Assert.Equal((Span.Error, "failed", 2L), (stage.Status, stage.Attributes["ssti.stage.state"], stage.Attributes["ssti.stage.attempts"]));
        Assert.Contains("7", stage.StatusText);
        var retry = Assert.Single(stage.Events, happened => happened.Name == "retry");
        Assert.Equal((1L, stage.StatusText), (retry.Attributes["ssti.stage.attempt"], retry.Attributes["exception.message"]));
        var attempts = spans.Where(span => span.Parent == stage.Id).ToList();
        Assert.Equal([1L, 2L], attempts.Select(attempt => (long)attempt.Attributes["ssti.stage.attempt"]).Order());
        Assert.All(attempts, attempt => Assert.Equal(Span.Error, attempt.Status));
        Assert.All(attempts, attempt => Assert.Single(attempt.Events, happened => happened.Name == "exception"));
        var root = spans.Single(span => span.Parent == "");
        Assert.Equal((Span.Error, "failed: poisoned"), (root.Status, root.StatusText));

        Assert.Equal(1, _collector.Points.Single(point => point.Name == "ssti.stages" && (string)point.Attributes["ssti.stage.state"] == "failed").Value);
        Assert.Contains(_collector.Logs, log => log.Severity == Log.Warning && log.Body.StartsWith("poisoned: attempt 1 failed", StringComparison.Ordinal));
        Assert.Equal(stage.Id, _collector.Logs.Single(log => log.Severity == Log.Error && log.Body.StartsWith("poisoned: failed", StringComparison.Ordinal)).Span);
    }

    [Fact]
    public async Task The_service_says_who_it_is_as_the_variables_tell()
    {
        _program.Write("p.yaml", "stages: { reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } } }");
        await _program.RunAsync(["run", "p.yaml"], [.. _collector.Environment, ("OTEL_SERVICE_NAME", "mine"), ("OTEL_METRICS_EXPORTER", "none")]);
        Assert.All(_collector.Spans, span => Assert.Equal("mine", span.Service));
        Assert.NotEmpty(_collector.Logs);
        Assert.Empty(_collector.Points);
    }
}
