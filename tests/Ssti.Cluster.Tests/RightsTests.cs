using System.Text;
using Ssti.Cluster.Security;

namespace Ssti.Cluster.Tests;

/// <summary>A Redis with TLS, passwords and users of little rights; silos that sign; and secrets, which are to be found nowhere.</summary>
public sealed class RightsTests : IAsyncDisposable
{
    private const string SiloPassword = "MARKED-silo-9f1", ReaderPassword = "MARKED-reader-7c2";
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-rights-").FullName;
    private readonly CertificateFolder _certificates;
    private readonly List<Child> _children = [];
    private readonly int _port = Ports.Free();
    private bool _isTls;

    public RightsTests()
    {
        _certificates = new CertificateFolder(Path.Combine(_folder, "certificates"));
        _certificates.Found();
        _certificates.Sign("silo", ["ssti-silo"], isSilo: true, TimeSpan.FromDays(1));
        _certificates.Sign("alice", ["alice"], isSilo: false, TimeSpan.FromDays(1));
        _certificates.Sign("redis", ["redis.test"], isSilo: true, TimeSpan.FromDays(1));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var child in _children) await child.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public async Task Redis_with_TLS_and_users_serves_whom_it_knows_tells_the_others_and_no_secret_is_written_anywhere()
    {
        await RedisAsync();
        var store = Path.Combine(_folder, "store");
        string Redis(string user, string password, string more = "") => $"127.0.0.1:{_port},ssl=true,sslHost=redis.test,user={user},password={password}{more}";
        var url = $"http://127.0.0.1:{Ports.Free()}";
        var silo = Start("Ssti.DataPrep.dll", [], ("ConnectionStrings__redis", Redis("silo", SiloPassword)), ("Ssti__Store", store), ("ASPNETCORE_URLS", url));
        await TestCluster.HealthyAsync(silo, url);
        // Its state, and nothing else, for whoever asks.
        using (var http = new HttpClient())
        {
            Assert.Equal("Healthy", await http.GetStringAsync(url + "/health"));
            Assert.Equal("Healthy", await http.GetStringAsync(url + "/alive"));
            using var other = await http.GetAsync(url + "/");
            Assert.Equal((404, ""), ((int)other.StatusCode, await other.Content.ReadAsStringAsync()));
        }

        var file = Path.Combine(_folder, "x.yaml");
        File.WriteAllText(file, "name: x\nstages:\n  data: { uses: corpus, with: { train: 10, test: 10, unlabelled: 0 } }\n");
        Child Run(string redis, params (string, string)[] more) => Start("ssti.dll", ["run", file, "--cluster", redis, "--store", store, "--json"], more);
        // A submitter reads who is there, and changes nothing of it.
        var run = Run(Redis("reader", ReaderPassword));
        Assert.True(await run.EndAsync(90) == 0, run.Said + silo.Said);
        var apart = Start(
            "ssti.dll", ["plan", file, "--cluster", $"127.0.0.1:{_port},ssl=true,sslHost=redis.test,user=reader", "--store", store],
            ("Ssti__Redis__Password", ReaderPassword));
        Assert.True(await apart.EndAsync(90) == 0, apart.Said);

        async Task<string> Refused(Child child)
        {
            Assert.Equal(1, await child.EndAsync(90));
            Assert.DoesNotContain("   at ", child.Said, StringComparison.Ordinal);
            return child.Said;
        }

        // A silo has to write; one that may not would wait for ever.
        Assert.Contains("does not let this user do what is needed", await Refused(Start("Ssti.DataPrep.dll", [],
            ("ConnectionStrings__redis", Redis("reader", ReaderPassword)), ("Ssti__Store", store),
            ("ASPNETCORE_URLS", $"http://127.0.0.1:{Ports.Free()}"))), StringComparison.Ordinal);
        Assert.Contains("does not take the user or the password", await Refused(Run(Redis("reader", "MARKED-wrong-3d"))), StringComparison.Ordinal);
        Assert.Contains(
            "do not agree on TLS",
            await Refused(Run(Redis("reader", ReaderPassword).Replace("sslHost=redis.test", "sslHost=elsewhere", StringComparison.Ordinal))),
            StringComparison.Ordinal);
        Assert.Contains("is not a Redis connection string", await Refused(Run($"password=MARKED-odd-1,127.0.0.1:{_port},nonsense=MARKED-odd-2")), StringComparison.Ordinal);

        // Secrets of other kinds, on ways that fail: all of them say where they wanted to go, none of them as whom.
        (string, string)[] secrets =
        [
            ("S3__Endpoint", "http://root:MARKED-url-5@127.0.0.1:1"), ("S3__Endpoint", "http://127.0.0.1:1"),
            ("HF_ENDPOINT", "http://u:MARKED-hub-6@127.0.0.1:1"),
        ];
        foreach (var (name, value) in secrets)
        {
            var lost = Start(
                "ssti.dll",
                ["run", file, "--store", name.StartsWith("S3", StringComparison.Ordinal) ? "s3://nowhere" : Path.Combine(_folder, "other"), "-v"],
                (name, value), ("S3__Attempts", "1"));
            Assert.NotEqual(0, await lost.EndAsync(90));
        }

        await silo.StopAsync();
        var told = string.Concat(_children.Skip(1).Select(child => child.Said));
        Assert.DoesNotContain("MARKED", told, StringComparison.Ordinal);
        var written = Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Where(path => Path.GetFileName(path) is not ("redis.conf" or "appendonly.aof")).ToList();
        Assert.Contains(written, path => path.EndsWith("journal.jsonl", StringComparison.Ordinal));
        Assert.DoesNotContain(written, path => Encoding.Latin1.GetString(File.ReadAllBytes(path)).Contains("MARKED", StringComparison.Ordinal));
        // The private keys themselves lie where they were made, and nowhere else.
        var secret = File.ReadAllLines(_certificates.KeyOf("silo"))[1];
        Assert.Equal([_certificates.KeyOf("silo")], written.Where(path => File.ReadAllText(path).Contains(secret, StringComparison.Ordinal)));
        Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Silos_sign_what_they_record_and_a_submitter_takes_no_other_word()
    {
        await using var cluster = await TestCluster.StartAsync();
        var url = $"http://127.0.0.1:{Ports.Free()}";
        var (silos, mine) = (Path.Combine(_folder, "silos"), Path.Combine(_folder, "mine"));
        await EndAsync(Start("ssti.dll", ["keys", "new"], ("SSTI_KEYS", silos)), 0);
        await EndAsync(Start("ssti.dll", ["keys", "add", "silos", Path.Combine(silos, "own.pub")], ("SSTI_KEYS", mine)), 0);
        var file = Path.Combine(_folder, "x.yaml");
        File.WriteAllText(file, "name: x\nstages:\n  data: { uses: corpus, with: { train: 10, test: 10, unlabelled: 0 } }\n");
        // Planted by a stranger, and signed by nobody.
        await EndAsync(Start("ssti.dll", ["run", file, "--store", cluster.Store]), 0);
        string[] run = ["run", file, "--cluster", cluster.Redis.ConnectionString, "--store", cluster.Store, "--trust", "silos"];

        var credulous = Start("Ssti.DataPrep.dll", [], ("ConnectionStrings__redis", cluster.Redis.ConnectionString), ("Ssti__Store", cluster.Store), ("ASPNETCORE_URLS", url));
        await TestCluster.HealthyAsync(credulous, url);
        Assert.Contains("is not signed by silos (--trust)", await EndAsync(Start("ssti.dll", run, ("SSTI_KEYS", mine)), 1), StringComparison.Ordinal);
        await credulous.StopAsync();

        var careful = Start("Ssti.DataPrep.dll", [], ("ConnectionStrings__redis", cluster.Redis.ConnectionString), ("Ssti__Store", cluster.Store), ("ASPNETCORE_URLS", url),
            ("Ssti__SigningKey", Path.Combine(silos, "own.key")), ("Ssti__Trust", "own"), ("SSTI_KEYS", silos));
        await TestCluster.HealthyAsync(careful, url);
        Assert.Contains("1 executed, 0 cached", await EndAsync(Start("ssti.dll", run, ("SSTI_KEYS", mine)), 0), StringComparison.Ordinal);
        Assert.Contains("0 executed, 1 cached", await EndAsync(Start("ssti.dll", run, ("SSTI_KEYS", mine)), 0), StringComparison.Ordinal);
        await careful.StopAsync();
    }

    private static async Task<string> EndAsync(Child child, int code)
    {
        Assert.True(await child.EndAsync(90) == code, child.Said);
        return child.Said;
    }

    private Child Start(string assembly, string[] arguments, params (string Name, string Value)[] variables)
    {
        var all = variables.ToDictionary(pair => pair.Name, pair => pair.Value);
        foreach (var (name, value) in new[]
        {
            ("S3__AccessKey", "nobody"), ("S3__SecretKey", "MARKED-s3-1"), ("S3__SessionToken", "MARKED-s3-2"), ("HF_TOKEN", "MARKED-hub-1"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=MARKED-otel-1"), ("SSTI_KEYS", Path.Combine(_folder, "none")), ("S3__Cache", Path.Combine(_folder, "cache")),
        }) all.TryAdd(name, value);
        foreach (var (name, value) in _isTls ? new[]
        {
            ("Ssti__Redis__Authority", _certificates.AuthorityFile), ("Ssti__Redis__Certificate", _certificates.PemOf("alice")), ("Ssti__Redis__Key", _certificates.KeyOf("alice")),
        } : []) all.TryAdd(name, value);
        var child = new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, assembly), .. arguments], all);
        _children.Add(child);
        return child;
    }

    private async Task RedisAsync()
    {
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(path => Path.Combine(path, "redis-server")).FirstOrDefault(File.Exists);
        Skip.If(program is null, "needs redis-server in PATH (Debian: apt-get install redis-server)");
        var conf = Path.Combine(_folder, "redis.conf");
        // The rights that docs/security.md gives them.
        File.WriteAllText(conf, $"""
            port 0
            bind 127.0.0.1
            dir {_folder}
            save ""
            tls-port {_port}
            tls-cert-file {_certificates.PemOf("redis")}
            tls-key-file {_certificates.KeyOf("redis")}
            tls-ca-cert-file {_certificates.AuthorityFile}
            tls-auth-clients yes
            user default off
            user silo on >{SiloPassword} ~ssti/members/* +@read +@write +@transaction +@scripting +@connection +info
            user reader on >{ReaderPassword} ~ssti/members/* +@read +hsetnx +@connection +info
            """);
        var redis = new Child(program!, [conf]);
        Skip.If(redis.HasExited && redis.Said.Contains("tls-port", StringComparison.Ordinal), "this redis-server has no TLS");
        _children.Add(redis);
        _isTls = true;
        for (var until = DateTime.UtcNow.AddSeconds(10); !redis.Said.Contains("Ready to accept connections", StringComparison.Ordinal); await Task.Delay(50))
            if (redis.HasExited || DateTime.UtcNow > until) throw new InvalidOperationException(redis.Said);
    }
}
