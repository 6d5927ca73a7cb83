using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Ssti.Corpus.Tests.Hub;

/// <summary>A request as the server saw it.</summary>
internal sealed record Seen(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Authorization => Headers.GetValueOrDefault("authorization");

    public string? Range => Headers.GetValueOrDefault("range");
}

/// <summary>An answer: <paramref name="SendOnly"/> cuts the connection behind so many bytes of the body, <paramref name="After"/> waits first.</summary>
internal sealed record Answer(int Status, byte[] Body, (string Name, string Value)[] Headers, int? SendOnly = null, TimeSpan After = default)
{
    public static Answer Of(int status, string body = "", params (string, string)[] headers) => new(status, Encoding.UTF8.GetBytes(body), headers);
}

/// <summary>
/// A server on loopback that speaks the Hub's protocol for one repository, and misbehaves as told: each fault answers one matching request
/// in place of the protocol. Large files live on a second port, as on the Hub's CDN.
/// </summary>
internal sealed class HubServer : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private readonly TcpListener _hub = new(IPAddress.Loopback, 0);
    private readonly TcpListener _cdn = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();

    public HubServer()
    {
        foreach (var listener in new[] { _hub, _cdn })
        {
            listener.Start();
            _ = AcceptAsync(listener);
        }
    }

    /// <summary>What every branch and tag means now; files are the same at every commit.</summary>
    public string Head { get; set; } = Commit;

    public string Repository { get; init; } = "owner/name";

    /// <summary>Whether the repository is a data set rather than a model.</summary>
    public bool IsDataset { get; init; } = true;

    /// <summary>Small files, answered by the Hub itself.</summary>
    public Dictionary<string, byte[]> Small { get; } = [];

    /// <summary>Large files, answered by a redirect to the CDN.</summary>
    public Dictionary<string, byte[]> Large { get; } = [];

    /// <summary>What to do to the next request whose method and path match; asked in order, each used once.</summary>
    public ConcurrentQueue<(Func<Seen, bool> When, Func<Seen, Answer, Answer> Do)> Faults { get; } = new();

    public ConcurrentQueue<Seen> AtHub { get; } = new();

    public ConcurrentQueue<Seen> AtCdn { get; } = new();

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_hub.LocalEndpoint).Port}");

    private string Cdn => $"http://127.0.0.1:{((IPEndPoint)_cdn.LocalEndpoint).Port}";

    public void Fault(string method, string inPath, Func<Seen, Answer, Answer> answer, int times = 1)
    {
        for (var time = 0; time < times; time++) Faults.Enqueue((seen => seen.Method == method && seen.Path.Contains(inPath), answer));
    }

    public void Dispose()
    {
        if (_stop.IsCancellationRequested) return;
        _stop.Cancel();
        _hub.Stop();
        _cdn.Stop();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await listener.AcceptTcpClientAsync(_stop.Token), listener == _cdn);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client, bool cdn)
    {
        using (client)
        {
            try
            {
                using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var first = (await reader.ReadLineAsync(_stop.Token))!.Split(' ');
                var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 } line) headers[line[..line.IndexOf(':')]] = line[(line.IndexOf(':') + 1)..].Trim();
                var seen = new Seen(first[0], Uri.UnescapeDataString(first[1]), headers);
                (cdn ? AtCdn : AtHub).Enqueue(seen);
                var answer = Protocol(seen, cdn);
                if (Faults.TryPeek(out var fault) && fault.When(seen) && Faults.TryDequeue(out fault)) answer = fault.Do(seen, answer);
                if (answer.After > TimeSpan.Zero) await Task.Delay(answer.After, _stop.Token);
                await WriteAsync(stream, seen, answer);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or NullReferenceException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private Answer Protocol(Seen seen, bool cdn)
    {
        if (cdn) return Large.TryGetValue(seen.Path["/lfs/".Length..], out var content) ? Ranged(seen, content) : Answer.Of(404);
        var kind = IsDataset ? "datasets" : "models";
        var revisions = $"/api/{kind}/{Repository}/revision/";
        if (seen.Path.StartsWith(revisions, StringComparison.Ordinal))
        {
            var commit = IsCommit(seen.Path[revisions.Length..]) ? seen.Path[revisions.Length..] : Head;
            var siblings = string.Join(',', Small.Keys.Concat(Large.Keys).Select(name => $"{{\"rfilename\":\"{name}\"}}"));
            return Answer.Of(200, $"{{\"id\":\"{Repository}\",\"sha\":\"{commit}\",\"gated\":false,\"siblings\":[{siblings}]}}", ("Content-Type", "application/json"));
        }

        var resolve = $"/{(IsDataset ? "datasets/" : "")}{Repository}/resolve/";
        if (!seen.Path.StartsWith(resolve, StringComparison.Ordinal)) return Answer.Of(404, "", ("X-Error-Code", "RepoNotFound"));
        var (at, file) = (seen.Path[resolve.Length..][..40], seen.Path[resolve.Length..][41..]);
        if (Small.TryGetValue(file, out var small))
        {
            var blob = Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {small.Length}\0"), .. small]));
            var answer = Ranged(seen, small);
            return answer with { Headers = [.. answer.Headers, ("ETag", $"\"{blob}\""), ("X-Repo-Commit", at)] };
        }

        if (!Large.TryGetValue(file, out var large)) return Answer.Of(404, "", ("X-Error-Code", "EntryNotFound"));
        return Answer.Of(302, "", ("Location", $"{Cdn}/lfs/{file}"), ("X-Linked-Etag", $"\"{Convert.ToHexStringLower(SHA256.HashData(large))}\""),
            ("X-Linked-Size", large.Length.ToString(CultureInfo.InvariantCulture)), ("X-Repo-Commit", at), ("ETag", "\"of-the-redirect\""));
    }

    private static bool IsCommit(string revision) => revision.Length == 40 && revision.All(char.IsAsciiHexDigitLower);

    private static Answer Ranged(Seen seen, byte[] content)
    {
        if (seen.Range is not { } range) return new Answer(200, content, [("Accept-Ranges", "bytes")]);
        var from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        return from >= content.Length
            ? Answer.Of(416, "", ("Content-Range", $"bytes */{content.Length}"))
            : new Answer(206, content[from..], [("Content-Range", $"bytes {from}-{content.Length - 1}/{content.Length}")]);
    }

    private static async Task WriteAsync(NetworkStream stream, Seen seen, Answer answer)
    {
        var head = new StringBuilder($"HTTP/1.1 {answer.Status} Because\r\nConnection: close\r\nContent-Length: {answer.Body.Length}\r\n");
        foreach (var (name, value) in answer.Headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()));
        if (seen.Method != "HEAD") await stream.WriteAsync(answer.Body.AsMemory(0, answer.SendOnly ?? answer.Body.Length));
    }
}
