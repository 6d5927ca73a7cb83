using Ssti.Engine.Running;
using Ssti.Engine.Stages;

namespace Ssti.Cli;

/// <summary>What the command line is composed of: the one place where clock, environment and machine come in.</summary>
public sealed record CliHost
{
    /// <summary>Makes the kinds of stage there are; called only by verbs that read pipelines.</summary>
    /// <remarks>May throw <see cref="Ssti.Corpus.CorpusException"/> when the environment names an impossible hub.</remarks>
    public required Func<IReadOnlyList<IStageKind>> Kinds { get; init; }

    /// <summary>Where text goes.</summary>
    public required Terminal Terminal { get; init; }

    /// <summary>Opens standard input, where a verb reads it.</summary>
    public Func<Stream> Input { get; init; } = () => Console.OpenStandardInput();

    /// <summary>Where relative paths of the command line start.</summary>
    public required string WorkingFolder { get; init; }

    /// <summary>An environment variable, or null.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Looks at the machine.</summary>
    public required IComputeProbe Probe { get; init; }

    /// <summary>Makes what puts revisions to remote sources; null leaves them as they are written. Called only by verbs that read pipelines.</summary>
    /// <remarks>May throw <see cref="Ssti.Corpus.CorpusException"/> when the environment names an impossible hub.</remarks>
    public Func<ISourceResolver?> Sources { get; init; } = () => null;

    /// <summary>
    /// Begins to hear a run beside the display, or null; called once a run, and disposed at its end if it can be. Not a type of telemetry, so that none is
    /// loaded where none is wanted.
    /// </summary>
    public Func<IRunListener?> Telemetry { get; init; } = () => null;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
