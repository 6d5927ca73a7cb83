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
        foreach (var option in (Option[])[Overwrite, .. PipelineOptions.Overrides,
            CommonOptions.Stages, CommonOptions.OfPipeline, CommonOptions.Store]) command.Add(option);
        command.SetAction((parsed, cancellation) =>
        {
            var (what, second, folder) = (parsed.GetRequiredValue(What), parsed.GetRequiredValue(StageOrFile), parsed.GetValue(Folder));
            if (!StageSelection.Of(parsed).IsAll)
            {
                // With --stage the stages are named; what stands behind the pipeline is the folder.
                return folder is null ? OutputsAsync(host, parsed, what, StageSelection.Of(parsed), second, cancellation)
                    : throw new UserException($"name stages behind the pipeline or with --stage, not both: ssti export {what} {second} {folder}");
            }

            if (folder is not null) return OutputsAsync(host, parsed, what, StageSelection.Of(parsed, second), folder, cancellation);
            if (PipelineFile.Is(what, host))
                throw new UserException($"say where to write the outputs of '{second}': ssti export {PipelineFile.Find(what, host)} {second} <folder>");
            PipelineOptions.MustHaveNone(parsed, "a run had its own");
            return RunAsync(host, parsed, what, second, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, string name, string file, CancellationToken cancellation)
    {
        using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
        using var use = store.UseToRead();
        var run = RunNames.In(store, parsed, host).Find(name);
        var path = PathOf(file, host);
        if (Directory.Exists(path)) throw new UserException($"'{path}' is a folder; name the archive's file, such as {Path.Combine(file, $"{run.Id}.tar.gz")}");
        if (Path.Exists(path) && !parsed.GetValue(Overwrite)) throw new UserException($"'{path}' is there already; name another file, or replace it with --force");
        if (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder)) throw new UserException($"there is no folder {folder}; make it first");
        var files = await new RunArchive(store.Artifacts, store.Workspace).ExportAsync(run, path, cancellation);
        var bytes = new FileInfo(path).Length;
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out,
            new JsonObject { ["run"] = run.Id, ["file"] = path, ["files"] = files, ["bytes"] = bytes });
        else host.Terminal.Out.WriteLine($"run {run.Id}: {Amounts.Of(files, "file")} in {path}, {Amounts.Bytes(bytes)}");
        var lacking = run.Stages.Count(stage => stage.Tree is null);
        if (lacking > 0) CommonOptions.Note(parsed, host, $"{Amounts.Of(lacking, "stage")} of the run had no outputs; the others are all in it");
        return ExitCodes.Done;
    }

    private static async Task<int> OutputsAsync(CliHost host, ParseResult parsed, string file, StageSelection selection, string into, CancellationToken cancellation)
    {
        using var session = PipelineSession.Open(parsed, host, file);
        var plan = await session.Runner.PlanAsync(session.Pipeline, selection.Until, cancellation);
        var stages = plan.Stages.Where(stage => selection.Has(stage.Instance)).ToArray();
        if (stages.FirstOrDefault(stage => stage.State != PlanState.Cached) is { } stale)
        {
            throw new UserException(
                $"'{stale.Instance.Name}' is not up to date ({ReasonText.Join(stale.Reasons)}); run it first: ssti run {file} --until {stale.Instance.Stage}",
                ExitCodes.Stale);
        }

        using var use = session.Opened.UseToRead();
        var folder = PathOf(into, host);
        var overwrite = parsed.GetValue(Overwrite);
        var oneStage = stages.Select(stage => stage.Instance.Stage).Distinct().Count() == 1;
        var targets = stages.Select(stage => (stage, Below: stages.Length == 1 ? "" : FolderOf(stage.Instance, oneStage))).ToArray();
        if (File.Exists(folder)) throw new UserException($"'{folder}' is a file; name a folder");
        if (!overwrite && targets.Select(target => Path.Combine(folder, target.Below)).FirstOrDefault(to =>
            File.Exists(to) || (Directory.Exists(to) && Directory.EnumerateFileSystemEntries(to).Any())) is { } taken)
        {
            throw new UserException($"'{taken}' holds something already; name another folder, or write over it with --force");
        }

        var counts = await Exporter.ExportAsync(session.Store, [.. targets.Select(target => (target.stage.Hit!.Tree, target.Below))], folder, overwrite, cancellation);
        var written = new JsonArray();
        foreach (var ((stage, below), files) in targets.Zip(counts))
        {
            var to = Path.Combine(folder, below);
            written.Add(new JsonObject
            {
                ["stage"] = stage.Instance.Name, ["folder"] = to, ["files"] = files, ["key"] = stage.Key!.ToString(), ["tree"] = stage.Hit!.Tree.ToString(),
            });
            if (!parsed.GetValue(CommonOptions.Json)) host.Terminal.Out.WriteLine($"{stage.Instance.Name}: {Amounts.Of(files, "file")} in {to}");
        }

        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["exported"] = written });
        return ExitCodes.Done;
    }

    private static string PathOf(string named, CliHost host) =>
        named.Length > 0 ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(named, host.WorkingFolder)) : throw new UserException("say where to: an empty name is no place");

    private static string FolderOf(StageInstance instance, bool oneStage) => oneStage ? instance.Name[(instance.Name.IndexOf('@') + 1)..] : instance.Name;
}
