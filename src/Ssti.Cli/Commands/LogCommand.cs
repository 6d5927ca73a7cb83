using System.CommandLine;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Store.Files;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti log</c>: what a stage wrote while it ran.</summary>
internal static class LogCommand
{
    private static readonly Argument<string> Stage = new("stage") { Description = "A stage, one of its cells (train@base), or a glob." };
    private static readonly Option<string> Run = new("--run") { Description = "The run (default: the last).", HelpName = "run", DefaultValueFactory = _ => "last" };

    public static Command Create(CliHost host)
    {
        var command = new Command("log", "Print the log of a stage of a run.") { Stage, Run, CommonOptions.Store };
        command.SetAction(parsed =>
        {
            var folder = CommonOptions.StoreFolder(parsed, host);
            var history = new RunHistory(new Workspace(folder));
            var name = parsed.GetRequiredValue(Run);
            var run = (name == "last" ? history.Latest() : history.Find(name)) ?? throw new UserException($"no run '{name}' in {folder}");
            var glob = new Glob(parsed.GetRequiredValue(Stage));
            var stages = run.Stages.Where(stage => glob.Matches(stage.Stage.Split('@')[0], stage.Stage)).ToArray();
            if (stages.Length == 0) throw new UserException($"run {run.Id} has no stage '{glob}'; it has: {string.Join(", ", run.Stages.Select(stage => stage.Stage))}");
            var logged = stages.Where(stage => stage.LogPath is not null && File.Exists(stage.LogPath)).ToArray();
            if (logged.Length == 0)
                throw new UserException($"'{glob}' wrote no log in run {run.Id}: it was {stages[0].State}{(stages[0].State == "cached" ? "; 'ssti show' names the run that made it" : "")}");
            foreach (var stage in logged)
            {
                if (logged.Length > 1) host.Terminal.Out.WriteLine($"== {stage.Stage}");
                host.Terminal.Out.Write(File.ReadAllText(stage.LogPath!));
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
