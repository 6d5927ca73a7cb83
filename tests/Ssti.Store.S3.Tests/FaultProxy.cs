using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Ssti.Store.S3.Tests;

/// <summary>What goes wrong with one request.</summary>
internal abstract record Fault
{
    /// <summary>The server is not asked; this is the answer.</summary>
    public sealed record Answer(int Status, string Body = "") : Fault;

    /// <summary>The answer's body ends after some bytes: by a reset, or as if it were over.</summary>
    public sealed record CutDown(long After, bool Reset) : Fault;

    /// <summary>The answer's body is shorter, and its Content-Length agrees.</summary>
    public sealed record Shorten(long To) : Fault;

    /// <summary>One bit of the answer's body is flipped.</summary>
    public sealed record FlipDown(long At) : Fault;

    /// <summary>The answer's body stops coming.</summary>
    public sealed record StallDown(long After) : Fault;

    /// <summary>The answer's body comes in small pieces with pauses between.</summary>
    public sealed record Dribble(int Piece, TimeSpan Pause) : Fault;

    /// <summary>The connection is reset when some bytes of the request's body have gone up.</summary>
    public sealed record CutUp(long After) : Fault;

    /// <summary>The request's body is not read on.</summary>
    public sealed record StallUp(long After) : Fault;

    /// <summary>One bit of the request's body is flipped.</summary>
    public sealed record FlipUp(long At) : Fault;

    /// <summary>The server does what it is asked, but the connection is reset before its answer arrives.</summary>
    public sealed record LoseAnswer : Fault;
}

/// <summary>A request as the proxy saw it.</summary>
/// <param name="Method">The verb.</param>
/// <param name="Target">Path and query.</param>
/// <param name="Head">All header lines.</param>
internal sealed record Seen(string Method, string Target, string Head)
{
    public string? Header(string name) => Header(Head, name);

    public static string? Header(string head, string name) =>
        head.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
}

/// <summary>Stands between a client and a real server, one connection a request, and lets chosen requests go wrong.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _upstream;
    private readonly Func<Seen, Fault?> _choose;
    private readonly X509Certificate2? _certificate;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;

    public FaultProxy(Uri upstream, Func<Seen, Fault?> choose, X509Certificate2? certificate = null)
    {
        (_upstream, _choose, _certificate) = (upstream, choose, certificate);
        _listener.Start();
        Endpoint = new Uri($"{(certificate is null ? "http" : "https")}://{_listener.LocalEndpoint}");
        _accepting = AcceptAsync();
    }

    public Uri Endpoint { get; }

    /// <summary>Every request, in the order they came.</summary>
    public ConcurrentQueue<Seen> Requests { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true) open.Add(ServeAsync(await _listener.AcceptSocketAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var closing = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        using var client = socket;
        client.NoDelay = true;
        try
        {
            await using var down = await StreamOf(client);
            if (await HeadAsync(down, closing.Token) is not var (head, rest)) return;
            var line = head[..head.IndexOf("\r\n", StringComparison.Ordinal)].Split(' ');
            var seen = new Seen(line[0], line[1], head);
            Requests.Enqueue(seen);
            await HandleAsync(client, down, seen, rest, _choose(seen), closing);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // One side has gone.
        }
        finally
        {
            await closing.CancelAsync();
        }
    }

    private async Task<Stream> StreamOf(Socket socket)
    {
        var stream = new NetworkStream(socket, ownsSocket: false);
        if (_certificate is null) return stream;
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(_certificate);
        return tls;
    }

    private async Task HandleAsync(Socket client, Stream down, Seen seen, byte[] rest, Fault? fault, CancellationTokenSource closing)
    {
        if (fault is Fault.Answer answer)
        {
            var type = answer.Body.Length > 0 ? "Content-Type: application/xml\r\n" : "";
            var body = seen.Method == "HEAD" ? "" : answer.Body;
            var text = $"HTTP/1.1 {answer.Status} Fault\r\nContent-Length: {body.Length}\r\n{type}Connection: close\r\n\r\n{body}";
            await down.WriteAsync(Encoding.ASCII.GetBytes(text), closing.Token);
            client.Shutdown(SocketShutdown.Send);
            await DrainAsync(down, closing.Token);
            return;
        }

        using var server = new TcpClient { NoDelay = true };
        await server.ConnectAsync(_upstream.Host, _upstream.Port, closing.Token);
        await using var up = server.GetStream();
        var lines = seen.Head.Split("\r\n").Where(l => !l.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase));
        await up.WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\nConnection: close\r\n\r\n"), closing.Token);
        var upward = UpAsync(client, down, up, rest, fault, closing);
        await DownAsync(client, down, up, seen.Method, fault, closing.Token);
        await closing.CancelAsync();
        await upward;
    }

    private static async Task UpAsync(Socket client, Stream down, Stream up, byte[] rest, Fault? fault, CancellationTokenSource closing)
    {
        try
        {
            var sent = 0L;
            var buffer = new byte[64 * 1024];
            rest.CopyTo(buffer, 0);
            for (var read = rest.Length; read > 0 || sent == 0; read = await down.ReadAsync(buffer, closing.Token))
            {
                if (read == 0 && (read = await down.ReadAsync(buffer, closing.Token)) == 0) return;
                if (fault is Fault.FlipUp flip && flip.At >= sent && flip.At < sent + read) buffer[flip.At - sent] ^= 1;
                var stop = fault switch { Fault.CutUp cutting => cutting.After, Fault.StallUp stalling => stalling.After, _ => long.MaxValue };
                var send = (int)Math.Min(read, stop - sent);
                await up.WriteAsync(buffer.AsMemory(0, send), closing.Token);
                sent += send;
                if (fault is Fault.StallUp stall && sent >= stall.After) await Task.Delay(Timeout.Infinite, closing.Token);
                if (fault is not Fault.CutUp cut || sent < cut.After) continue;
                Reset(client);
                await closing.CancelAsync();
                return;
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The answer has come, or one side has gone.
        }
    }

    private static async Task DownAsync(Socket client, Stream down, Stream up, string method, Fault? fault, CancellationToken cancellation)
    {
        while (await HeadAsync(up, cancellation) is var (head, body))
        {
            var final = !head.StartsWith("HTTP/1.1 1", StringComparison.Ordinal);
            if (final && fault is Fault.LoseAnswer)
            {
                Reset(client);
                return;
            }

            var length = Seen.Header(head, "Content-Length") is { } number ? long.Parse(number) : long.MaxValue;
            if (final && fault is Fault.Shorten shorten && shorten.To < length)
            {
                head = head.Replace($"Content-Length: {length}", $"Content-Length: {shorten.To}");
                length = shorten.To;
            }

            await down.WriteAsync(Encoding.ASCII.GetBytes(head + "\r\n\r\n"), cancellation);
            if (!final)
            {
                // What follows is the real answer; nothing of it has been read, for it is not sent before the body is.
                continue;
            }

            if (method != "HEAD") await BodyAsync(client, down, up, body, length, fault, cancellation);
            return;
        }
    }

    private static async Task BodyAsync(Socket client, Stream down, Stream up, byte[] first, long length, Fault? fault, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        first.CopyTo(buffer, 0);
        var sent = 0L;
        for (var read = first.Length; sent < length; read = await up.ReadAsync(buffer, cancellation))
        {
            if (read == 0 && (read = await up.ReadAsync(buffer, cancellation)) == 0) return;
            read = (int)Math.Min(read, length - sent);
            if (fault is Fault.FlipDown flip && flip.At >= sent && flip.At < sent + read) buffer[flip.At - sent] ^= 1;
            var stop = fault switch { Fault.CutDown cut => cut.After, Fault.StallDown stall => stall.After, _ => long.MaxValue };
            var send = (int)Math.Min(read, stop - sent);
            if (fault is Fault.Dribble dribble)
            {
                for (var at = 0; at < send; at += dribble.Piece)
                {
                    await down.WriteAsync(buffer.AsMemory(at, Math.Min(dribble.Piece, send - at)), cancellation);
                    await Task.Delay(dribble.Pause, cancellation);
                }
            }
            else
            {
                await down.WriteAsync(buffer.AsMemory(0, send), cancellation);
            }

            sent += send;
            if (sent < stop) continue;
            if (fault is Fault.StallDown) await Task.Delay(Timeout.Infinite, cancellation);
            if (fault is Fault.CutDown { Reset: true })
            {
                await Task.Delay(20, cancellation);
                Reset(client);
            }

            return;
        }
    }

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
    }

    private static async Task DrainAsync(Stream from, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, cancellation) > 0)
        {
            // An answer is lost if the connection closes on unread data.
        }
    }

    private static async Task<(string Head, byte[] After)?> HeadAsync(Stream from, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        var have = 0;
        while (have < buffer.Length)
        {
            var read = await from.ReadAsync(buffer.AsMemory(have), cancellation);
            if (read == 0) return null;
            have += read;
            var end = buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
            if (end >= 0) return (Encoding.ASCII.GetString(buffer, 0, end), buffer[(end + 4)..have]);
        }

        return null;
    }
}
