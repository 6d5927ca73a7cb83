using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Ssti.Tests;

/// <summary>A chat endpoint on loopback that answers as OpenAI's does, in capitals, but for what it is told to do otherwise with the next requests.</summary>
internal sealed class ChatServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _loop;
    private int _busy, _most;

    public ChatServer()
    {
        // HttpListener takes no port 0: ask the system for a free one.
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        }

        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _loop = Task.Run(LoopAsync);
    }

    public int Port { get; }

    public string Endpoint => $"http://127.0.0.1:{Port}/v1";

    /// <summary>What the next requests get instead: a status, a body (null for a proper answer), headers, and how long it waits.</summary>
    public ConcurrentQueue<(int Status, string? Body, (string Name, string Value)[] Headers, TimeSpan After)> Next { get; } = new();

    /// <summary>The bodies that came, in order.</summary>
    public ConcurrentQueue<JsonNode> Seen { get; } = new();

    /// <summary>The Authorization headers that came.</summary>
    public ConcurrentQueue<string?> Keys { get; } = new();

    /// <summary>The most requests at a time.</summary>
    public int Most => _most;

    /// <summary>How long every answer takes.</summary>
    public TimeSpan Pace { get; set; }

    /// <summary>What it makes of a user's message.</summary>
    public Func<string, string> Reply { get; set; } = prompt => prompt[(prompt.LastIndexOf('\n') + 1)..].ToUpperInvariant();

    public void Fail(int status, string body, params (string, string)[] headers) => Next.Enqueue((status, body, headers, default));

    public static string Answer(string text, string finish = "stop") => new JsonObject
    {
        ["id"] = "chatcmpl-1", ["object"] = "chat.completion", ["model"] = "toy-1",
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0, ["finish_reason"] = finish, ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text },
        }),
    }.ToJsonString();

    public void Dispose()
    {
        _listener.Stop();
        _listener.Close();
        _loop.Wait(TimeSpan.FromSeconds(5));
    }

    private async Task LoopAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            // Stopped, or disposed of, or stopped before this loop came to its first question.
            catch (Exception error) when (error is HttpListenerException or InvalidOperationException)
            {
                return;
            }

            _ = Task.Run(() => AnswerAsync(context));
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            lock (_listener) _most = Math.Max(_most, ++_busy);
            using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
            var body = JsonNode.Parse(await reader.ReadToEndAsync())!;
            Seen.Enqueue(body);
            Keys.Enqueue(context.Request.Headers["Authorization"]);
            var (status, text, headers, after) = Next.TryDequeue(out var told) ? told : (200, null, [], default);
            await Task.Delay(after + Pace);
            if (context.Request.RawUrl != "/v1/chat/completions") (status, text) = (404, "{\"error\":{\"message\":\"no such address\"}}");
            foreach (var (name, value) in headers) context.Response.AddHeader(name, value);
            context.Response.StatusCode = status;
            var bytes = Encoding.UTF8.GetBytes(text ?? Answer(Reply((string)body["messages"]!.AsArray()[^1]!["content"]!)));
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(bytes);
            context.Response.Close();
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The client gave up on it.
        }
        finally
        {
            lock (_listener) _busy--;
        }
    }
}
