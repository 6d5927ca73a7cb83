using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti import</c>: takes in a run from one file.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Source = new("file") { Description = "An archive that 'ssti export <run> <file>' wrote." };

    public static Command Create(CliHost host)
    {
        var command = new Command("import", "Take in a run from an archive that 'ssti export' wrote; every byte of it is checked.") { Source, CommonOptions.Store };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetRequiredValue(Source) is not { Length: > 0 } source) throw new UserException("an empty name is no archive; name the file that 'ssti export' wrote");
            using var store = CommonOptions.Open(parsed, host);
            var path = Path.GetFullPath(source, host.WorkingFolder);
            if (!File.Exists(path)) throw new UserException(Directory.Exists(path) ? $"{path} is a folder, and no archive; name the file that 'ssti export' wrote"
                : $"there is no file {path}");
            using var use = store.Use();
            var run = await new RunArchive(store.Artifacts, store.Workspace).ImportAsync(path, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["run"] = run, ["store"] = store.Artifacts.Location });
            else host.Terminal.Out.WriteLine($"run {run} is in {store.Artifacts.Location} now: 'ssti show {run}' shows it");
            return ExitCodes.Done;
        });
        return command;
    }
}
