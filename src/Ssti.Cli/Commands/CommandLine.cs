using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Ssti.Cluster;
using Ssti.Corpus;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>The whole command line: <c>ssti &lt;verb&gt;</c>.</summary>
public static class CommandLine
{
    /// <summary>Parses and runs; returns the exit code (<see cref="ExitCodes"/>).</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CliHost host, CancellationToken cancellation = default)
    {
        var root = Root(host);
        var parsed = root.Parse(arguments);
        var configuration = new InvocationConfiguration
        {
            Output = host.Terminal.Out,
            Error = host.Terminal.Error,
            EnableDefaultExceptionHandler = false,
            // Ctrl-C is the run's own business: it drains.
            ProcessTerminationTimeout = null,
        };
        if (parsed.Action is ParseErrorAction mistake) mistake.ShowHelp = false; // three lines about the mistake, not forty of help
        try
        {
            var code = await parsed.InvokeAsync(configuration, cancellation);
            if (parsed.Errors.Count == 0) return code;
            await host.Terminal.Error.WriteLineAsync($"see: ssti {(parsed.CommandResult.Command == root ? "" : parsed.CommandResult.Command.Name + " ")}--help");
            return ExitCodes.Usage;
        }
        catch (UserException error)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return error.ExitCode;
        }
        catch (Exception error) when (error is SelectionException or CorpusException)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return ExitCodes.Usage;
        }
        catch (Exception error) when (error is StageException or StoreException or ClusterException)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }

    // Not a RootCommand: that one is named after the process, which under 'dotnet run' is not ssti.
    private static Command Root(CliHost host) => new("ssti", "Reproducible experiments on seamless spurious token injection: pipelines of stages that run only when something changed.")
    {
        new HelpOption(),
        new VersionOption(),
        RunCommand.Create(host),
        ServeCommand.Create(host),
        PlanCommand.Create(host),
        StatusCommand.Create(host),
        WhyCommand.Create(host),
        ShowCommand.Create(host),
        LogCommand.Create(host),
        ExportCommand.Create(host),
        KindsCommand.Create(host),
        SchemaCommand.Create(host),
        DoctorCommand.Create(host),
    };
}
