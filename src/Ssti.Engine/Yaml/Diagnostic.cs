namespace Ssti.Engine.Yaml;

/// <summary>How bad a diagnostic is.</summary>
public enum Severity
{
    /// <summary>The pipeline cannot be used.</summary>
    Error,

    /// <summary>The pipeline can be used, but perhaps not as meant.</summary>
    Warning,
}

/// <summary>Something wrong with a pipeline: where, what, and what to do.</summary>
/// <param name="Severity">Error or warning.</param>
/// <param name="Code">One of <see cref="DiagnosticCodes"/>.</param>
/// <param name="Where">The place.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Help">What to do, or null when the message says it.</param>
public sealed record Diagnostic(Severity Severity, string Code, SourceLocation Where, string Message, string? Help = null)
{
    /// <summary>One line as compilers write them, and a second one with what to do.</summary>
    public override string ToString() =>
        $"{Where}: {(Severity == Severity.Error ? "error" : "warning")} {Code}: {Message}" + (Help is null ? "" : $"\n  {Help}");
}
