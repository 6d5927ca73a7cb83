using System.Net;
using Ssti.Cluster.Client;
using Ssti.Cluster.Host;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Tests;

/// <summary>Silos as processes with a Redis of their own and a folder as their store; gone with the test.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>A pipeline of one stage that takes some seconds and leaves checkpoints.</summary>
    public const string Long = "name: long\nseed: 5\nstages:\n  train: { uses: steps, with: { steps: 60, milliseconds: 80, every: 5 } }\n";

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly List<Child> _things = [];
    private readonly List<Task> _ready = [];

    public TestCluster()
    {
        Folder = Directory.CreateTempSubdirectory("ssti-cluster-").FullName;
        Redis = new RedisServer(Path.Combine(Folder, "redis"));
        Store = Path.Combine(Folder, "store");
        Notes = Path.Combine(Folder, "notes");
        File.WriteAllText(Notes, "");
    }

    public string Folder { get; }

    public RedisServer Redis { get; }

    public string Store { get; }

    /// <summary>The file in which stages note what they do, led by the process that ran them.</summary>
    public string Notes { get; }

    /// <summary>What all silos said, for the message of a test that fails.</summary>
    public string Logs => string.Join("\n", _things.Select(thing => $"=== {thing.Id}{(thing.HasExited ? " (has ended)" : "")}\n{thing.Said}"));

    public string[] Noted => File.ReadAllLines(Notes);

    /// <summary>A cluster of test silos, each with the settings given, in the form NAME=VALUE with spaces between.</summary>
    public static async Task<TestCluster> StartAsync(params string[] silos)
    {
        var cluster = new TestCluster();
        await cluster.Redis.StartAsync();
        foreach (var settings in silos) cluster.Silo(settings);
        await cluster.ReadyAsync();
        return cluster;
    }

    /// <summary>Begins a silo of the test host.</summary>
    public Child Silo(string settings = "")
    {
        var pairs = settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        return Service("Ssti.Cluster.Host", [("Test__Notes", Notes), ("Ssti__Store", Store), .. pairs.Select(pair => (pair.Key, pair.Value))]);
    }

    /// <summary>Begins a service; <see cref="ReadyAsync"/> waits for it.</summary>
    public Child Service(string assembly, params (string Name, string Value)[] environment)
    {
        var url = $"http://127.0.0.1:{Ports.Free()}";
        var all = environment.ToDictionary(pair => pair.Name, pair => pair.Value);
        all["ConnectionStrings__redis"] = Redis.ConnectionString;
        all["ASPNETCORE_URLS"] = url;
        all.TryAdd("Ssti__Jobs", "2");
        var child = new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly + ".dll")], all);
        _things.Add(child);
        _ready.Add(HealthyAsync(child, url));
        return child;
    }

    /// <summary>kill -9 of all silos.</summary>
    public Task KillSilosAsync() => Task.WhenAll(_things.Select(thing => thing.KillAsync()));

    public async Task ReadyAsync()
    {
        await Task.WhenAll(_ready);
        _ready.Clear();
    }

    public static async Task HealthyAsync(Child child, string url)
    {
        for (var until = DateTime.UtcNow.AddSeconds(150); ; await Task.Delay(100))
        {
            try
            {
                using var answer = await Http.GetAsync(url + "/health");
                if (answer.StatusCode == HttpStatusCode.OK) return;
            }
            catch (HttpRequestException)
            {
            }

            if (child.HasExited || DateTime.UtcNow > until) throw new InvalidOperationException($"a silo did not come up:\n{child.Said}");
        }
    }

    public Task<ClusterConnection> ConnectAsync() => ClusterConnection.OpenAsync(ClusterAddress.Parse(Redis.ConnectionString));

    public Pipeline Pipeline(string yaml, int version = 1)
    {
        var path = Path.Combine(Folder, $"{Guid.NewGuid():n}.yaml");
        File.WriteAllText(path, yaml.ReplaceLineEndings("\n"));
        var loaded = PipelineLoader.Load(path, [], new StageCatalog(TestKinds.All("", version)));
        return loaded.Pipeline ?? throw new InvalidOperationException(string.Join('\n', loaded.Diagnostics));
    }

    /// <summary>Runs a pipeline on the cluster, as <c>ssti run --cluster</c> does, with runs noted in a folder of its own.</summary>
    public async Task<RunResult> RunAsync(string yaml, IRunListener? listener = null, CancellationToken cancellation = default, int version = 1)
    {
        await using var connection = await ConnectAsync();
        return await RunAsync(connection, Pipeline(yaml, version), listener, cancellation);
    }

    public async Task<RunResult> RunAsync(ClusterConnection connection, Pipeline pipeline, IRunListener? listener = null, CancellationToken cancellation = default)
    {
        var store = new FileStore(Store);
        var workspace = new Workspace(Path.Combine(Folder, $"runs-{Guid.NewGuid():n}"));
        var runner = new Runner(store, workspace, new KeyBuilder(connection.Probe(new TestProbe(false))), worker: connection.Worker(store));
        return await runner.RunAsync(pipeline, new RunOptions { Jobs = 64, Gpus = 64 }, listener, cancellation);
    }

    /// <summary>Runs a pipeline in this process, with a store of its own: what the cluster's results are compared with.</summary>
    public async Task<RunResult> RunHereAsync(string yaml)
    {
        var folder = Path.Combine(Folder, $"here-{Guid.NewGuid():n}");
        var runner = new Runner(new FileStore(folder), new Workspace(folder), new KeyBuilder(new TestProbe(false)));
        return await runner.RunAsync(Pipeline(yaml), new RunOptions { Jobs = 8 });
    }

    /// <summary>Waits until something is so.</summary>
    public Task UntilAsync(Func<bool> so, string what, int seconds = 120) => UntilAsync(() => Task.FromResult(so()), what, seconds);

    public async Task UntilAsync(Func<Task<bool>> so, string what, int seconds = 120)
    {
        for (var until = DateTime.UtcNow.AddSeconds(seconds); !await so(); await Task.Delay(20))
            if (DateTime.UtcNow > until) throw new TimeoutException($"{what}: not within {seconds} s; noted:\n{string.Join('\n', Noted)}\nsaid:\n{Logs}");
    }

    /// <summary>Whether a store keeps the checkpoint of a stage that is not done.</summary>
    public static async Task<bool> KeepsCheckpointAsync(IArtifactStore store)
    {
        var records = await store.RecordsAsync(await store.KeysAsync().ToListAsync());
        return records.Any(some => some.Any(record => (string?)record.Document["kind"] == "scratch"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var thing in _things) await thing.DisposeAsync();
        await Redis.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>Keeps what a run told.</summary>
internal sealed class Listener : IRunListener
{
    private readonly List<RunEvent> _events = [];

    public IReadOnlyList<RunEvent> Events
    {
        get
        {
            lock (_events) return [.. _events];
        }
    }

    /// <summary>How far a stage has come, the last that said so.</summary>
    public long Steps => Events.OfType<RunEvent.StageProgressed>().Select(progressed => progressed.Progress.Done).LastOrDefault();

    public void On(RunEvent happened)
    {
        lock (_events) _events.Add(happened);
    }
}
