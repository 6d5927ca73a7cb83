using System.CommandLine;
using System.Globalization;
using Ssti.Cli.Display;
using Ssti.Engine.Running;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti run</c>: executes what is stale, shows it going on, and prints the tables and claims it made.</summary>
internal static class RunCommand
{
    private static readonly Option<bool> DryRun = new("--dry-run", "-n") { Description = "Show the plan; run nothing." };
    private static readonly Option<bool> KeepGoing = new("--keep-going", "-k") { Description = "After a failure go on with what does not need the failed stage." };

    private static readonly Option<bool> Strict = new("--strict")
    {
        Description = "Warnings are failures: a stage that warned, now or when it was made, has failed, and what needs it does not run. What is stored stays.",
    };

    private static readonly Option<int?> Jobs = WholeNumber.Option("--jobs", "-j", 1,
        "How many stages run at once; a stage with tensors on the CPU counts as its threads (default: the machine's cores; with --cluster, as many as it takes).");

    private static readonly Option<int?> Gpus = WholeNumber.Option(
        "--gpus", null, 1, "GPUs that stages share, each stage on one of its own unless --per-gpu says otherwise (default: 1).");

    private static readonly Option<int?> PerGpu = PerGpuOption.Create();

    private static readonly Option<int?> Together = WholeNumber.Option("--together", null, 1,
        "How many trainings, or evaluations, on one base may go through it together, on one place; no key and no byte depends on it (default: 1; not with --cluster).");

    private static readonly Option<long?> Memory = new("--memory")
    {
        Description = "Memory that stages with a 'memory' resource share, such as 8GB (default: no limit).",
        HelpName = "bytes",
        CustomParser = result => ParseBytes(result.Tokens[0].Value) is { } bytes ? bytes : Refuse(result, "is not a size such as 500M or 8GB"),
    };

    public static Command Create(CliHost host)
    {
        var command = new Command("run", "Run a pipeline: execute what is stale, keep what is cached, print its tables and claims.");
        PipelineOptions.AddTo(command);
        foreach (var option in new Option[]
        {
            DryRun, KeepGoing, Strict, Jobs, Gpus, PerGpu, Together, Memory, ClusterRun.Option, PipelineOptions.Question, PipelineOptions.Locked,
        })
            command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Together) is not null && result.GetResult(ClusterRun.Option) is not null)
                result.AddError("--together: a cluster's silos take their stages one by one; leave it out with --cluster.");
            if (result.GetResult(PerGpu) is not null && result.GetResult(ClusterRun.Option) is not null)
            {
                result.AddError(
                    "--per-gpu: how many stages share a GPU of a cluster is its silos' setting (Ssti__PerGpu, 'ssti serve --per-gpu'); "
                    + "leave it out with --cluster.");
            }
        });
        command.SetAction((parsed, cancellation) =>
            parsed.GetValue(DryRun) ? PlanCommand.ShowAsync(host, parsed, cancellation)
            : parsed.GetValue(PipelineOptions.Question) ? AskAsync(host, parsed, cancellation)
            : RunAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> AskAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        await using var cluster = await ClusterRun.OpenAsync(parsed, host, cancellation);
        using var session = PipelineSession.Open(parsed, host, cluster);
        var plan = await session.PlanAsync(parsed, cancellation);
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, PlanText.Json(plan));
        else if (!parsed.GetValue(CommonOptions.Quiet)) host.Terminal.Out.WriteLine(PlanText.Summary(plan));
        return plan.IsStale ? ExitCodes.Stale : ExitCodes.Done;
    }

    private static async Task<int> RunAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        await using var cluster = await ClusterRun.OpenAsync(parsed, host, cancellation);
        using var session = PipelineSession.Open(parsed, host, cluster);
        var (quiet, verbose) = (parsed.GetValue(CommonOptions.Quiet), parsed.GetValue(CommonOptions.Verbose));
        var options = new RunOptions
        {
            Selection = PipelineOptions.Selection(parsed),
            Jobs = parsed.GetValue(Jobs) ?? (cluster is null ? Environment.ProcessorCount : ClusterRun.Jobs),
            Gpus = parsed.GetValue(Gpus) ?? (cluster is null ? 1 : ClusterRun.Jobs),
            PerGpu = parsed.GetValue(PerGpu) ?? 1,
            Together = parsed.GetValue(Together) ?? 1,
            Memory = parsed.GetValue(Memory),
            KeepGoing = parsed.GetValue(KeepGoing),
            Strict = parsed.GetValue(Strict),
            CommandLine = Secrets.Without($"ssti {string.Join(' ', parsed.Tokens.Select(token => token.Value))}"),
        };

        var telemetry = host.Telemetry();
        // At the very end: what was found is shown before anything waits for a collector.
        using var export = telemetry as IDisposable;
        RunResult result;
        RunOutputs outputs;
        await using (var shown = new ShownRun(host, quiet, cancellation))
            (result, outputs) = await shown.RunAsync(session, options, new RunListener(shown.Display, verbose, host.Time, telemetry));

        var output = host.Terminal.Out;
        if (parsed.GetValue(CommonOptions.Json))
        {
            JsonOutput.Write(output, RunText.Json(result, outputs));
        }
        else
        {
            outputs.Write(host.Terminal, result.Plan.Pipeline.File, PipelineOptions.Again(parsed));
            if (!quiet) RunText.Write(host.Terminal, result, verbose);
        }

        RunText.WriteWarnings(host.Terminal.Error, result);
        RunText.WriteFailures(host.Terminal.Error, result, options.Strict);
        if (!quiet && SourceText.Note(result.Plan.Pipeline) is { } note) host.Terminal.Error.WriteLine(note);
        if (result.Outcome == RunOutcome.Cancelled)
            host.Terminal.Error.WriteLine("interrupted; finished stages are kept: the same command goes on from here");
        return result.Outcome switch
        {
            RunOutcome.Succeeded => ExitCodes.Done,
            RunOutcome.Cancelled => ExitCodes.Interrupted,
            _ => ExitCodes.Failed,
        };
    }

    // The sizes that 'resources: { memory: ... }' takes: 500M, 8G, 8GB, 8GiB; powers of 1024.
    private static long? ParseBytes(string text)
    {
        text = text.TrimEnd('B', 'b', 'i');
        var scale = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        var digits = scale > 0 ? text[..^1] : text;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> scale ? number << scale : null;
    }

    private static long? Refuse(System.CommandLine.Parsing.ArgumentResult result, string why)
    {
        result.AddError($"--memory: '{result.Tokens[0].Value}' {why}.");
        return null;
    }
}
