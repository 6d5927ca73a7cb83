using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;

namespace Ssti.Cli.Commands;

/// <summary>
/// <c>ssti archive</c> and <c>ssti import</c>: a run as one file, for another store. (<c>export</c> writes outputs for people and other programs.)
/// </summary>
internal static class ArchiveCommands
{
    private static readonly Argument<string> Run = new("run") { Description = CommonOptions.RunHelp };
    private static readonly Argument<string> Target = new("file") { Description = "The archive to write: .tar, or .tar.gz to compress it." };
    private static readonly Argument<string> Source = new("file") { Description = "An archive that 'ssti archive' wrote." };
    private static readonly Option<bool> Overwrite = new("--force", "-f") { Description = "Replace a file that is there." };

    public static Command CreateArchive(CliHost host)
    {
        var command = new Command("archive", "Write a run into one file: its journal and logs, its records and all their outputs.") { Run, Target, Overwrite,
            CommonOptions.Store, CommonOptions.Json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist();
            using var use = store.UseToRead();
            var run = RunNames.Find(store, parsed.GetRequiredValue(Run));
            var path = Path.GetFullPath(parsed.GetRequiredValue(Target), host.WorkingFolder);
            if (Path.Exists(path) && !parsed.GetValue(Overwrite)) throw new UserException($"'{path}' is there already; name another file, or replace it with --force");
            if (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder)) throw new UserException($"there is no folder {folder}; make it first");
            var files = await new RunArchive(store.Artifacts, store.Workspace).ExportAsync(run, path, cancellation);
            var bytes = new FileInfo(path).Length;
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out,
                new JsonObject { ["run"] = run.Id, ["file"] = path, ["files"] = files, ["bytes"] = bytes });
            else host.Terminal.Out.WriteLine($"run {run.Id}: {Amounts.Of(files, "file")} in {path}, {Amounts.Bytes(bytes)}");
            var lacking = run.Stages.Count(stage => stage.Tree is null);
            if (lacking > 0) host.Terminal.Error.WriteLine($"note: {Amounts.Of(lacking, "stage")} of the run had no outputs; the others are all in it");
            return ExitCodes.Done;
        });
        return command;
    }

    public static Command CreateImport(CliHost host)
    {
        var command = new Command("import", "Take in a run from a file that 'ssti archive' wrote; every byte of it is checked.") { Source, CommonOptions.Store,
            CommonOptions.Json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host);
            var path = Path.GetFullPath(parsed.GetRequiredValue(Source), host.WorkingFolder);
            if (!File.Exists(path)) throw new UserException($"there is no file {path}");
            using var use = store.Use();
            var run = await new RunArchive(store.Artifacts, store.Workspace).ImportAsync(path, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["run"] = run, ["store"] = store.Artifacts.Location });
            else host.Terminal.Out.WriteLine($"run {run} is in {store.Artifacts.Location} now: 'ssti show {run}' shows it");
            return ExitCodes.Done;
        });
        return command;
    }
}
