using System.Diagnostics;

namespace Ssti.Engine.Telemetry;

/// <summary>
/// Carries a trace from one process to another, as a field of the message that asks for the work: what is done there appears below the stage of the run
/// that asked. Works without anybody between them knowing of traces.
/// </summary>
public static class TraceContext
{
    /// <summary>Where the caller is in its trace, in the W3C form <c>00-trace-span-flags</c>; null when nobody listens.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } span ? span.Id : null;

    /// <summary>Goes on with a trace from another process: the span returned is the current activity until it is disposed. Null when nobody listens here.</summary>
    /// <param name="name">The span's name, such as <c>silo</c>.</param>
    /// <param name="parent">What <see cref="Current"/> was there; null or anything malformed begins no span.</param>
    public static Activity? Continue(string name, string? parent) =>
        ActivityContext.TryParse(parent, null, isRemote: true, out var context) ? EngineTelemetry.Source.StartActivity(name, ActivityKind.Server, context) : null;
}
