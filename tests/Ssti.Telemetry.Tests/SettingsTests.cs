using Ssti.Engine.Telemetry;

namespace Ssti.Telemetry.Tests;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("OTEL_SERVICE_NAME=x", "")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT= ", "")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a", "traces metrics logs")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_SDK_DISABLED=TRUE", "")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_SDK_DISABLED=false", "traces metrics logs")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://a OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none", "traces")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://a", "metrics")]
    [InlineData("OTEL_TRACES_EXPORTER=console,otlp", "traces")]
    [InlineData("OTEL_TRACES_EXPORTER=console", "")]
    public void The_variables_say_which_signals_are_exported(string variables, string expected)
    {
        var values = variables.Split(" OTEL", StringSplitOptions.RemoveEmptyEntries).Select((text, i) => i == 0 ? text : "OTEL" + text)
            .Select(text => text.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var settings = TelemetrySettings.Of(values.GetValueOrDefault);
        var wanted = new[] { (settings.Traces, "traces"), (settings.Metrics, "metrics"), (settings.Logs, "logs") }.Where(one => one.Item1).Select(one => one.Item2);
        Assert.Equal(expected, string.Join(' ', wanted));
        Assert.Equal(expected != "", settings.Any);
    }

    [Theory]
    [InlineData(null, 2)]
    [InlineData("500", 0.5)]
    [InlineData("soon", 2)]
    [InlineData("-1", 2)]
    public void The_exporters_timeout_is_the_patience_at_the_end(string? timeout, double seconds) => Assert.Equal(
        seconds, TelemetrySettings.Of(name => name == "OTEL_EXPORTER_OTLP_TIMEOUT" ? timeout : null).Patience.TotalSeconds);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("00-xyz")]
    public void A_context_that_is_none_begins_no_span(string? parent) => Assert.Null(TraceContext.Continue("silo", parent));
}
