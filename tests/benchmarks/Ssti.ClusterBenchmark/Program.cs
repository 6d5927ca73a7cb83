using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ssti.Cluster.Client;
using Ssti.Cluster.Host;
using Ssti.Cluster.Security;
using Ssti.Cluster.Tests;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

// What the cluster costs a stage: the same small stages in this process and on silos as processes, with a Redis of their own and a shared folder.
//   cluster [silos=4] [chain=100] [wide=1000] [tls=0]
// A chain gives the time of one stage after the other, the wide pipeline how many there are a minute. Needs redis-server in PATH.
// With tls=N it gives instead the time of one stage after the other with TLS and without, on two clusters in turn, N rounds of a chain on each.
var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => int.Parse(pair[1], CultureInfo.InvariantCulture));
var (silos, chain, wide) = (options.GetValueOrDefault("silos", 4), options.GetValueOrDefault("chain", 100), options.GetValueOrDefault("wide", 1000));
var rounds = options.GetValueOrDefault("tls", 0);
var folder = Directory.CreateTempSubdirectory("ssti-cluster-benchmark-").FullName;
var redis = $"127.0.0.1:{Ports.Free()}";
var children = new List<Child> { new("redis-server", ["--port", redis.Split(':')[1], "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", folder, "--save", ""]) };
try
{
    StartSilos("ssti", null);
    await using var connection = await ConnectAsync("ssti", null);
    if (rounds > 0) return await CompareAsync();
    await RunAsync("warm-up", Chain("w", 20), there: true);
    await RunAsync("warm-up", Chain("w", 20), there: false);
    var (here, _) = await RunAsync("chain-here", Chain("c", chain), there: false);
    var (far, _) = await RunAsync("chain-there", Chain("c", chain), there: true);
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"a stage after the other, {chain} of them: {here.Median:0.0} ms in this process, {far.Median:0.0} ms on the cluster (90th percentile "
        + $"{here.Tail:0.0} and {far.Tail:0.0}); overhead {far.Median - here.Median:0.0} ms"));
    var (_, alone) = await RunAsync("wide-here", Wide("d", wide), there: false);
    var (_, together) = await RunAsync("wide-there", Wide("d", wide), there: true);
    Console.WriteLine(FormattableString.Invariant($"{wide} small stages: {wide / alone * 60:0} a minute in this process, {wide / together * 60:0} a minute on {silos} silos"));
    return 0;

    async Task<int> CompareAsync()
    {
        var certificates = new CertificateFolder(Path.Combine(folder, "certificates"));
        certificates.Found();
        certificates.Sign("silo", ["ssti-silo"], isSilo: true, TimeSpan.FromDays(1));
        certificates.Sign("submitter", ["submitter"], isSilo: false, TimeSpan.FromDays(1));
        TlsSettings Settings(string name) => new(certificates.PemOf(name), certificates.KeyOf(name), certificates.AuthorityFile) { Name = "ssti-silo" };
        StartSilos("tls", Settings("silo"));
        await using var secure = await ConnectAsync("tls", Settings("submitter"));
        var (plain, tls) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var (times, over, name) in new[] { (plain, connection, "p"), (tls, secure, "t") })
            {
                var run = await TimesAsync($"{name}-{round}", Chain($"{name}{round}x", chain), over);
                // The first of each is the warm-up.
                if (round > 0) times.AddRange(run);
            }
        }

        double At(List<double> times, double part) => times.Order().ElementAt((int)((times.Count - 1) * part));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a stage after the other, {plain.Count} of each in {rounds} rounds: {At(plain, 0.5):0.0} ms without TLS, {At(tls, 0.5):0.0} ms with "
            + $"({(At(tls, 0.5) / At(plain, 0.5) - 1) * 100:+0;-0} %); 90th percentile {At(plain, 0.9):0.0} and {At(tls, 0.9):0.0} ms"));
        return 0;
    }

    async Task<List<double>> TimesAsync(string runs, Pipeline pipeline, ClusterConnection over)
    {
        var store = new FileStore(Path.Combine(folder, "there"));
        var ends = new Ends();
        var run = await new Runner(store, new Workspace(Path.Combine(folder, runs)), new KeyBuilder(new TestProbe(false)), worker: over.Worker(store))
            .RunAsync(pipeline, new RunOptions { Jobs = 64 }, ends);
        if (run.Outcome != RunOutcome.Succeeded || run.Stages.Any(stage => stage.State != StageState.Done)) throw new InvalidOperationException($"{runs}: {run.Outcome}");
        return [.. ends.Times.Zip(ends.Times.Skip(1), (a, b) => (b - a) * 1000)];
    }

    async Task<((double Median, double Tail) Times, double Seconds)> RunAsync(string runs, Pipeline pipeline, bool there)
    {
        var store = new FileStore(Path.Combine(folder, there ? "there" : "here"));
        var worker = there ? connection.Worker(store) : null;
        var runner = new Runner(store, new Workspace(there ? Path.Combine(folder, runs) : store.Location), new KeyBuilder(new TestProbe(false)), worker: worker);
        var ends = new Ends();
        var clock = Stopwatch.StartNew();
        var run = await runner.RunAsync(pipeline, new RunOptions { Jobs = there ? 64 : 2 }, ends);
        var seconds = clock.Elapsed.TotalSeconds;
        if (run.Outcome != RunOutcome.Succeeded || run.Stages.Any(stage => stage.State != StageState.Done))
            throw new InvalidOperationException($"{runs}: {run.Stages.First(stage => stage.State != StageState.Done).Error}");
        var times = ends.Times.Zip(ends.Times.Skip(1), (a, b) => (b - a) * 1000).Order().ToList();
        return ((times[times.Count / 2], times[times.Count * 9 / 10]), seconds);
    }
}
finally
{
    foreach (var child in Enumerable.Reverse(children)) await child.DisposeAsync();
    Directory.Delete(folder, recursive: true);
}

void StartSilos(string cluster, TlsSettings? tls)
{
    for (var i = 0; i < silos; i++)
    {
        var variables = new Dictionary<string, string>
        {
            ["ConnectionStrings__redis"] = redis, ["Ssti__Store"] = Path.Combine(folder, "there"), ["Ssti__Jobs"] = "2", ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Ports.Free()}",
            ["Logging__LogLevel__Default"] = "Warning", ["Ssti__ClusterId"] = cluster,
        };
        if (tls is not null)
            (variables["Ssti__Tls__Certificate"], variables["Ssti__Tls__Key"], variables["Ssti__Tls__Authority"], variables["Ssti__Tls__Name"]) =
                (tls.Certificate, tls.Key, tls.Authority, tls.Name!);
        children.Add(new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, "Ssti.Cluster.Host.dll")], variables));
    }
}

async Task<ClusterConnection> ConnectAsync(string cluster, TlsSettings? tls)
{
    for (var until = DateTime.UtcNow.AddSeconds(90); ; await Task.Delay(500))
    {
        try
        {
            var connection = await ClusterConnection.OpenAsync(ClusterAddress.Parse(redis, cluster), security: new ClusterSecurity(tls));
            if (connection.SiloCount == silos) return connection;
            await connection.DisposeAsync();
        }
        catch (Ssti.Cluster.ClusterException) when (DateTime.UtcNow < until)
        {
        }

        if (DateTime.UtcNow > until) throw new TimeoutException(string.Join('\n', children.Select(child => child.Said)));
    }
}

Pipeline Chain(string name, int count) =>
    Load(
        name,
        Enumerable.Range(0, count)
            .Select(i => i == 0 ? $"  {name}0: {{ uses: make }}" : $"  {name}{i}: {{ uses: make, needs: {{ parts: {name}{i - 1} }} }}"));

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
