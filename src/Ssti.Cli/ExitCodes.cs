namespace Ssti.Cli;

/// <summary>What the process answers to its caller. Scripts rely on these.</summary>
public static class ExitCodes
{
    /// <summary>Done; everything is up to date.</summary>
    public const int Done = 0;

    /// <summary>A stage failed, or a check of <c>doctor</c> did.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a pipeline file is wrong: nothing was run.</summary>
    public const int Usage = 2;

    /// <summary>Something is stale, and <c>--question</c> only asked.</summary>
    public const int Stale = 3;

    /// <summary>An audit found something: the same number, for it is an answer and no failure.</summary>
    public const int Found = 3;

    /// <summary>Stored content is not what it should be.</summary>
    public const int VerificationFailed = 4;

    /// <summary>Interrupted by Ctrl-C; what was finished is kept.</summary>
    public const int Interrupted = 130;
}
