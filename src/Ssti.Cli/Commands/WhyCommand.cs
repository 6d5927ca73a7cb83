using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Planning;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti why</c>: the reasons why stages would run, each on a line.</summary>
internal static class WhyCommand
{
    private static readonly Argument<string?> Stage =
        new("stage") { Description = $"{CommonOptions.StageHelp} Without one, all that would run.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(CliHost host)
    {
        var command = new Command("why", "Say why a stage would run, field by field, or that it is cached.");
        command.Add(PipelineOptions.Pipeline);
        command.Add(Stage);
        foreach (var option in (Option[])[.. PipelineOptions.Overrides, CommonOptions.Stages, CommonOptions.Store])
            command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var session = PipelineSession.Open(parsed, host);
            var selection = StageSelection.Of(parsed, parsed.GetValue(Stage));
            var plan = await session.Runner.PlanAsync(session.Pipeline, selection.Until, cancellation);
            var stages = plan.Stages.Where(stage => selection.IsAll ? stage.State != PlanState.Cached : selection.Has(stage.Instance)).ToArray();
            if (parsed.GetValue(CommonOptions.Json))
            {
                JsonOutput.Write(host.Terminal.Out, new JsonObject
                {
                    ["stages"] = new JsonArray([.. stages.Select(stage => new JsonObject
                    {
                        ["stage"] = stage.Instance.Name,
                        ["state"] = stage.State.ToString().ToLowerInvariant(),
                        ["reasons"] = PlanText.Reasons(stage.Reasons),
                        ["compared-with"] = stage.Elsewhere is { } other ? new JsonObject { ["run"] = other.Run, ["place"] = other.Place } : null,
                    })]),
                });
                return ExitCodes.Done;
            }

            if (stages.Length == 0) host.Terminal.Out.WriteLine(PlanText.Summary(plan));
            foreach (var stage in stages)
            {
                host.Terminal.Out.WriteLine(stage.State == PlanState.Cached
                    ? $"{stage.Instance.Name}: cached (key {stage.Key!.Value.Short})"
                    : $"{stage.Instance.Name}: would run");
                foreach (var reason in stage.Reasons) host.Terminal.Out.WriteLine($"  {reason}");
                if (stage.Elsewhere is { } other)
                    host.Terminal.Out.WriteLine($"  (never run from this file: compared with run {other.Run} of {other.Place}, another pipeline of this name)");
            }

            return ExitCodes.Done;
        });
        return command;
    }
}
