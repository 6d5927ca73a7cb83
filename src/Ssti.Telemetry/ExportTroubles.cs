using System.Diagnostics.Tracing;

namespace Ssti.Telemetry;

/// <summary>
/// Hears why an export failed. The exporter itself only writes to an event source that nobody sees, and a user who set an endpoint with a slip in it
/// would look for his traces in vain.
/// </summary>
internal sealed class ExportTroubles : EventListener
{
    private const string Exporter = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    // Said of log records that are sent while their factory ends; they are sent all the same.
    private const string Harmless = "HttpClientFactoryUnavailable";

    private string? _first;

    /// <summary>The first failure, in a line; null when there was none.</summary>
    public string? First => _first;

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == Exporter) EnableEvents(source, EventLevel.Warning);
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs written)
    {
        if (written.EventName == Harmless) return;
        // The first line of the longest value is the exception's, or the server's, own message.
        var detail = written.Payload?.Select(value => value?.ToString() ?? "").MaxBy(value => value.Length)?.Split('\n')[0].Trim();
        Interlocked.CompareExchange(ref _first, string.IsNullOrEmpty(detail) ? written.EventName ?? "unknown" : detail, null);
    }
}
