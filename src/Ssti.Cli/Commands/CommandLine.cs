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
        if (Unknown(parsed) is { } unknown)
        {
            await host.Terminal.Error.WriteLineAsync($"Unrecognized option '{unknown}'.\n\nsee: ssti {parsed.CommandResult.Command.Name} --help");
            return ExitCodes.Usage;
        }

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

    // Where an argument may still come, a mistyped option would be taken for it: 'ssti gc --keep-lst' for a pipeline's file.
    private static string? Unknown(ParseResult parsed) => parsed.Errors.Count > 0 ? null : parsed.Tokens
        .TakeWhile(token => token.Type != System.CommandLine.Parsing.TokenType.DoubleDash)
        .FirstOrDefault(token => token.Type == System.CommandLine.Parsing.TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;

    // Not a RootCommand: that one is named after the process, which under 'dotnet run' is not ssti.
    private static Command Root(CliHost host) => new("ssti", "Reproducible experiments on seamless spurious token injection: pipelines of stages that run only when something changed.")
    {
        new HelpOption(),
        new VersionOption(),
        RunCommand.Create(host),
        ServeCommand.Create(host),
        PlanCommand.Create(host),
        LockCommand.Create(host),
        StatusCommand.Create(host),
        WhyCommand.Create(host),
        ShowCommand.Create(host),
        LogCommand.Create(host),
        DiffCommand.Create(host),
        TraceCommand.Create(host),
        GraphCommand.Create(host),
        ExportCommand.Create(host),
        TransferCommands.CreatePush(host),
        TransferCommands.CreatePull(host),
        ImportCommand.Create(host),
        VerifyCommand.Create(host),
        GcCommand.Create(host),
        KindsCommand.Create(host),
        SchemaCommand.Create(host),
        DoctorCommand.Create(host),
    };
}
