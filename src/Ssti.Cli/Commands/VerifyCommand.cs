using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Planning;
using Ssti.Signing;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti verify</c>: reads the whole store and checks every byte against its name; executes cached stages again.</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string?> Pipeline =
        new("pipeline.yaml") { Description = "The pipeline whose stages --rerun executes.", Arity = ArgumentArity.ZeroOrOne };

    private static readonly Option<bool> Repair =
        new("--repair") { Description = "Take what is damaged out of use: blobs go into quarantine, unreadable records are removed; the next run rebuilds them." };

    private static readonly Option<bool> Signatures = new("--signatures") { Description = "Check the signatures of records as well, and say whose they are ('ssti keys')." };

    private static readonly Option<int?> Rerun =
        WholeNumber.Option("--rerun", null, 1, "Execute so many cached stages again and compare: the proof that a key means the same bytes.");

    private static readonly Option<int?> Seed = WholeNumber.Option("--seed", null, 0, "Draws the stages that --rerun executes (default: anew each time, and told).");

    public static Command Create(CliHost host)
    {
        var command = new Command("verify", "Hash everything in the store again and check every record; exit with 4 when anything is not what it says.") { Pipeline };
        foreach (var option in (Option[])[Repair, Signatures, Rerun, Seed, CommonOptions.Stages, .. PipelineOptions.Overrides, CommonOptions.Store]) command.Add(option);
        command.SetAction((parsed, cancellation) => VerifyAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> VerifyAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var (quiet, json, repair) = (parsed.GetValue(CommonOptions.Quiet), parsed.GetValue(CommonOptions.Json), parsed.GetValue(Repair));
        var file = parsed.GetValue(Pipeline);
        if (file is null) PipelineOptions.MustHaveNone(parsed, "name one: ssti verify <pipeline.yaml> --rerun 3");
        if (parsed.GetValue(Rerun) is null && (parsed.GetValue(Seed) is not null || !StageSelection.Of(parsed).IsAll))
            throw new UserException("--stage and --seed belong to --rerun, which executes stages again; without it the whole store is hashed");
        if (parsed.GetValue(Rerun) is not null && file is null) throw new UserException("--rerun needs a pipeline: ssti verify <pipeline.yaml> --rerun 3");
        if (file is not null) file = PipelineFile.Find(file, host);
        using var store = CommonOptions.Open(parsed, host, file).MustExist(host.WorkingFolder);
        // Before anything is hashed: a pipeline or a stage that is not there is told at once.
        using var session = file is null ? null : PipelineSession.Open(parsed, host, file, opened: store);
        using var use = repair || parsed.GetValue(Rerun) is not null ? store.Use() : store.UseToRead();
        if (session is not null) await session.Runner.PlanAsync(session.Pipeline, StageSelection.Of(parsed).Until, cancellation);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        VerificationReport report;
        using (var meter = new Meter(host.Terminal, quiet || json, "verify", host.Time))
        {
            long blobs = 0, bytes = 0;
            if (host.Terminal.IsInteractive && !quiet && !json)
                await foreach (var blob in store.Artifacts.BlobsAsync(cancellation)) (blobs, bytes) = (blobs + 1, bytes + blob.Size);
            report = await new StoreVerifier(store.Artifacts).VerifyAsync(repair,
                new Reporter<(long Blobs, long Bytes)>(p => meter.Show(p.Blobs, p.Bytes, blobs, bytes)), cancellation);
        }

        var result = Json(report);
        if (!json) Write(host.Terminal, report, repair, clock.Elapsed.TotalSeconds, quiet);
        var code = report.IsSound ? ExitCodes.Done : ExitCodes.VerificationFailed;
        if (parsed.GetValue(Signatures))
        {
            var signatures = await SignatureReport.OfAsync(store.Artifacts, KeyRing.Of(host.Environment).Keys(), cancellation);
            result["signatures"] = SignatureText.Json(signatures);
            if (!json) SignatureText.Write(host.Terminal.Out, signatures, quiet);
            if (signatures.Bad.Count > 0) code = ExitCodes.VerificationFailed;
        }

        if (parsed.GetValue(Rerun) is { } count)
        {
            var reruns = await RerunAsync(session!, parsed, count, json ? null : host.Terminal, cancellation);
            result["reruns"] = new JsonArray([.. reruns.Select(Json)]);
            if (reruns.Any(rerun => !rerun.Same && rerun.Error is null)) code = ExitCodes.VerificationFailed;
            else if (code == ExitCodes.Done && reruns.Any(rerun => rerun.Error is not null)) code = ExitCodes.Failed;
        }

        if (json) JsonOutput.Write(host.Terminal.Out, result);
        return code;
    }

    private static async Task<IReadOnlyList<RerunResult>> RerunAsync(PipelineSession session, ParseResult parsed, int count, Terminal? terminal, CancellationToken cancellation)
    {
        var selection = StageSelection.Of(parsed);
        var plan = await session.Runner.PlanAsync(session.Pipeline, selection.Until, cancellation);
        bool Selected(PlannedStage stage) => stage.State == PlanState.Cached && selection.Has(stage.Instance);
        var cached = plan.Stages.Count(Selected);
        if (cached == 0) throw new UserException($"nothing of {session.Pipeline.Name} is cached that could be executed again; run it first", ExitCodes.Stale);
        var seed = parsed.GetValue(Seed) ?? Random.Shared.Next(1_000_000);
        if (!parsed.GetValue(CommonOptions.Quiet)) terminal?.Error.WriteLine($"executing {Math.Min(count, cached)} of {Amounts.Of(cached, "cached stage")} again (--seed {seed})");
        return await new StageRerunner(session.Store, session.Workspace, session.Keys)
            .RerunAsync(plan, count, seed, Selected, result => terminal?.Out.WriteLine(Line(result)), cancellation);
    }

    private static string Line(RerunResult result) => result switch
    {
        { Same: true } => $"{result.Instance.Name}: the same bytes",
        { Error: { } error } => $"{result.Instance.Name}: could not be executed again: {error}",
        { Recorded: null } => $"{result.Instance.Name}: NOT DETERMINISTIC: '{result.FirstDifference}' is new",
        { Now: null } => $"{result.Instance.Name}: NOT DETERMINISTIC: '{result.FirstDifference}' is missing",
        _ => $"{result.Instance.Name}: NOT DETERMINISTIC: the first file that differs is '{result.FirstDifference}' "
            + $"(recorded {result.Recorded.Value.Short}, now {result.Now.Value.Short})",
    };

    private static void Write(Terminal terminal, VerificationReport report, bool repair, double seconds, bool quiet)
    {
        foreach (var blob in report.DamagedBlobs)
        {
            terminal.Out.WriteLine($"damaged: blob {blob.Blob} {(blob.Actual is { } actual ? $"holds content with the digest {actual.Short}" : "cannot be read")}"
                + (blob.Quarantined is { } path ? $"; put aside as {path}" : repair ? "; deleted" : ""));
        }

        foreach (var record in report.DamagedRecords)
            terminal.Out.WriteLine($"unusable: record of {record.Stage ?? "a stage"} (key {record.Key.Short}): {record.Problem}{(record.Removed ? "; removed" : "")}");
        foreach (var key in report.Differing)
            terminal.Out.WriteLine($"not deterministic: the key {key.Short} has records with different outputs ('ssti show {key.Short}')");
        var what = $"{Amounts.Of(report.Blobs, "blob")}, {Amounts.Bytes(report.Bytes)}, {Amounts.Of(report.Records, "record")} in {Durations.Show(seconds)}";
        if (report.IsSound)
        {
            if (!quiet) terminal.Out.WriteLine($"verified {what}: all sound");
            return;
        }

        terminal.Out.WriteLine($"verified {what}: {Amounts.Of(report.DamagedBlobs.Count, "damaged blob")}, {Amounts.Of(report.DamagedRecords.Count, "unusable record")}");
        terminal.Error.WriteLine(repair
            ? "what was damaged is out of use: run the pipelines that use it to rebuild it"
            : "'ssti verify --repair' takes what is damaged out of use, so that the next run rebuilds it");
    }

    private static JsonObject Json(VerificationReport report) => new()
    {
        ["sound"] = report.IsSound,
        ["blobs"] = report.Blobs,
        ["bytes"] = report.Bytes,
        ["records"] = report.Records,
        ["damaged-blobs"] = new JsonArray([.. report.DamagedBlobs.Select(blob => new JsonObject
        {
            ["blob"] = blob.Blob.ToString(), ["actual"] = blob.Actual?.ToString(), ["quarantined"] = blob.Quarantined,
        })]),
        ["unusable-records"] = new JsonArray([.. report.DamagedRecords.Select(record => new JsonObject
        {
            ["key"] = record.Key.ToString(), ["stage"] = record.Stage, ["problem"] = record.Problem, ["removed"] = record.Removed,
        })]),
        ["differing"] = new JsonArray([.. report.Differing.Select(key => JsonValue.Create(key.ToString()))]),
    };

    private static JsonObject Json(RerunResult result) => new()
    {
        ["stage"] = result.Instance.Name, ["key"] = result.Key.ToString(), ["same"] = result.Same, ["first-difference"] = result.FirstDifference,
        ["recorded"] = result.Recorded?.ToString(), ["now"] = result.Now?.ToString(), ["error"] = result.Error,
    };
}
