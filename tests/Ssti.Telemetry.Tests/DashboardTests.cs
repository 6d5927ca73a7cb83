using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Ssti.Telemetry.Tests;

/// <summary>The real Aspire dashboard, standing alone: what a run sends over gRPC is read back through the dashboard's API.</summary>
public sealed class DashboardTests : IDisposable
{
    private static readonly string Rid = $"linux-{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64")}";

    private readonly Program _program = new();

    public void Dispose() => _program.Dispose();

    [SkippableFact]
    public async Task A_run_is_read_back_from_the_dashboard()
    {
        var (page, grpc, http) = (Url(), Url(), Url());
        using var dashboard = StartDashboard(page, grpc, http);
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            using var client = new HttpClient { BaseAddress = new Uri(page) };
            await AnswersAsync(client, dashboard, limit.Token);
            _program.Write("p.yaml", "name: seen\nstages: { reviews: { uses: corpus, with: { train: 20, test: 10, unlabelled: 10 } } }");
            var run = await _program.RunAsync(["run", "p.yaml"], [("OTEL_EXPORTER_OTLP_ENDPOINT", grpc), ("OTEL_EXPORTER_OTLP_TIMEOUT", "30000")]);
            Assert.True(run.Code == 0, run.Error);
            Assert.DoesNotContain("telemetry", run.Error);

            var spans = await UntilAsync(
                client, "api/telemetry/traces", "resourceSpans", "scopeSpans", "spans", all => all.Any(span => (string?)span["name"] == "run seen"), limit.Token);
            var root = spans.Single(span => (string?)span["name"] == "run seen");
            var stage = spans.Single(span => (string?)span["name"] == "reviews");
            var attempt = spans.Single(span => (string?)span["name"] == "attempt");
            Assert.Null(root["parentSpanId"]);
            Assert.Equal((string?)root["spanId"], (string?)stage["parentSpanId"]);
            Assert.Equal((string?)stage["spanId"], (string?)attempt["parentSpanId"]);
            Assert.Single(spans.Select(span => (string?)span["traceId"]).Distinct());

            var logs = await UntilAsync(
                client, "api/telemetry/logs", "resourceLogs", "scopeLogs", "logRecords", all => all.Any(log => Body(log) == "reviews: done"), limit.Token);
            Assert.Equal((string?)stage["spanId"], (string?)logs.Single(log => Body(log) == "reviews: done")["spanId"]);
            var resource = Assert.Single((await client.GetFromJsonAsync<JsonArray>("api/telemetry/resources", limit.Token))!);
            Assert.Equal(("ssti", true), ((string?)resource!["name"], (bool?)resource["hasMetrics"]));
        }
        finally
        {
            // Asked to end, since it would leave the dashboard behind otherwise.
            if (!dashboard.HasExited) kill(dashboard.Id, 15);
            if (!dashboard.WaitForExit(TimeSpan.FromSeconds(20))) dashboard.Kill(entireProcessTree: true);
        }
    }

    private static string Url() => $"http://localhost:{Collector.FreePort()}";

    private static string? Body(JsonNode log) => (string?)log["body"]?["stringValue"];

    private static Process StartDashboard(string page, string grpc, string http)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the dashboard is taken from npm's package for Linux");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named : Path.Combine(home, ".cache");
        var folder = Path.Combine(cache, "ssti", "aspire-cli");
        var program = Environment.GetEnvironmentVariable("SSTI_ASPIRE_CLI") is { Length: > 0 } path ? path
            : Path.Combine(folder, "node_modules", "@microsoft", $"aspire-cli-{Rid}", "bin", "aspire");
        Skip.IfNot(
            File.Exists(program),
            $"no Aspire command line at {program}; install it with: npm install --prefix {folder} @microsoft/aspire-cli-{Rid}@13.5.4 (or set SSTI_ASPIRE_CLI)");
        var info = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            ArgumentList =
            {
                "dashboard", "run", "--allow-anonymous", "--nologo", "--non-interactive", "--frontend-url", page, "--otlp-grpc-url", grpc, "--otlp-http-url", http,
            },
            Environment = { ["ASPIRE_CLI_TELEMETRY_OPTOUT"] = "true" },
        };
        var process = Process.Start(info)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task AnswersAsync(HttpClient client, Process dashboard, CancellationToken limit)
    {
        while (true)
        {
            Assert.False(dashboard.HasExited, "the dashboard ended by itself");
            try
            {
                if ((await client.GetAsync("api/telemetry/resources", limit)).IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
            }

            await Task.Delay(200, limit);
        }
    }

    private static async Task<IReadOnlyList<JsonNode>> UntilAsync(
        HttpClient client, string path, string resources, string scopes, string items, Func<IReadOnlyList<JsonNode>, bool> complete, CancellationToken limit)
    {
        while (true)
        {
            var json = await client.GetFromJsonAsync<JsonNode>(path, limit);
            List<JsonNode> all = [.. Each(Each(Each([json!["data"]!], resources), scopes), items)];
            if (complete(all)) return all;
            await Task.Delay(200, limit);
        }

        static IEnumerable<JsonNode> Each(IEnumerable<JsonNode> nodes, string name) => nodes.SelectMany(node => node[name]?.AsArray() ?? []).Select(node => node!);
    }

    [DllImport("libc")]
    private static extern int kill(int process, int signal);
}
