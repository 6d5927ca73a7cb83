using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Records;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti trace</c>: where the time of a run went.</summary>
internal static class TraceCommand
{
    private static readonly Argument<string> Run = new("run") { Description = CommonOptions.RunHelp, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last" };
    private static readonly Option<bool> Html = new("--html") { Description = "Write one HTML page that needs nothing else, instead of Chrome's trace JSON." };

    public static Command Create(CliHost host)
    {
        var command = new Command("trace", "Show where the time of a run went: as JSON for chrome://tracing and Perfetto, or as an HTML page.") { Run, Html,
            OutputFile.Option, CommonOptions.OfPipeline, CommonOptions.Store };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            if (parsed.GetValue(Html) && parsed.GetValue(CommonOptions.Json)) throw new UserException("--html or --json (which it is without either): leave one out");
            var run = RunNames.In(store, parsed, host).Find(parsed.GetRequiredValue(Run));
            var text = parsed.GetValue(Html) ? TimelinePage.Of(run) : RunTrace.Write(run);
            if (parsed.GetValue(OutputFile.Option) is not { } file)
            {
                await host.Terminal.Out.WriteAsync(text);
                return ExitCodes.Done;
            }

            var path = Path.GetFullPath(file, host.WorkingFolder);
            await OutputFile.WriteAsync(path, text, cancellation);
            CommonOptions.Note(parsed, host, parsed.GetValue(Html) ? $"{path}: open it in a browser" : $"{path}: open it in chrome://tracing or ui.perfetto.dev");
            return ExitCodes.Done;
        });
        return command;
    }
}
