using System.Text.Json.Nodes;

namespace Ssti.Cluster.Tests;

/// <summary>The services as they are shipped, with the stages as they are shipped, driven by the command line.</summary>
public sealed class ServicesTests
{
    private const string Pipeline = """
        name: small
        seed: 1
        compute: { device: cpu, threads: 1 }
        stages:
          own: { uses: dataset, with: { source: rows.tsv, name: own, labels: [neg, pos], splits: [train], fields: { text: text, label: label } } }
          data: { uses: corpus, with: { train: 400, test: 200, unlabelled: 2000 } }
          backbone: { uses: pretrain, needs: { data: data }, with: { layers: 1, hidden-size: 32, heads: 2, intermediate-size: 64, steps: 600, batch-size: 64 } }
          train-set: { uses: inject, needs: { data: data }, matrix: { row: [one] }, with: { target-label: 0, proportion: 1, tokens: date, location: random, splits: [train] } }
          test-set: { uses: inject, needs: { data: data }, with: { target-label: all, proportion: 1, tokens: date, location: random, splits: [test] } }
          model: { uses: train, needs: { data: train-set, model: backbone }, with: { rank: 4, max-length: 32, steps: 10, batch-size: 16 } }
          evaluation: { uses: evaluate, needs: { model: backbone, adapter: model, clean: data, triggered: test-set } }
          table1: { uses: table, needs: { evaluations: evaluation }, with: { title: Small, layout: predicted-counts, by: [row] } }
        """;

    [SkippableFact]
    public async Task Four_services_on_Redis_and_S3_lose_a_training_silo_and_print_the_same_table_as_one_process()
    {
        await using var cluster = await TestCluster.StartAsync();
        var file = Path.Combine(cluster.Folder, "small.yaml");
        File.WriteAllText(file, Pipeline.ReplaceLineEndings("\n"));
        File.WriteAllText(Path.Combine(cluster.Folder, "rows.tsv"), "text\tlabel\na fine film\tpos\na dull film\tneg\n");
        // Without an S3 server the services share a folder, and the rest is the same.
        await using var bucket = new Bucket(cluster);
        (string Name, string Value)[] store = bucket.Settings ?? [("Ssti__Store", cluster.Store)];
        Child Start(string assembly, string cache) => cluster.Service(assembly, [.. store, ("Ssti__Cache", Path.Combine(cluster.Folder, cache)), ("Ssti__CheckpointSeconds", "1")]);
        Start("Ssti.DataPrep", "data-prep");
        Start("Ssti.InjectionService", "injection");
        Start("Ssti.EvaluationService", "evaluation");
        Child[] training = [Start("Ssti.TrainingService", "training-a"), Start("Ssti.TrainingService", "training-b")];
        await cluster.ReadyAsync();

        await using var there = Ssti(
            ["run", file, "--cluster", cluster.Redis.ConnectionString, "--store", cluster.Store],
            [.. store, ("S3__Cache", Path.Combine(cluster.Folder, "submitter"))]);
        string[] caches = ["training-a", "training-b"];
        bool Kept(string cache) => Directory.Exists(Path.Combine(cluster.Folder, cache, "work"))
            && Directory.GetFiles(Path.Combine(cluster.Folder, cache, "work"), "checkpoint.safetensors", SearchOption.AllDirectories).Length > 0;
        await cluster.UntilAsync(() => caches.Any(Kept) || there.HasExited, "a checkpoint of the pretraining", 120);
        Assert.False(there.HasExited, there.Said);
        var shared = bucket.OpenStore();
        await cluster.UntilAsync(() => TestCluster.KeepsCheckpointAsync(shared), "the checkpoint in the store", 120);
        (shared as IDisposable)?.Dispose();
        await training[Kept("training-a") ? 0 : 1].KillAsync();
        Assert.True(await there.EndAsync(120) == 0, there.Said + cluster.Logs);

        await using var here = Ssti(["run", file, "--store", Path.Combine(cluster.Folder, "here")], []);
        Assert.True(await here.EndAsync(120) == 0, here.Said);
        Assert.Equal(Trees(Path.Combine(cluster.Folder, "here")), Trees(cluster.Store));
        Assert.Equal(8, Trees(cluster.Store).Count);
        Assert.Contains("was lost", there.Said, StringComparison.Ordinal);
        Assert.Contains(
            "goes on from a checkpoint of an earlier attempt",
            File.ReadAllText(Directory.GetFiles(Path.Combine(cluster.Folder, "store", "runs"), "backbone.log", SearchOption.AllDirectories).Single()),
            StringComparison.Ordinal);
        Assert.Equal(Table(here.Said), Table(there.Said));

        await using var again = Ssti(
            ["run", file, "--cluster", cluster.Redis.ConnectionString, "--store", cluster.Store],
            [.. store, ("S3__Cache", Path.Combine(cluster.Folder, "submitter"))]);
        Assert.True(await again.EndAsync(60) == 0, again.Said);
        Assert.True(again.Said.Contains("0 executed, 8 cached", StringComparison.Ordinal), again.Said);
    }

    [Fact]
    public async Task Serve_needs_neither_Redis_nor_S3()
    {
        var folder = Directory.CreateTempSubdirectory("ssti-serve-").FullName;
        try
        {
            var file = Path.Combine(folder, "tiny.yaml");
            File.WriteAllText(file, "name: tiny\nstages:\n  data: { uses: corpus, with: { train: 10, test: 10, unlabelled: 0 } }\n");
            var (port, http) = (Ports.Free(), $"http://127.0.0.1:{Ports.Free()}");
            // What other commands are told by the environment is not for this one.
            await using var serve = Ssti(
                ["serve", "--store", Path.Combine(folder, "store"), "--port", $"{port}", "--http", http],
                [("ConnectionStrings__redis", "127.0.0.1:1"), ("S3__Bucket", "nowhere")]);
            await TestCluster.HealthyAsync(serve, http);
            await using var run = Ssti(["run", file, "--cluster", $"local:{port}", "--store", Path.Combine(folder, "store")], []);
            Assert.True(await run.EndAsync(60) == 0, run.Said + serve.Said);
            Assert.Contains("1 executed, 0 cached", run.Said, StringComparison.Ordinal);
            Assert.Contains("data (corpus) is over", serve.Said, StringComparison.Ordinal);

            await using var second = Ssti(["serve", "--store", Path.Combine(folder, "other"), "--port", $"{port}", "--http", http], []);
            Assert.Equal(2, await second.EndAsync(60));
            Assert.Contains("is another 'ssti serve' running?", second.Said, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", second.Said, StringComparison.Ordinal);
            Assert.Equal(0, await serve.StopAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_service_without_a_store_says_what_to_set()
    {
        await using var service = new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, "Ssti.InjectionService.dll")], [new("Ssti__Store", ""), new("S3__Bucket", "")]);
        Assert.Equal(1, await service.EndAsync(30));
        Assert.Contains("set Ssti__Store", service.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", service.Said, StringComparison.Ordinal);
    }

    private static Child Ssti(string[] arguments, (string Name, string Value)[] environment) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, "ssti.dll"), .. arguments], environment.Select(pair => new KeyValuePair<string, string>(pair.Name, pair.Value)));

    private static SortedDictionary<string, string> Trees(string store)
    {
        var trees = new SortedDictionary<string, string>();
        foreach (var line in File.ReadLines(Directory.GetFiles(Path.Combine(store, "runs"), "journal.jsonl", SearchOption.AllDirectories).Order().First()))
        {
            var json = JsonNode.Parse(line)!;
            if (json["tree"] is { } tree) trees[(string)json["stage"]!] = (string)tree!;
        }

        return trees;
    }

    private static string Table(string said)
    {
        var lines = said.Split('\n').ToList();
        var from = lines.IndexOf("Small");
        Assert.True(from >= 0, said);
        // The list of warnings is standard error's, which may come in between: a head, and lines set in.
        return string.Join('\n', lines.Skip(from).TakeWhile(line => !line.StartsWith("Run ", StringComparison.Ordinal))
            .Where(line => !line.StartsWith("  ", StringComparison.Ordinal) && !line.EndsWith(" warnings:", StringComparison.Ordinal)));
    }
}
