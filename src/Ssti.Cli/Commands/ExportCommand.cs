using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti export</c>: a stage's outputs as plain files, for people and other programs; or a run as one file, for another store.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> What = new("what") { Description = "A pipeline's file (with a stage behind it), or a run (12, 'last', 'last~1')." };

    private static readonly Argument<string> StageOrFile = new("stage|file")
    {
        Description = "Of a pipeline, a stage, one of its cells (train@base), or a glob. Of a run, the archive to write: .tar, or .tar.gz to compress it.",
    };

    private static readonly Argument<string?> Folder = new("folder")
    {
        Description = "Of a pipeline, where to write; one folder in it for each cell when there are several.", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Overwrite =
        new("--force", "-f") { Description = "Write into a folder that holds something, over files of the same name, or over an archive that is there." };

    public static Command Create(CliHost host)
    {
        var command = new Command("export", "Write a stage's outputs as plain files (JSON lines, safetensors, Markdown, CSV, LaTeX, JSON), or a run into one archive.")
        {
            What, StageOrFile, Folder,
        };
        foreach (var option in new Option[] { Overwrite, PipelineOptions.Set, PipelineOptions.Device, PipelineOptions.NoLocal, CommonOptions.Store, CommonOptions.Json }) command.Add(option);
        command.SetAction((parsed, cancellation) =>
        {
            var (what, second) = (parsed.GetRequiredValue(What), parsed.GetRequiredValue(StageOrFile));
            if (parsed.GetValue(Folder) is { } folder) return OutputsAsync(host, parsed, what, second, folder, cancellation);
            if (Path.GetExtension(what) is ".yaml" or ".yml" || File.Exists(Path.GetFullPath(what, host.WorkingFolder)))
                throw new UserException($"say where to write the outputs of '{second}': ssti export {what} {second} <folder>");
            if (parsed.GetResult(PipelineOptions.Set) is not null || parsed.GetResult(PipelineOptions.Device) is not null)
                throw new UserException("--set and --device belong to a pipeline; a run had its own");
            return RunAsync(host, parsed, what, second, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string name, string file, CancellationToken cancellation)
    {
        using var store = CommonOptions.Open(parsed, host).MustExist();
        using var use = store.UseToRead();
        var run = RunNames.Find(store, name);
        var path = Path.GetFullPath(file, host.WorkingFolder);
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
    }

    private static async Task<int> OutputsAsync(CliHost host, ParseResult parsed, string file, string named, string into, CancellationToken cancellation)
    {
        using var session = PipelineSession.Open(parsed, host, file);
        var glob = new Glob(named);
        var plan = await session.Runner.PlanAsync(session.Pipeline, new RunSelection { Until = [glob.ToString()] }, cancellation);
        var stages = plan.Stages.Where(stage => glob.Matches(stage.Instance)).ToArray();
        if (stages.FirstOrDefault(stage => stage.State != PlanState.Cached) is { } stale)
        {
            throw new UserException(
                $"'{stale.Instance.Name}' is not up to date ({ReasonText.Join(stale.Reasons)}); run it first: ssti run {file} --until {glob}", ExitCodes.Stale);
        }

        var folder = Path.GetFullPath(into, host.WorkingFolder);
        var overwrite = parsed.GetValue(Overwrite);
        var oneStage = stages.Select(stage => stage.Instance.Stage).Distinct().Count() == 1;
        var targets = stages.Select(stage => (stage, To: stages.Length == 1 ? folder : Path.Combine(folder, FolderOf(stage.Instance, oneStage)))).ToArray();
        if (!overwrite && targets.FirstOrDefault(target => File.Exists(target.To) || (Directory.Exists(target.To) && Directory.EnumerateFileSystemEntries(target.To).Any()))
            is { To: { } taken })
        {
            throw new UserException($"'{taken}' holds something already; name another folder, or write over it with --force");
        }

        var written = new JsonArray();
        foreach (var (stage, to) in targets)
        {
            var files = await Exporter.ExportAsync(session.Store, stage.Hit!.Tree, to, overwrite, cancellation);
            written.Add(new JsonObject
            {
                ["stage"] = stage.Instance.Name, ["folder"] = to, ["files"] = files, ["key"] = stage.Key!.ToString(), ["tree"] = stage.Hit.Tree.ToString(),
            });
            if (!parsed.GetValue(CommonOptions.Json)) host.Terminal.Out.WriteLine($"{stage.Instance.Name}: {Amounts.Of(files, "file")} in {to}");
        }

        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["exported"] = written });
        return ExitCodes.Done;
    }

    private static string FolderOf(StageInstance instance, bool oneStage) => oneStage ? instance.Name[(instance.Name.IndexOf('@') + 1)..] : instance.Name;
}
