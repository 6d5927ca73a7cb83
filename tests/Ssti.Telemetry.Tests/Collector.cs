using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Ssti.Telemetry.Tests;

/// <summary>Takes OTLP over HTTP, and keeps what comes.</summary>
internal sealed class Collector : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _received = new();

    public Collector()
    {
        Endpoint = $"http://127.0.0.1:{FreePort()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _ = Task.Run(ListenAsync);
    }

    public string Endpoint { get; }

    /// <summary>The variables that make a process export to here.</summary>
    public (string, string)[] Environment =>
        [("OTEL_EXPORTER_OTLP_ENDPOINT", Endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "30000")];

    public bool IsEmpty => _received.IsEmpty;

    // ExportTraceServiceRequest: 1 ResourceSpans (1 resource, 2 ScopeSpans (1 scope, 2 spans)); the others have the same shape.
    public IReadOnlyList<Span> Spans => [.. Each("/v1/traces", (service, scope, span) => new Span(
        service, scope.Text(1), span.Hex(1), span.Hex(2), span.Hex(4), span.Text(5), span.Attributes(9), [.. span.All(11).Select(e => (e.Text(2), e.Attributes(3)))],
        span.All(15).Select(status => (int)status.Number(3)).FirstOrDefault(), span.All(15).Select(status => status.Text(2)).FirstOrDefault() ?? ""))];

    // Metric: 1 name, 5 gauge, 7 sum, 9 histogram, each with 1 data points. NumberDataPoint: 4 double, 6 integer, 7 attributes. Histogram's: 4 count, 5 sum, 9.
    public IReadOnlyList<Point> Points => [.. Each("/v1/metrics", (_, scope, metric) => metric.All(5, 1).Concat(metric.All(7, 1))
        .Select(point => new Point(scope.Text(1), metric.Text(1), point.Has(4) ? point.Double(4) : (long)point.Number(6), 1, point.Attributes(7)))
        .Concat(metric.All(9, 1).Select(point => new Point(scope.Text(1), metric.Text(1), point.Double(5), (long)point.Number(4), point.Attributes(9)))))
        .SelectMany(points => points)];

    // LogRecord: 2 severity, 5 body, 6 attributes, 9 trace, 10 span.
    public IReadOnlyList<Log> Logs => [.. Each("/v1/logs", (_, _, log) => new Log(
        (int)log.Number(2), (string)Wire.Any(log.All(5).First()), log.Attributes(6), log.Hex(9), log.Hex(10)))];

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose() => _listener.Close();

    private IEnumerable<T> Each<T>(string path, Func<string, Wire, Wire, T> read) =>
        from request in _received
        where request.Path == path
        from resource in new Wire(request.Body).All(1)
        let service = (string)resource.All(1).First().Attributes(1)["service.name"]
        from scope in resource.All(2)
        from item in scope.All(2)
        select read(service, scope.All(1).First(), item);

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                _received.Enqueue((context.Request.Url!.AbsolutePath, body.ToArray()));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
        {
        }
    }
}

internal sealed record Span(
    string Service, string Scope, string Trace, string Id, string Parent, string Name, Dictionary<string, object> Attributes,
    IReadOnlyList<(string Name, Dictionary<string, object> Attributes)> Events, int Status, string StatusText)
{
    public const int Error = 2;
}

internal sealed record Point(string Scope, string Name, double Value, long Count, Dictionary<string, object> Attributes);

internal sealed record Log(int Severity, string Body, Dictionary<string, object> Attributes, string Trace, string Span)
{
    public const int Warning = 13, Error = 17;
}
