using Ssti.Engine.Stages;

namespace Ssti.Cli.Display;

/// <summary>Shows a run while it goes on. Called from several threads at once.</summary>
internal interface IRunDisplay : IAsyncDisposable
{
    /// <summary>A stage began.</summary>
    /// <param name="stage">The instance.</param>
    /// <param name="expected">How long it may take.</param>
    void Started(string stage, Expected expected);

    /// <summary>A running stage is further.</summary>
    void Progress(string stage, StageProgress progress);

    /// <summary>A stage ended.</summary>
    /// <param name="stage">The instance.</param>
    /// <param name="line">How, in a few words.</param>
    void Finished(string stage, string line);

    /// <summary>A line worth reading while one watches; left out when quiet is asked for.</summary>
    void Info(string text);

    /// <summary>A line that is shown in any case.</summary>
    void Warn(string text);
}
