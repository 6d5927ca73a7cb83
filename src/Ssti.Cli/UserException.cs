namespace Ssti.Cli;

/// <summary>The user asked for something that cannot be: shown as one line, without a stack trace.</summary>
internal sealed class UserException(string message, int exitCode = ExitCodes.Usage) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
