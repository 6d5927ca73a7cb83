using System.Globalization;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;

namespace Ssti.Telemetry;

/// <summary>What the exporter does not read from the environment itself: the variables of one signal, and who it is that tells.</summary>
internal static class SignalOptions
{
    /// <summary>Spans of a run with thousands of cached stages come at once; the default of 2048 would drop some.</summary>
    public const int QueueSize = 64 * 1024;

    /// <summary>Sets what <c>OTEL_EXPORTER_OTLP_TRACES_ENDPOINT</c> and its like say over what the general variables say.</summary>
    /// <param name="options">Already filled from the general variables.</param>
    /// <param name="signal"><c>TRACES</c>, <c>METRICS</c> or <c>LOGS</c>.</param>
    /// <param name="environment">A variable's value, or null.</param>
    public static void Apply(OtlpExporterOptions options, string signal, Func<string, string?> environment)
    {
        if (Of("PROTOCOL") is { } protocol) options.Protocol = protocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        if (Of("HEADERS") is { } headers) options.Headers = headers;
        if (Of("TIMEOUT") is { } timeout && int.TryParse(timeout, CultureInfo.InvariantCulture, out var milliseconds)) options.TimeoutMilliseconds = milliseconds;
        // As it stands: only the general endpoint has the signal's path appended.
        if (Of("ENDPOINT") is { } endpoint && Uri.TryCreate(endpoint, UriKind.Absolute, out var uri)) options.Endpoint = uri;

        string? Of(string what) => environment($"OTEL_EXPORTER_OTLP_{signal}_{what}") is { Length: > 0 } value ? value.Trim() : null;
    }

    /// <summary>The size of a queue of spans or logs: as the variable says, else large.</summary>
    public static int Queue(string variable, Func<string, string?> environment, int asRead) => string.IsNullOrEmpty(environment(variable)) ? QueueSize : asRead;

    /// <summary>Says who tells; <c>OTEL_SERVICE_NAME</c> and <c>OTEL_RESOURCE_ATTRIBUTES</c> have the last word.</summary>
    /// <param name="resource">Is added to.</param>
    /// <param name="service">The service's name.</param>
    /// <param name="instance">Whether each process counts as an instance; not where one command follows another.</param>
    public static ResourceBuilder Describe(ResourceBuilder resource, string service, bool instance) => resource
        .AddService(service, serviceVersion: typeof(SignalOptions).Assembly.GetName().Version?.ToString(3), autoGenerateServiceInstanceId: instance)
        .AddTelemetrySdk().AddEnvironmentVariableDetector();
}
