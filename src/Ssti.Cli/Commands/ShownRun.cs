using System.Runtime.InteropServices;
using Ssti.Cli.Display;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>A run that is shown while it goes on, and that Ctrl-C and SIGTERM end in good order.</summary>
internal sealed class ShownRun : IAsyncDisposable
{
    private readonly CancellationTokenSource _interruption;
    private readonly PosixSignalRegistration _interrupt, _terminate;

    public ShownRun(CliHost host, bool quiet, CancellationToken cancellation)
    {
        _interruption = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Display = new DeferredDisplay(host.Terminal, quiet, host.Time);
        (_interrupt, _terminate) = (Intercept(PosixSignal.SIGINT), Intercept(PosixSignal.SIGTERM));
    }

    /// <summary>What shows it.</summary>
    public IRunDisplay Display { get; }

    /// <summary>Runs a pipeline, and reads what people are to see of it.</summary>
    /// <remarks>A table or claim that turns out to be damaged when it is to be printed was put aside by that: what is run once more makes it, and nothing else.</remarks>
    public async Task<(RunResult Result, RunOutputs Outputs)> RunAsync(PipelineSession session, RunOptions options, IRunListener listener)
    {
        for (var again = false; ; again = true)
        {
            var result = await session.Runner.RunAsync(session.Pipeline, options, listener, _interruption.Token);
            try
            {
                return (result, await RunOutputs.OfAsync(session.Store, result, CancellationToken.None));
            }
            catch (StoreException damage) when (!again && result.Outcome == RunOutcome.Succeeded && damage.Message.EndsWith(CheckedBlobs.Cure, StringComparison.Ordinal))
            {
                Display.Warn($"warning: a result cannot be printed: {damage.Message[..^CheckedBlobs.Cure.Length]}; it is rebuilt");
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        await Display.DisposeAsync();
        _interruption.Dispose();
    }

    // The first signal drains the run; a second one does what it always does, and ends the process.
    private PosixSignalRegistration Intercept(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        if (_interruption.IsCancellationRequested) return;
        context.Cancel = true;
        Display.Warn("interrupted: running stages have 5 s to stop (once more to end at once)");
        _interruption.Cancel();
    });
}
