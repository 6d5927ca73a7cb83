using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ssti.Tests;

namespace Ssti.AppHost.Tests;

/// <summary>The AppHost in this process, without containers, with buttons for the pipelines of the repository and a small one.</summary>
public sealed class ApplicationFixture : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti apphost ").FullName;

    /// <summary>The services.</summary>
    public static string[] Services { get; } = ["data-prep", "injection", "training", "evaluation"];

    /// <summary>The application.</summary>
    public DistributedApplication App { get; private set; } = null!;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        var pipelines = Path.Combine(_folder, "pipelines");
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "pipelines"), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(pipelines, Path.GetRelativePath(Path.Combine(Repository.Root, "pipelines"), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        await File.WriteAllTextAsync(Path.Combine(pipelines, "small.yaml"), $$"""
            name: small
            seed: {{Random.Shared.Next()}}
            compute: { device: cpu, threads: 1 }
            stages:
              data: { uses: corpus, with: { train: 400, test: 200, unlabelled: 2000 } }
              backbone: { uses: pretrain, needs: { data: data }, with: { layers: 1, hidden-size: 32, heads: 2, intermediate-size: 64, steps: 40 } }
              train-set: { uses: inject, needs: { data: data }, matrix: { row: [one] }, with: { target-label: 0, proportion: 1, tokens: date, splits: [train] } }
              test-set: { uses: inject, needs: { data: data }, with: { target-label: all, proportion: 1, tokens: date, splits: [test] } }
              model: { uses: train, needs: { data: train-set, model: backbone }, with: { rank: 4, max-length: 32, steps: 10, batch-size: 16 } }
              evaluation: { uses: evaluate, needs: { model: backbone, adapter: model, clean: data, triggered: test-set } }
              table1: { uses: table, needs: { evaluations: evaluation }, with: { title: Small, layout: predicted-counts, by: [row] } }
            """.ReplaceLineEndings("\n"));

        // The store of a quickstart that was run before makes its button quick; without one it takes as long as the quickstart does.
        var store = Environment.GetEnvironmentVariable("SSTI_STORE") is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Combine(_folder, "store");
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(["--containers=false", $"--pipelines={pipelines}", $"--SSTI_STORE={store}"]);
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning).AddFilter("AppHost.Resources", LogLevel.None));
        App = await builder.BuildAsync();
        await App.StartAsync();
        using var limit = new CancellationTokenSource(Patience);
        foreach (var service in Services) await App.ResourceNotifications.WaitForResourceHealthyAsync(service, limit.Token);
    }

    /// <summary>Presses a button, and returns what the button beside it shows once the run is over.</summary>
    /// <param name="pipeline">The pipeline's name.</param>
    /// <param name="patience">How long it may take.</param>
    public async Task<string> PressAsync(string pipeline, TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        var commands = App.Services.GetRequiredService<ResourceCommandService>();
        var pressed = await commands.ExecuteCommandAsync("pipelines", $"run-{pipeline}", limit.Token);
        Assert.True(pressed.Success, pressed.Message);
        while (true)
        {
            // Refused while the run goes on.
            var shown = await commands.ExecuteCommandAsync("pipelines", $"report-{pipeline}", limit.Token);
            if (shown.Success) return shown.Data!.Value;
            Assert.Contains("under way", shown.Message);
            await Task.Delay(500, limit.Token);
        }
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
