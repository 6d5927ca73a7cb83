using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Ssti.Cli.Display;
using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

/// <summary>The pages of <c>ssti serve</c>: runs and reports, to browsers of this machine, to be read.</summary>
public sealed class RunPagesTests : CliFixture, IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private WebApplication? _app;
    private OpenStore? _store;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        var folder = Path.Combine(Folder, ".ssti");
        _store = new OpenStore(new FileStore(folder), new Workspace(folder));
        RunPages.Map(_app, _store, new FakeTimeProvider(DateTimeOffset.UtcNow.AddSeconds(90)));
        await _app.StartAsync();
        _client.BaseAddress = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app!.DisposeAsync();
        _store!.Dispose();
    }

    [Fact]
    public async Task Runs_are_listed_and_each_has_its_report()
    {
        Assert.Contains("No run yet", await _client.GetStringAsync("/"));
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var list = await _client.GetStringAsync("/");
        var id = RunIds().Single();
        Assert.Contains($"<a href=\"/runs/{id}\">{id}</a>", list);
        Assert.Contains("3 of 3", list);
        Assert.Contains("<meta http-equiv=\"refresh\"", list);
        var page = await _client.GetStringAsync($"/runs/{id}");
        Assert.Contains($"<h1>two, run {id}</h1>", page);
        Assert.Contains("<a href=\"/\">All runs</a>", page);
        // It does not change any more.
        Assert.DoesNotContain("<meta http-equiv=\"refresh\"", page);
    }

    [Fact]
    public async Task A_run_under_way_is_shown_as_far_as_it_is()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var folder = Path.Combine(Folder, ".ssti", "runs", RunIds().Single());
        var journal = Path.Combine(folder, "journal.jsonl");
        // As a run writes it: begun, planned, the first stage over, the second at work.
        File.WriteAllLines(journal, File.ReadAllLines(journal)[..3]);
        Assert.Contains("<td class=\"state unfinished\">unfinished</td>", await _client.GetStringAsync("/"));
        var page = await _client.GetStringAsync($"/runs/{Path.GetFileName(folder)}");
        Assert.Contains("<meta http-equiv=\"refresh\" content=\"10\">", page);
        Assert.Contains("Under way, or killed: 1 of 3 cells over.", page);
        Assert.Contains("Begun and not over: second@a, second@b. The last sign came 1 min 3", page);
    }

    [Theory]
    [InlineData("/runs/nothing")]
    [InlineData("/runs/")]
    [InlineData("/runs/..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("/runs/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/runs/000001-0000%00")]
    [InlineData("/journal.jsonl")]
    [InlineData("/runs/<script>alert(1)<script>")]
    public async Task What_is_not_there_is_said_in_words(string path)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var (status, text) = await RawAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        // A path that HTTP itself does not know is refused before us.
        if (status == 400) return;
        Assert.Equal(404, status);
        Assert.Contains("there is no", text);
        Assert.DoesNotContain("<script>", text);
        Assert.DoesNotContain("root:", text);
    }

    [Fact]
    public async Task No_name_of_elsewhere_and_no_verb_but_reading_is_answered()
    {
        // A page of elsewhere whose name was made to mean this machine.
        Assert.Equal(403, (await RawAsync("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")).Status);
        Assert.Equal(200, (await RawAsync("GET / HTTP/1.1\r\nHost: LOCALHOST:5180\r\nConnection: close\r\n\r\n")).Status);
        using var posted = await _client.PostAsync("/", null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
        using var answer = await _client.GetAsync("/");
        Assert.Equal(["no-store"], answer.Headers.GetValues("Cache-Control"));
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(["same-origin"], answer.Headers.GetValues("Cross-Origin-Resource-Policy"));
        Assert.Contains("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Contains("frame-ancestors 'none'", answer.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task Listening_on_every_address_does_not_show_texts_to_every_machine()
    {
        var own = (await Dns.GetHostAddressesAsync(Dns.GetHostName()))
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));
        if (own is null) return;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://0.0.0.0:0");
        await using var app = builder.Build();
        RunPages.Map(app, _store!, TimeProvider.System);
        await app.StartAsync();
        var port = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        // Whatever name it gives itself: it came by another address.
        Assert.Equal(403, (await RawAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", new IPEndPoint(own, port))).Status);
        Assert.Equal(200, (await RawAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", new IPEndPoint(IPAddress.Loopback, port))).Status);
    }

    private IEnumerable<string> RunIds() => Directory.GetDirectories(Path.Combine(Folder, ".ssti", "runs")).Select(folder => Path.GetFileName(folder)!);

    // An HttpClient puts a path straight before it sends it.
    private async Task<(int Status, string Text)> RawAsync(string request, IPEndPoint? to = null)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(to ?? new IPEndPoint(IPAddress.Loopback, _client.BaseAddress!.Port));
        await using var stream = socket.GetStream();
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(request));
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync();
        return (int.Parse(text.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture), text);
    }
}
