namespace Ssti.Telemetry.Tests;

/// <summary>A run whose stages are executed by another process is one trace all the same.</summary>
public sealed class ClusterTests : IDisposable
{
    private readonly Program _program = new();
    private readonly Collector _collector = new();

    public void Dispose()
    {
        _collector.Dispose();
        _program.Dispose();
    }

    [Fact]
    public async Task The_attempt_on_a_silo_is_below_the_stage_of_the_run_that_asked_for_it()
    {
        _program.Write("p.yaml", "name: far\nstages: { reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } } }");
        var (port, http) = (Collector.FreePort(), Collector.FreePort());
        using var server = _program.Start(["serve", "--port", $"{port}", "--http", $"http://127.0.0.1:{http}"], _collector.Environment);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (await server.StandardError.ReadLineAsync(limit.Token) is { } line)
                if (line.StartsWith("serving on", StringComparison.Ordinal)) break;
            var run = await _program.RunAsync(["run", "p.yaml", "--cluster", $"local:{port}"], _collector.Environment);
            Assert.True(run.Code == 0, run.Error);
            while (!_collector.Spans.Any(span => span.Name == "silo")) await Task.Delay(100, limit.Token);
        }
        finally
        {
            server.Kill();
        }

        var spans = _collector.Spans;
        var stage = spans.Single(span => span.Name == "reviews");
        var silo = spans.Single(span => span.Name == "silo");
        var attempt = spans.Single(span => span.Name == "attempt");
        Assert.Equal(("ssti", "all", "all"), (stage.Service, silo.Service, attempt.Service));
        Assert.Equal((stage.Id, silo.Id), (silo.Parent, attempt.Parent));
        Assert.Single(spans.Select(span => span.Trace).Distinct());
        // What is said over there is told here, and belongs to the stage.
        Assert.Equal(stage.Id, _collector.Logs.Single(log => log.Body == "reviews: done").Span);
        Assert.Contains(_collector.Logs, log => log.Span == stage.Id && log.Attributes.TryGetValue("ssti.stage.name", out var name) && (string)name == "reviews");
    }
}
