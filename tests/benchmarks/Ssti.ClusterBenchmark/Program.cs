using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ssti.Cluster.Client;
using Ssti.Cluster.Host;
using Ssti.Cluster.Tests;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

// What the cluster costs a stage: the same small stages in this process and on silos as processes, with a Redis of their own and a shared folder.
//   cluster [silos=4] [chain=100] [wide=1000]
// A chain gives the time of one stage after the other, the wide pipeline how many there are a minute. Needs redis-server in PATH.
var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => int.Parse(pair[1], CultureInfo.InvariantCulture));
var (silos, chain, wide) = (options.GetValueOrDefault("silos", 4), options.GetValueOrDefault("chain", 100), options.GetValueOrDefault("wide", 1000));
var folder = Directory.CreateTempSubdirectory("ssti-cluster-benchmark-").FullName;
var redis = $"127.0.0.1:{Ports.Free()}";
var children = new List<Child> { new("redis-server", ["--port", redis.Split(':')[1], "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", folder, "--save", ""]) };
try
{
    for (var i = 0; i < silos; i++)
    {
        children.Add(new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, "Ssti.Cluster.Host.dll")], new Dictionary<string, string>
        {
            ["ConnectionStrings__redis"] = redis, ["Ssti__Store"] = Path.Combine(folder, "there"), ["Ssti__Jobs"] = "2", ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Ports.Free()}",
            ["Logging__LogLevel__Default"] = "Warning",
        }));
    }

    await using var connection = await ConnectAsync();
    await RunAsync("warm-up", Chain("w", 20), there: true);
    await RunAsync("warm-up", Chain("w", 20), there: false);
    var (here, _) = await RunAsync("chain-here", Chain("c", chain), there: false);
    var (far, _) = await RunAsync("chain-there", Chain("c", chain), there: true);
    Console.WriteLine(FormattableString.Invariant(
        $"a stage after the other, {chain} of them: {here.Median:0.0} ms in this process, {far.Median:0.0} ms on the cluster (90th percentile {here.Tail:0.0} and {far.Tail:0.0}); overhead {far.Median - here.Median:0.0} ms"));
    var (_, alone) = await RunAsync("wide-here", Wide("d", wide), there: false);
    var (_, together) = await RunAsync("wide-there", Wide("d", wide), there: true);
    Console.WriteLine(FormattableString.Invariant($"{wide} small stages: {wide / alone * 60:0} a minute in this process, {wide / together * 60:0} a minute on {silos} silos"));
    return 0;

    async Task<((double Median, double Tail) Times, double Seconds)> RunAsync(string runs, Pipeline pipeline, bool there)
    {
        var store = new FileStore(Path.Combine(folder, there ? "there" : "here"));
        var worker = there ? connection.Worker(store) : null;
        var runner = new Runner(store, new Workspace(there ? Path.Combine(folder, runs) : store.Location), new KeyBuilder(new TestProbe(false)), worker: worker);
        var ends = new Ends();
        var clock = Stopwatch.StartNew();
        var run = await runner.RunAsync(pipeline, new RunOptions { Jobs = there ? 64 : 2 }, ends);
        var seconds = clock.Elapsed.TotalSeconds;
        if (run.Outcome != RunOutcome.Succeeded || run.Stages.Any(stage => stage.State != StageState.Done)) throw new InvalidOperationException($"{runs}: {run.Stages.First(stage => stage.State != StageState.Done).Error}");
        var times = ends.Times.Zip(ends.Times.Skip(1), (a, b) => (b - a) * 1000).Order().ToList();
        return ((times[times.Count / 2], times[times.Count * 9 / 10]), seconds);
    }
}
finally
{
    foreach (var child in Enumerable.Reverse(children)) await child.DisposeAsync();
    Directory.Delete(folder, recursive: true);
}

async Task<ClusterConnection> ConnectAsync()
{
    for (var until = DateTime.UtcNow.AddSeconds(90); ; await Task.Delay(500))
    {
        try
        {
            var connection = await ClusterConnection.OpenAsync(ClusterAddress.Parse(redis));
            if (connection.SiloCount == silos) return connection;
            await connection.DisposeAsync();
        }
        catch (Ssti.Cluster.ClusterException) when (DateTime.UtcNow < until)
        {
        }

        if (DateTime.UtcNow > until) throw new TimeoutException(string.Join('\n', children.Select(child => child.Said)));
    }
}

Pipeline Chain(string name, int count) => Load(name, Enumerable.Range(0, count).Select(i => i == 0 ? $"  {name}0: {{ uses: make }}" : $"  {name}{i}: {{ uses: make, needs: {{ parts: {name}{i - 1} }} }}"));

Pipeline Wide(string name, int count) => Load(name, Enumerable.Range(0, count).Select(i => $"  {name}{i}: {{ uses: make, with: {{ text: \"{i}\" }} }}"));

Pipeline Load(string name, IEnumerable<string> stages)
{
    var path = Path.Combine(folder, name + ".yaml");
    File.WriteAllText(path, new StringBuilder($"name: {name}\nstages:\n").AppendJoin('\n', stages).Append('\n').ToString());
    var loaded = PipelineLoader.Load(path, [], new StageCatalog(TestKinds.All("")));
    return loaded.Pipeline ?? throw new InvalidOperationException(string.Join('\n', loaded.Diagnostics));
}

internal sealed class Ends : IRunListener
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public List<double> Times { get; } = [];

    public void On(RunEvent happened)
    {
        if (happened is RunEvent.StageFinished) Times.Add(_clock.Elapsed.TotalSeconds);
    }
}
