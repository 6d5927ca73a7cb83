using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Ssti.Engine.Telemetry;

namespace Ssti.Telemetry;

/// <summary>The same export for a service with a generic host: its own log records, the engine's spans, the engine's and Orleans' measurements.</summary>
public static class TelemetryHosting
{
    /// <summary>Exports what the environment asks for; adds nothing when it asks for nothing.</summary>
    /// <param name="builder">The service's host.</param>
    /// <param name="service">The service's name, unless <c>OTEL_SERVICE_NAME</c> gives another.</param>
    public static void AddSstiTelemetry(this IHostApplicationBuilder builder, string service)
    {
        Func<string, string?> environment = name => builder.Configuration[name];
        var settings = TelemetrySettings.Of(environment);
        if (!settings.Any) return;
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => SignalOptions.Describe(resource, service, instance: true));
        if (settings.Traces)
        {
            telemetry.WithTracing(tracing => tracing
                // Not Orleans' sources: a silo's heartbeats would be a trace each second. Runs carry their context themselves (TraceContext).
                .AddSource(EngineTelemetry.Name)
                .AddOtlpExporter(options => SignalOptions.Apply(options, "TRACES", environment)));
        }

        if (settings.Metrics)
        {
            telemetry.WithMetrics(metrics => metrics
                .AddMeter(EngineTelemetry.Name, "Microsoft.Orleans", "Microsoft.AspNetCore.Hosting", "System.Runtime")
                .AddOtlpExporter(options => SignalOptions.Apply(options, "METRICS", environment)));
        }

        if (!settings.Logs) return;
        telemetry.WithLogging(
            logging => logging.AddOtlpExporter(options => SignalOptions.Apply(options, "LOGS", environment)),
            options => (options.IncludeFormattedMessage, options.IncludeScopes) = (true, true));
    }
}
