using System.CommandLine;
using System.Text;
using Ssti.Cli.Display;
using Ssti.Engine.Records;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti trace</c>: where the time of a run went.</summary>
internal static class TraceCommand
{
    private static readonly Argument<string> Run = new("run") { Description = CommonOptions.RunHelp, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last" };
    private static readonly Option<bool> Html = new("--html") { Description = "Write one HTML page that needs nothing else, instead of Chrome's trace JSON." };
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write into this file (default: standard output).", HelpName = "file" };

    public static Command Create(CliHost host)
    {
        var command = new Command("trace", "Show where the time of a run went: as JSON for chrome://tracing and Perfetto, or as an HTML page.") { Run, Html,
            Output, CommonOptions.Store };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist();
            var run = RunNames.Find(store, parsed.GetRequiredValue(Run));
            var text = parsed.GetValue(Html) ? TimelinePage.Of(run) : RunTrace.Write(run);
            if (parsed.GetValue(Output) is not { } file)
            {
                await host.Terminal.Out.WriteAsync(text);
                return ExitCodes.Done;
            }

            var path = Path.GetFullPath(file, host.WorkingFolder);
            await File.WriteAllTextAsync(path, text, new UTF8Encoding(false), cancellation);
            host.Terminal.Error.WriteLine(parsed.GetValue(Html) ? $"{path}: open it in a browser" : $"{path}: open it in chrome://tracing or ui.perfetto.dev");
            return ExitCodes.Done;
        });
        return command;
    }
}
