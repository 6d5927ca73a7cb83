using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Ssti.Engine.Running;
using Ssti.Engine.Telemetry;

namespace Ssti.Telemetry;

/// <summary>
/// Sends what the engine tells to a collector over OTLP: spans, measurements, and as log records what a run says. A collector that is not there neither
/// fails nor holds up a run; at the end it is waited for as long as <see cref="TelemetrySettings.Patience"/> says.
/// </summary>
public sealed class TelemetryExport : IRunListener, IDisposable
{
    private readonly TelemetrySettings _settings;
    private readonly TracerProvider? _tracer;
    private readonly MeterProvider? _meter;
    private readonly ILoggerFactory? _loggers;
    private readonly RunLog? _log;
    private readonly ExportTroubles _troubles = new();
    private readonly Action<string>? _warn;

    private TelemetryExport(string service, TelemetrySettings settings, Func<string, string?> environment, Action<string>? warn)
    {
        (_settings, _warn) = (settings, warn);
        var resource = SignalOptions.Describe(ResourceBuilder.CreateEmpty(), service, instance: false);
        if (settings.Traces) _tracer = Tracer(resource, environment);
        if (settings.Metrics) _meter = Meters(resource, environment);
        if (!settings.Logs) return;
        _loggers = Loggers(resource, environment);
        _log = new RunLog(_loggers.CreateLogger("Ssti.Run"));
    }

    /// <summary>Begins to export what the environment asks for; null when it asks for nothing.</summary>
    /// <param name="service">The service's name, unless <c>OTEL_SERVICE_NAME</c> gives another.</param>
    /// <param name="environment">A variable's value, or null.</param>
    /// <param name="warn">Is told at the end, in one line, when something could not be delivered.</param>
    public static TelemetryExport? Start(string service, Func<string, string?> environment, Action<string>? warn = null) =>
        TelemetrySettings.Of(environment) is { Any: true } settings ? Start(service, settings, environment, warn) : null;

    /// <inheritdoc/>
    public void On(RunEvent happened) => _log?.On(happened);

    /// <summary>Sends what is left, for a bounded time.</summary>
    public void Dispose()
    {
        var limit = (int)_settings.Patience.TotalMilliseconds;
        // All at once, so that a collector that hangs costs the time of one signal; and not in the pool, whose few threads the sending itself needs.
        Task[] ends = [OnThread(() => _tracer?.Shutdown(limit)), OnThread(() => _meter?.Shutdown(limit)), OnThread(() => _loggers?.Dispose())];
        var inTime = Task.WaitAll(ends, limit);
        var why = _troubles.First ?? (inTime ? null : $"no answer within {_settings.Patience.TotalSeconds:0.#} s");
        _troubles.Dispose();
        if (why is not null) _warn?.Invoke($"telemetry was not delivered ({why}); the run itself is not affected");
    }

    private static Task OnThread(Action end) => Task.Factory.StartNew(end, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // Methods of their own, so that OpenTelemetry is loaded only where they are called.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TelemetryExport Start(string service, TelemetrySettings settings, Func<string, string?> environment, Action<string>? warn) =>
        new(service, settings, environment, warn);

    private static TracerProvider Tracer(ResourceBuilder resource, Func<string, string?> environment) => Sdk.CreateTracerProviderBuilder()
        .SetResourceBuilder(resource)
        .AddSource(EngineTelemetry.Name)
        .AddOtlpExporter(options =>
        {
            SignalOptions.Apply(options, "TRACES", environment);
            var batch = options.BatchExportProcessorOptions;
            batch.MaxQueueSize = SignalOptions.Queue("OTEL_BSP_MAX_QUEUE_SIZE", environment, batch.MaxQueueSize);
        })
        .Build();

    private static MeterProvider Meters(ResourceBuilder resource, Func<string, string?> environment) => Sdk.CreateMeterProviderBuilder()
        .SetResourceBuilder(resource)
        .AddMeter(EngineTelemetry.Name, "System.Runtime")
        .AddOtlpExporter(options => SignalOptions.Apply(options, "METRICS", environment))
        .Build();

    private static ILoggerFactory Loggers(ResourceBuilder resource, Func<string, string?> environment) => LoggerFactory.Create(logging => logging
        .AddOpenTelemetry(options =>
        {
            options.IncludeFormattedMessage = true;
            options.SetResourceBuilder(resource).AddOtlpExporter((exporter, processor) =>
            {
                SignalOptions.Apply(exporter, "LOGS", environment);
                var batch = processor.BatchExportProcessorOptions;
                batch.MaxQueueSize = SignalOptions.Queue("OTEL_BLRP_MAX_QUEUE_SIZE", environment, batch.MaxQueueSize);
            });
        }));
}
