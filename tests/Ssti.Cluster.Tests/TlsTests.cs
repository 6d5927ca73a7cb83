using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ssti.Cluster.Client;
using Ssti.Cluster.Security;
using Ssti.Engine.Running;

namespace Ssti.Cluster.Tests;

/// <summary>Who gets into a cluster with TLS, and what those are told who do not.</summary>
public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-tls-").FullName;
    private readonly CertificateFolder _own, _other;

    public TlsTests()
    {
        (_own, _other) = (new CertificateFolder(Path.Combine(_folder, "own")), new CertificateFolder(Path.Combine(_folder, "other")));
        var past = new CertificateFolder(Path.Combine(_folder, "own"), new Past());
        past.Found();
        past.Sign("late", ["ssti-silo", "alice"], isSilo: true, Day);
        foreach (var folder in new[] { _own, _other })
        {
            folder.Found();
            folder.Sign("silo", ["ssti-silo"], isSilo: true, Day);
            folder.Sign("alice", ["alice"], isSilo: false, Day);
        }

        _own.Sign("mallory", ["mallory"], isSilo: true, Day);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Strangers that follow no rule of ours: a TLS client made by hand, at both ports.</summary>
    [SkippableFact]
    public async Task Both_ports_let_in_the_right_certificate_and_say_which_is_wrong_of_any_other()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (silo, gateway) = (Ports.Free(), Ports.Free());
        var child = cluster.Silo($"{Tls(_own, "silo")} Ssti__Tls__Submitters=alice,bob Ssti__SiloPort={silo} Ssti__GatewayPort={gateway}");
        await cluster.ReadyAsync();

        Assert.Equal("", await AskAsync(silo, Pair(_own, "silo")));
        Assert.Equal("", await AskAsync(gateway, Pair(_own, "alice")));
        foreach (var (port, name) in new[] { (silo, "silo"), (gateway, "alice") })
        {
            Assert.Equal("it showed no certificate", await AskAsync(port, null));
            Assert.Contains("is of another authority", await AskAsync(port, Pair(_other, name)), StringComparison.Ordinal);
            Assert.Contains("expired on 20", await AskAsync(port, Pair(_own, "late")), StringComparison.Ordinal);
            Assert.Contains("has the wrong name: mallory", await AskAsync(port, Pair(_own, "mallory")), StringComparison.Ordinal);
        }

        // A submitter is no silo: it must not be able to take part in the cluster.
        Assert.Contains("is not one of a silo", await AskAsync(silo, Pair(_own, "alice")), StringComparison.Ordinal);
        // One that says the authority's name and is not it.
        Assert.Contains("is of another authority", await AskAsync(gateway, Forged(_own)), StringComparison.Ordinal);
        foreach (var (port, name) in new[] { (silo, "silo"), (gateway, "gateway") })
        {
            await RawAsync(port, "GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await cluster.UntilAsync(() => child.Said.Contains($"left the {name} port before a TLS connection was made", StringComparison.Ordinal), "the note");
            foreach (var what in new[] { "it showed no certificate", "is of another authority", "expired on", "has the wrong name" })
                Assert.Matches($"refused 127.0.0.1:\\d+ on the {name} port: .*{what}", child.Said);
        }

        Assert.DoesNotContain("   at ", child.Said, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Succeeded, (await RunAsync(cluster, Security(_own, "alice"), "name: a\nstages:\n  x: { uses: make }\n")).Outcome);
    }

    [SkippableFact]
    public async Task A_submitter_is_told_what_is_wrong_with_its_certificate_or_the_silos()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Silo($"{Tls(_own, "silo")} Ssti__Tls__Submitters=alice");
        await cluster.ReadyAsync();
        Task<string> Refusal(params (string, string)[] variables) => RefusalAsync(cluster, variables);

        Assert.Contains("silos with TLS answer nobody without", await Refusal(), StringComparison.Ordinal);
        Assert.Contains("is not to be trusted: its certificate 'CN=ssti-silo'", await Refusal(Variables(_other, "alice")), StringComparison.Ordinal);
        // Told before anything is sent, where it can be told here.
        Assert.Contains("is of no use here: its certificate 'CN=ssti-silo' (serial", await Refusal(Variables(_own, "late")), StringComparison.Ordinal);
        Assert.Contains("is of another authority", await Refusal([.. Variables(_other, "alice")[..2], ("Ssti__Tls__Authority", _own.AuthorityFile)]), StringComparison.Ordinal);
        // Its own authority would do for the silo, and the silo does not take it.
        File.WriteAllText(Path.Combine(_folder, "both.pem"), File.ReadAllText(_own.AuthorityFile) + File.ReadAllText(_other.AuthorityFile));
        Assert.Matches(
            "refused this side: .*is of another authority",
            await Refusal([.. Variables(_other, "alice")[..2], ("Ssti__Tls__Authority", Path.Combine(_folder, "both.pem"))]));
        Assert.Matches("refused this side: .*has the wrong name: mallory, and not alice", await Refusal(Variables(_own, "mallory")));
        Assert.Matches("is not to be trusted: .*has the wrong name: ssti-silo, and not elsewhere", await Refusal([.. Variables(_own, "alice"), ("Ssti__Tls__Name", "elsewhere")]));
        Assert.Contains("Ssti__Tls__Key is not set", await Refusal(Variables(_own, "alice")[..1]), StringComparison.Ordinal);
        Assert.Contains(
            "is not the key of",
            await Refusal([Variables(_own, "alice")[0], ("Ssti__Tls__Key", _own.KeyOf("silo")), Variables(_own, "alice")[2]]),
            StringComparison.Ordinal);
        Assert.Empty(cluster.Noted);
    }

    [SkippableFact]
    public async Task A_silo_that_the_others_do_not_take_ends_and_says_why()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Silo(Tls(_own, "silo"));
        await cluster.ReadyAsync();
        File.WriteAllText(Path.Combine(_folder, "both.pem"), File.ReadAllText(_other.AuthorityFile) + File.ReadAllText(_own.AuthorityFile));
        foreach (var (settings, what) in new[]
        {
            (Tls(_other, "silo"), "is not to be trusted: .* is of another authority"),
            (
                $"Ssti__Tls__Certificate={_other.PemOf("silo")} Ssti__Tls__Key={_other.KeyOf("silo")} Ssti__Tls__Authority={_folder}/both.pem",
                "refused this side: .* is of another authority"),
            (Tls(_own, "mallory", name: ""), "refused this side: .* has the wrong name: mallory"),
            (Tls(_own, "late"), "is of no use here: .* expired on"),
            (Tls(_own, "alice", name: ""), "is of no use here: .* is not one of a silo"),
            ("Ssti__Address=192.0.2.1", "a silo on 192.0.2.1 would be open to whoever reaches that address: set Ssti__Tls__Certificate"),
        })
        {
            await using var silo = Stray(cluster, settings);
            Assert.Equal(1, await silo.EndAsync(60));
            Assert.Matches(what, silo.Said);
            Assert.DoesNotContain("   at ", silo.Said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_silo_that_the_primary_does_not_take_ends_and_says_why()
    {
        var port = Ports.Free();
        Child Silo(CertificateFolder folder, params string[] more)
        {
            var settings = $"{Tls(folder, "silo")} Ssti__Store={_folder}/store ASPNETCORE_URLS=http://127.0.0.1:{Ports.Free()} {string.Join(' ', more)}";
            return new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, "Ssti.Cluster.Host.dll")],
                settings.Split(' ').Select(pair => pair.Split('=', 2)).GroupBy(pair => pair[0]).Select(pairs => KeyValuePair.Create(pairs.Key, pairs.Last()[1])));
        }

        var url = $"http://127.0.0.1:{Ports.Free()}";
        await using var primary = Silo(_own, $"Ssti__SiloPort={port}", $"ASPNETCORE_URLS={url}");
        await TestCluster.HealthyAsync(primary, url);
        await using var stray = Silo(_other, $"Ssti__Primary=127.0.0.1:{port}");
        Assert.Equal(1, await stray.EndAsync(60));
        Assert.Contains("cannot join the cluster: ", stray.Said, StringComparison.Ordinal);
        Assert.Contains("is of another authority", stray.Said, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Plain_connections_between_machines_are_for_those_who_ask_for_them_and_are_told_at_every_start()
    {
        var address = NetworkInterface.GetAllNetworkInterfaces().Where(card => card.OperationalStatus == OperationalStatus.Up)
            .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(one => one.Address)
            .FirstOrDefault(one => one.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(one));
        Skip.If(address is null, "this machine has no address but its own loopback");
        await using var cluster = await TestCluster.StartAsync();
        await using (var shy = Stray(cluster, $"Ssti__Address={address}"))
        {
            Assert.Equal(1, await shy.EndAsync(60));
            Assert.Contains($"a silo on {address} would be open to whoever reaches that address", shy.Said, StringComparison.Ordinal);
        }

        var open = cluster.Silo($"Ssti__Address={address} Ssti__Insecure=true");
        await cluster.ReadyAsync();
        await cluster.UntilAsync(() => open.Said.Contains($"anybody who reaches {address} can have stages executed here", StringComparison.Ordinal), "the warning");
        const string One = "name: a\nstages:\n  x: { uses: make }\n";
        Assert.Contains("Ssti__Insecure=true", await RefusalAsync(cluster, []), StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Succeeded, (await RunAsync(cluster, new ClusterSecurity(Insecure: true), One)).Outcome);
        Assert.Equal("Ssti__Insecure is 'maybe'; write true or false", Assert.Throws<ClusterException>(() => ClusterSecurity.From(_ => "maybe")).Message);
    }

    /// <summary>First both authorities are believed, then certificates are of the new one, then the old one is believed no more; all of it while stages run.</summary>
    [SkippableFact]
    public async Task Three_silos_renew_their_certificates_under_load_and_lose_no_stage()
    {
        await using var cluster = await TestCluster.StartAsync();
        Child[] silos = [.. Enumerable.Range(0, 3).Select(_ => cluster.Silo(Tls(_own, "silo")))];
        await cluster.ReadyAsync();
        File.Copy(_own.PemOf("alice"), Path.Combine(_folder, "old.pem"));
        File.Copy(_own.KeyOf("alice"), Path.Combine(_folder, "old.key"));
        File.Copy(_own.AuthorityFile, Path.Combine(_folder, "old-authority.pem"));
        var running = RunAsync(
            cluster, Security(_own, "alice"),
            "name: load\nstages:\n"
            + string.Concat(Enumerable.Range(0, 90).Select(i => $"  s{i}: {{ uses: make, with: {{ text: \"{i}\", milliseconds: 900 }} }}\n")));
        await cluster.UntilAsync(() => cluster.Noted.Length > 6, "some stages");

        _own.Found(anew: true);
        // Half a renewal: a certificate without its key. What was before goes on.
        File.Copy(_other.PemOf("silo"), _own.PemOf("silo"), overwrite: true);
        await PingAsync(cluster, "old");
        Assert.Contains(silos, silo => silo.Said.Contains("those before stay in use: Ssti__Tls__Key", StringComparison.Ordinal));
        _own.Sign("silo", ["ssti-silo"], isSilo: true, Day);
        _own.Sign("alice", ["alice"], isSilo: false, Day);
        await PingAsync(cluster, "alice");
        // The new authority alone, and a connection between silos that is made now.
        File.WriteAllText(_own.AuthorityFile, File.ReadAllText(_own.AuthorityFile).Split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n");
        var late = cluster.Silo(Tls(_own, "silo"));
        await cluster.ReadyAsync();
        await silos[0].StopAsync();
        await PingAsync(cluster, "alice");
        var refused = await RefusalAsync(
            cluster,
            [
                ("Ssti__Tls__Certificate", $"{_folder}/old.pem"), ("Ssti__Tls__Key", $"{_folder}/old.key"),
                ("Ssti__Tls__Authority", _folder + "/both.pem")],
            before: () => File.WriteAllText(
                Path.Combine(_folder, "both.pem"),
                File.ReadAllText(Path.Combine(_folder, "old-authority.pem")) + File.ReadAllText(_own.AuthorityFile)));
        Assert.Matches("refused this side: .*is of another authority", refused);

        var run = await running;
        Assert.True(run.Outcome == RunOutcome.Succeeded, string.Join('\n', run.Stages.Select(stage => stage.Error).Distinct()) + cluster.Logs);
        Assert.All(run.Stages, stage => Assert.Equal((StageState.Done, 1), (stage.State, stage.Attempts)));
        Assert.False(late.HasExited);
    }

    [SkippableFact]
    public async Task A_silo_listens_at_the_address_it_announces_and_at_no_other()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/net/tcp, and 127.0.0.2 is there without being set up");
        await using var cluster = await TestCluster.StartAsync();
        var (silo, gateway) = (Ports.Free(), Ports.Free());
        cluster.Silo($"{Tls(_own, "silo")} Ssti__Address=127.0.0.2 Ssti__SiloPort={silo} Ssti__GatewayPort={gateway}");
        await cluster.ReadyAsync();
        foreach (var port in new[] { silo, gateway })
        {
            var listens = File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(line => line is [_, var local, _, "0A", ..] && local.EndsWith($":{port:X4}", StringComparison.Ordinal)).Select(line => line[1]);
            Assert.Equal([$"0200007F:{port:X4}"], listens);
        }
    }

    /// <summary>A certificate by the name of the authority, signed by another key.</summary>
    private static X509Certificate2 Forged(CertificateFolder folder)
    {
        using var real = X509CertificateLoader.LoadCertificateFromFile(folder.AuthorityFile);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest(real.SubjectName, key, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = root.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(9));
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=alice", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("alice");
        request.CertificateExtensions.Add(names.Build());
        return request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3]).CopyWithPrivateKey(own);
    }

    private static X509Certificate2 Pair(CertificateFolder folder, string file) => X509Certificate2.CreateFromPemFile(folder.PemOf(file), folder.KeyOf(file));

    /// <summary>What a silo answers to a certificate; empty for welcome.</summary>
    private static async Task<string> AskAsync(int port, X509Certificate2? certificate)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        await using var stream = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "x", LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
        }, limit.Token);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, limit.Token);
        var text = new byte[(length[0] << 8) | length[1]];
        await stream.ReadExactlyAsync(text, limit.Token);
        if (text.Length == 0) return "";
        // Nothing more comes, whatever is sent.
        await stream.WriteAsync(new byte[64], limit.Token);
        try
        {
            Assert.Equal(0, await stream.ReadAsync(new byte[1], limit.Token));
        }
        catch (IOException)
        {
        }

        return Encoding.UTF8.GetString(text);
    }

    private static async Task RawAsync(int port, byte[] bytes)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, limit.Token);
        await client.GetStream().WriteAsync(bytes, limit.Token);
        try
        {
            while (await client.GetStream().ReadAsync(new byte[64], limit.Token) > 0)
            {
            }
        }
        catch (IOException)
        {
        }
    }

    private static (string, string)[] Variables(CertificateFolder folder, string file) =>
        [("Ssti__Tls__Certificate", folder.PemOf(file)), ("Ssti__Tls__Key", folder.KeyOf(file)), ("Ssti__Tls__Authority", folder.AuthorityFile)];

    private static string Tls(CertificateFolder folder, string file, string name = "ssti-silo") =>
        string.Join(' ', Variables(folder, file).Append(("Ssti__Tls__Name", name)).Where(pair => pair.Item2.Length > 0).Select(pair => $"{pair.Item1}={pair.Item2}"));

    private static ClusterSecurity Security(CertificateFolder folder, string file) =>
        ClusterSecurity.From(name => Variables(folder, file).Append(("Ssti__Tls__Name", "ssti-silo")).ToDictionary().GetValueOrDefault(name));

    private static async Task<RunResult> RunAsync(TestCluster cluster, ClusterSecurity security, string yaml)
    {
        await using var connection = await ClusterConnection.OpenAsync(ClusterAddress.Parse(cluster.Redis.ConnectionString), security: security);
        return await cluster.RunAsync(connection, cluster.Pipeline(yaml));
    }

    // A submitter of its own, with connections of its own.
    private async Task PingAsync(TestCluster cluster, string file)
    {
        var security = file == "old" ? new ClusterSecurity(new TlsSettings($"{_folder}/old.pem", $"{_folder}/old.key", $"{_folder}/old-authority.pem")) : Security(_own, file);
        await using var connection = await ClusterConnection.OpenAsync(ClusterAddress.Parse(cluster.Redis.ConnectionString), security: security);
        Assert.NotEqual(0, connection.SiloCount);
    }

    /// <summary>What <c>ssti run --cluster</c> says, as a process; it must fail, and show no stack.</summary>
    private async Task<string> RefusalAsync(TestCluster cluster, (string, string)[] variables, Action? before = null)
    {
        before?.Invoke();
        var file = Path.Combine(_folder, "x.yaml");
        File.WriteAllText(file, "name: x\nstages:\n  data: { uses: corpus, with: { train: 10, test: 10, unlabelled: 0 } }\n");
        await using var ssti = new Child(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "ssti.dll"), "run", file, "--cluster", cluster.Redis.ConnectionString, "--store", cluster.Store],
            variables.Select(pair => new KeyValuePair<string, string>(pair.Item1, pair.Item2)));
        Assert.Equal(1, await ssti.EndAsync(60));
        Assert.DoesNotContain("   at ", ssti.Said, StringComparison.Ordinal);
        return ssti.Said;
    }

    private static Child Stray(TestCluster cluster, string settings)
    {
        var all = settings.Split(' ').Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        all["Ssti__Store"] = cluster.Store;
        all["ConnectionStrings__redis"] = cluster.Redis.ConnectionString;
        all["ASPNETCORE_URLS"] = $"http://127.0.0.1:{Ports.Free()}";
        return new Child("dotnet", [Path.Combine(AppContext.BaseDirectory, "Ssti.Cluster.Host.dll")], all);
    }

    private sealed class Past : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow - (2 * Day);
    }
}
