using System.Globalization;

namespace Ssti.Telemetry;

/// <summary>What the standard environment variables ask for. Reading them loads nothing of OpenTelemetry.</summary>
/// <param name="Traces">Whether spans are exported.</param>
/// <param name="Metrics">Whether measurements are exported.</param>
/// <param name="Logs">Whether log records are exported.</param>
/// <param name="Patience">How long the end of the process waits for a collector that does not answer.</param>
/// <remarks>
/// A signal is exported when there is an endpoint for it (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> or <c>OTEL_EXPORTER_OTLP_TRACES_ENDPOINT</c> and so on), or
/// when <c>OTEL_TRACES_EXPORTER=otlp</c> (<c>METRICS</c>, <c>LOGS</c>) asks for it; <c>none</c> there, or <c>OTEL_SDK_DISABLED=true</c>, switches it off. Unlike an
/// application that is always observed, a command line without any of these must not look for a collector on its own.
/// </remarks>
public sealed record TelemetrySettings(bool Traces, bool Metrics, bool Logs, TimeSpan Patience)
{
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(2);

    /// <summary>Whether anything is exported.</summary>
    public bool Any => Traces || Metrics || Logs;

    /// <summary>Reads the variables.</summary>
    /// <param name="environment">A variable's value, or null.</param>
    public static TelemetrySettings Of(Func<string, string?> environment)
    {
        if (string.Equals(environment("OTEL_SDK_DISABLED")?.Trim(), "true", StringComparison.OrdinalIgnoreCase)) return new(false, false, false, default);
        var patience = int.TryParse(environment("OTEL_EXPORTER_OTLP_TIMEOUT"), CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : DefaultPatience;
        return new(Wants("TRACES"), Wants("METRICS"), Wants("LOGS"), patience);

        bool Wants(string signal) => environment($"OTEL_{signal}_EXPORTER")?.Trim() switch
        {
            null or "" => Has("OTEL_EXPORTER_OTLP_ENDPOINT") || Has($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"),
            var exporters => exporters.Split(',', StringSplitOptions.TrimEntries).Contains("otlp", StringComparer.OrdinalIgnoreCase),
        };

        bool Has(string name) => !string.IsNullOrWhiteSpace(environment(name));
    }
}
