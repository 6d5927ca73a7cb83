using System.Net;
using System.Net.Sockets;

namespace Ssti.Telemetry.Tests;

/// <summary>Without a collector everything is as before.</summary>
public sealed class AbsenceTests : IDisposable
{
    private const string Pipeline = "stages: { reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } } }";

    private readonly Program _program = new();

    public AbsenceTests() => _program.Write("p.yaml", Pipeline);

    public void Dispose() => _program.Dispose();

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task A_collector_that_is_not_there_costs_a_warning(string protocol)
    {
        var run = await _program.RunAsync(
            ["run", "p.yaml"], [("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{Collector.FreePort()}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        Assert.Equal(0, run.Code);
        Assert.Contains("1 executed", run.Out);
        Assert.Contains("warning: telemetry was not delivered", run.Error);
        Assert.DoesNotContain("   at ", run.Error);
    }

    [Fact]
    public async Task A_collector_that_never_answers_is_not_waited_for()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var run = await _program.RunAsync(
            ["run", "p.yaml"],
            [("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
        Assert.Equal(0, run.Code);
        Assert.Contains("1 executed", run.Out);
        Assert.Contains("warning: telemetry was not delivered", run.Error);
    }

    [Fact]
    public async Task An_endpoint_with_a_slip_in_it_does_not_fail_the_run()
    {
        var run = await _program.RunAsync(["run", "p.yaml"], [("OTEL_EXPORTER_OTLP_ENDPOINT", "not an address")]);
        Assert.Equal(0, run.Code);
        Assert.Contains("warning: telemetry was not delivered", run.Error);
    }

    [Fact]
    public async Task Nothing_of_OpenTelemetry_is_loaded_when_nothing_is_asked_for()
    {
        // A copy of the program in which OpenTelemetry is no assembly at all.
        var copy = Directory.CreateDirectory(Path.Combine(_program.Folder, "copy")).FullName;
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory).Where(file => Path.GetFileName(file) is var name
                     && (name.EndsWith(".dll", StringComparison.Ordinal) || name is "ssti.runtimeconfig.json" or "ssti.deps.json")))
        {
            var to = Path.Combine(copy, Path.GetFileName(file));
            if (Path.GetFileName(file).StartsWith("OpenTelemetry", StringComparison.Ordinal)) File.WriteAllText(to, "no assembly");
            else File.Copy(file, to);
        }

        // The native libraries are no part of this, and heavy.
        foreach (var natives in Directory.GetDirectories(AppContext.BaseDirectory))
            Directory.CreateSymbolicLink(Path.Combine(copy, Path.GetFileName(natives)), natives);
        Assert.NotEmpty(Directory.GetFiles(copy, "OpenTelemetry*"));
        var program = Path.Combine(copy, "ssti.dll");
        foreach (var off in new (string, string)[][] { [], [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), ("OTEL_SDK_DISABLED", "true")] })
        {
            var run = await _program.RunAsync(["run", "p.yaml"], off, program);
            Assert.True(run.Code == 0, run.Error);
        }

        // And the trap does snap.
        Assert.NotEqual(0, (await _program.RunAsync(["run", "p.yaml"], [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")], program)).Code);
    }
}
