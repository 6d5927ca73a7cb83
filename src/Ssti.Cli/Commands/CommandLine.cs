using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Ssti.Cluster;
using Ssti.Corpus;
using Ssti.Engine.Keys;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary>The whole command line: <c>ssti &lt;verb&gt;</c>.</summary>
public static class CommandLine
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly VersionOption Version = new();

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
            // A run drains and a server stops its hosts by themselves. Every other verb is told, and puts away what it has begun.
            ProcessTerminationTimeout = parsed.CommandResult.Command.Name is "run" or "fit" or "serve" or "silo" ? null : Grace,
        };
        if (Mistakes.Of(parsed) is { } mistake && parsed.Action is not HelpAction && parsed.GetResult(Version) is null)
        {
            await host.Terminal.Error.WriteLineAsync(mistake);
            return ExitCodes.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(configuration, cancellation);
        }
        catch (UserException error)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return error.ExitCode;
        }
        catch (Exception error) when (error is SelectionException or CorpusException or LockException)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return ExitCodes.Usage;
        }
        catch (Exception error) when (error is StageException or StoreException or ClusterException)
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A folder that is no folder, a file that may not be read: named in the message, and nothing to be learnt from a stack.
            await host.Terminal.Error.WriteLineAsync($"ssti: {error.Message}");
            return ExitCodes.Failed;
        }
        catch (AggregateException many) when (many.Flatten().InnerExceptions.All(error =>
            error is StoreException or StageException or IOException or UnauthorizedAccessException))
        {
            await host.Terminal.Error.WriteLineAsync($"ssti: {many.Flatten().InnerExceptions[0].Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }

    /// <summary>The verbs.</summary>
    /// <remarks>Not a RootCommand: that one is named after the process, which under 'dotnet run' is not ssti.</remarks>
    internal static Command Root(CliHost host) => new("ssti",
        "Reproducible experiments on seamless spurious token injection: pipelines of stages that run only when something changed.")
    {
        new HelpOption(),
        Version,
        CommonOptions.Quiet,
        CommonOptions.Verbose,
        CommonOptions.Json,
        RunCommand.Create(host),
        AuditCommand.Create(host),
        FitCommand.Create(host),
        PredictCommand.Create(host),
        ServeCommand.Create(host),
        CertificatesCommand.Create(host),
        SiloCommand.Create(host),
        KeysCommand.Create(host),
        PlanCommand.Create(host),
        LockCommand.Create(host),
        StatusCommand.Create(host),
        WhyCommand.Create(host),
        RunsCommand.Create(host),
        ShowCommand.Create(host),
        LogCommand.Create(host),
        DiffCommand.Create(host),
        ReportCommand.Create(host),
        MeasuresCommand.Create(host),
        FigureCommand.Create(host),
        TraceCommand.Create(host),
        GraphCommand.Create(host),
        ExportCommand.Create(host),
        TransferCommands.CreatePush(host),
        TransferCommands.CreatePull(host),
        ImportCommand.Create(host),
        ConvertCommand.Create(host),
        VerifyCommand.Create(host),
        GcCommand.Create(host),
        KindsCommand.Create(host),
        SchemaCommand.Create(host),
        DoctorCommand.Create(host),
    };
}
