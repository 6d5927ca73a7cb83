using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti log</c>: what a stage wrote while it ran.</summary>
internal static class LogCommand
{
    private static readonly Argument<string?> Stage = new("stage") { Description = CommonOptions.StageHelp, Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string> Run = new("--run", "-r") { Description = CommonOptions.RunHelp, HelpName = "run", DefaultValueFactory = _ => "last" };

    public static Command Create(CliHost host)
    {
        var command = new Command("log", "Print what a stage of a run wrote; of a cached stage, what it wrote when it was made.")
        {
            Stage, Run, CommonOptions.OfPipeline, CommonOptions.Stages, CommonOptions.Store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var selection = StageSelection.Of(parsed, parsed.GetValue(Stage));
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            var run = RunNames.In(store, parsed, host).Find(parsed.GetRequiredValue(Run));
            if (selection.IsAll)
                throw new UserException($"say which stage: 'ssti log <stage>', or '*' for all; 'ssti show {run.Id}' lists them");
            var (stages, json) = (selection.In(run), parsed.GetValue(CommonOptions.Json));
            var written = new JsonArray();
            foreach (var stage in stages)
            {
                var (text, from) = await TextAsync(store.Artifacts, stage, cancellation);
                if (text is null) continue;
                written.Add(new JsonObject { ["stage"] = stage.Stage, ["run"] = from ?? run.Id, ["text"] = text });
                if (json) continue;
                if (stages.Count > 1) host.Terminal.Out.WriteLine($"== {stage.Stage}");
                if (from is not null) CommonOptions.Note(parsed, host, $"{stage.Stage} was cached in run {run.Id}: this is from run {from}, which made it");
                host.Terminal.Out.Write(text);
            }

            if (json) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["run"] = run.Id, ["logs"] = written });
            if (written.Count > 0) return ExitCodes.Done;
            throw new UserException($"'{selection}' wrote no log in run {run.Id}: it was {stages[0].State}{(stages[0].Error is { } error ? $" ({error})" : "")}",
                ExitCodes.Failed);
        });
        return command;
    }

    /// <summary>The log, and the run it is from when that is another; null when there is none.</summary>
    private static async Task<(string? Text, string? From)> TextAsync(IArtifactStore store, PastStage stage, CancellationToken cancellation)
    {
        if (stage.LogPath is { } path && File.Exists(path))
        {
            // While the stage still writes, too.
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            return (await reader.ReadToEndAsync(cancellation), null);
        }

        if (stage is not { Key: { } key, Tree: { } tree }) return default;
        var record = (await store.RecordsAsync([key], cancellation))[0].FirstOrDefault(record => record.Tree == tree);
        if (record?.Log is not { } log || (await store.SizesAsync([log], cancellation))[0] < 0) return default;
        using var stored = new StreamReader(await store.OpenReadAsync(log, cancellation));
        return (await stored.ReadToEndAsync(cancellation), record.Run);
    }
}
