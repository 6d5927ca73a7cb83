using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Running;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti export</c>: a stage's outputs as plain files.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Stage = new("stage") { Description = "A stage, one of its cells (train@base), or a glob." };
    private static readonly Argument<string> Folder = new("folder") { Description = "Where to write; one folder in it for each cell when there are several." };
    private static readonly Option<bool> Overwrite = new("--force", "-f") { Description = "Write into a folder that holds something, over files of the same name." };

    public static Command Create(CliHost host)
    {
        var command = new Command("export", "Write a stage's outputs as plain files: data sets as JSON lines, models as safetensors, tables as Markdown, CSV, LaTeX and JSON.");
        command.Add(PipelineOptions.Pipeline);
        command.Add(Stage);
        command.Add(Folder);
        foreach (var option in new Option[] { Overwrite, PipelineOptions.Set, PipelineOptions.Device, CommonOptions.Store, CommonOptions.Json }) command.Add(option);
        command.SetAction((parsed, cancellation) => ExportAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> ExportAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        using var session = PipelineSession.Open(parsed, host);
        var glob = new Glob(parsed.GetRequiredValue(Stage));
        var plan = await session.Runner.PlanAsync(session.Pipeline, new RunSelection { Until = [glob.ToString()] }, cancellation);
        var stages = plan.Stages.Where(stage => glob.Matches(stage.Instance)).ToArray();
        if (stages.FirstOrDefault(stage => stage.State != PlanState.Cached) is { } stale)
        {
            throw new UserException(
                $"'{stale.Instance.Name}' is not up to date ({ReasonText.Join(stale.Reasons)}); run it first: "
                + $"ssti run {parsed.GetRequiredValue(PipelineOptions.Pipeline)} --until {glob}", ExitCodes.Stale);
        }

        var folder = Path.GetFullPath(parsed.GetRequiredValue(Folder), host.WorkingFolder);
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
            if (!parsed.GetValue(CommonOptions.Json)) host.Terminal.Out.WriteLine($"{stage.Instance.Name}: {files} {(files == 1 ? "file" : "files")} in {to}");
        }

        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["exported"] = written });
        return ExitCodes.Done;
    }

    private static string FolderOf(StageInstance instance, bool oneStage) => oneStage ? instance.Name[(instance.Name.IndexOf('@') + 1)..] : instance.Name;
}
