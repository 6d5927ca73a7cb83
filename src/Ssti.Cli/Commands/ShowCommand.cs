using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Records;
using Ssti.Reporting.Claims;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti show</c>: a stage of a pipeline, a run, a key, a tree or a blob, with where it came from.</summary>
internal static class ShowCommand
{
    private const int ShortestPrefix = 6;

    private static readonly Argument<string> What = new("what")
    {
        Description = "A pipeline file (with a stage behind it), a run (12, 'last', 'last~1'), or the first digits of a key, tree or blob.",
    };

    private static readonly Argument<string?> Stage = new("stage") { Description = CommonOptions.StageHelp, Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(CliHost host)
    {
        var command = new Command("show", "Show a stage, run, key, tree or blob, with where it came from.") { What, Stage };
        foreach (var option in (Option[])[.. PipelineOptions.Overrides, CommonOptions.Stages, CommonOptions.OfPipeline,
            CommonOptions.Store]) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            var found = await FindAsync(host, parsed, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, found);
            else ShowText.Write(host.Terminal.Out, found);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task<JsonObject> FindAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var (what, stage) = (parsed.GetRequiredValue(What), parsed.GetValue(Stage));
        var selection = StageSelection.Of(parsed, stage);
        if (stage is not null || (!selection.IsAll && PipelineFile.Is(what, host))) return await StagesAsync(host, parsed, what, selection, cancellation);
        if (PipelineFile.Is(what, host) && PipelineFile.Find(what, host) is { } file)
            throw new UserException($"say which stage of {file}: ssti show {file} <stage>; 'ssti status {file}' lists them");

        PipelineOptions.MustHaveNone(parsed, $"'{what}' is none");
        using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
        var names = RunNames.In(store, parsed, host);
        if (names.TryFind(what, out var several) is { } run) return await RunAsync(store.Artifacts, run with { Stages = selection.In(run) }, cancellation);
        // "last~3" and "99" can be nothing else; "000001" may be both, and then several runs begin with it.
        if (several.Count > 0 || what.StartsWith("last", StringComparison.Ordinal)) names.Find(what);
        if (what.Length < ShortestPrefix || !what.All(char.IsAsciiHexDigitLower))
        {
            var near = Words.Meant(what, new RunHistory(store.Workspace).Ids.Append("last"));
            throw new UserException($"'{what}' is no pipeline file, no run in {store.Workspace.Root}{near}, and no digest (at least {ShortestPrefix} hexadecimal digits)");
        }

        if (!selection.IsAll) throw new UserException($"--stage belongs to a pipeline or a run; '{what}' is none");
        return await DigestAsync(store.Artifacts, what, cancellation);
    }

    private static async Task<JsonObject> RunAsync(IArtifactStore store, PastRun run, CancellationToken cancellation)
    {
        var json = ShowJson.Of(run);
        var claims = new JsonArray();
        foreach (var stage in run.Stages.Where(stage => stage is { Uses: "claim", Tree: not null }))
        {
            try
            {
                var found = await RunOutputs.OfAsync(store, [(stage.Stage, stage.Uses, stage.Tree)], cancellation);
                foreach (var (name, claim) in found.Claims)
                    claims.Add(new JsonObject { ["stage"] = name, ["verdict"] = ClaimText.Words(claim.Verdict), ["sentence"] = claim.Sentence });
            }
            catch (Exception error) when (error is StoreException or FormatException)
            {
                claims.Add(new JsonObject { ["stage"] = stage.Stage, ["verdict"] = null, ["sentence"] = $"cannot be read: {error.Message}" });
            }
        }

        json.Insert(json.IndexOf("stages"), "claims", claims);
        return json;
    }

    private static async Task<JsonObject> StagesAsync(CliHost host, ParseResult parsed, string pipeline, StageSelection selection, CancellationToken cancellation)
    {
        using var session = PipelineSession.Open(parsed, host, pipeline);
        var plan = await session.Runner.PlanAsync(session.Pipeline, selection.Until, cancellation);
        var shown = new JsonArray();
        foreach (var planned in plan.Stages.Where(planned => selection.Has(planned.Instance)))
        {
            var records = planned.Hit is null ? [] : (await session.Store.RecordsAsync([planned.Key!.Value], cancellation))[0];
            shown.Add(records.FirstOrDefault(record => record.Tree == planned.Hit!.Tree) is { } record
                ? ShowJson.Of(record, planned.Instance.Name)
                : new JsonObject
                {
                    ["stage"] = planned.Instance.Name, ["uses"] = planned.Instance.Kind.Name, ["state"] = "stale", ["key"] = planned.Key?.ToString(),
                    ["reasons"] = PlanText.Reasons(planned.Reasons),
                });
        }

        return new JsonObject { ["stages"] = shown };
    }

    private static async Task<JsonObject> DigestAsync(IArtifactStore store, string prefix, CancellationToken cancellation)
    {
        var keys = new List<Digest>();
        await foreach (var key in store.KeysAsync(cancellation)) keys.Add(key);
        var byKey = keys.Where(key => key.ToString().StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        if (byKey.Length > 0) return Records([.. (await store.RecordsAsync(byKey, cancellation)).SelectMany(records => records)]);

        // What made it is only to be found by looking at all records; that takes a second for ten thousand.
        var summaries = (await store.SummariesAsync(keys, cancellation)).SelectMany(list => list).Where(summary => summary.Damage is null).ToArray();
        var makers = summaries.Where(summary => Is(summary.Tree)).ToArray();
        if (makers.Length > 0) return Records(await FullAsync(makers));
        var owners = summaries.Where(summary => summary.Files.Any(entry => Is(entry.Digest))).ToArray();
        if (owners.Length > 0)
        {
            var entry = owners[0].Files.First(candidate => Is(candidate.Digest));
            return new JsonObject
            {
                ["blob"] = entry.Digest.ToString(), ["path"] = PathOf(entry.Digest), ["size"] = entry.Size,
                ["in"] = new JsonArray([.. (await FullAsync(owners)).Select(record => new JsonObject
                {
                    ["stage"] = record.Stage, ["pipeline"] = record.Pipeline, ["key"] = record.Key.ToString(),
                    ["file"] = record.Files.First(candidate => Is(candidate.Digest)).Path,
                })]),
            };
        }

        await foreach (var blob in store.BlobsAsync(cancellation))
        {
            if (Is(blob.Digest))
                return new JsonObject { ["blob"] = blob.Digest.ToString(), ["path"] = PathOf(blob.Digest), ["size"] = blob.Size, ["in"] = new JsonArray() };
        }

        throw new UserException($"no key, tree or blob in {store.Location} begins with {prefix}");

        string PathOf(Digest digest) => store is FileStore files ? files.PathOf(digest) : $"{store.Location}/cas/{digest.ToString()[..2]}/{digest}";
        bool Is(Digest digest) => digest.ToString().StartsWith(prefix, StringComparison.Ordinal);
        JsonObject Records(IReadOnlyList<ActionRecord> records) => new() { ["stages"] = new JsonArray([.. records.Select(record => ShowJson.Of(record, record.Stage))]) };
        async Task<IReadOnlyList<ActionRecord>> FullAsync(IReadOnlyList<RecordSummary> some)
        {
            var full = await store.RecordsAsync([.. some.Select(summary => summary.Key).Distinct()], cancellation);
            return [.. full.SelectMany(records => records).Where(record => some.Any(summary => summary.Tree == record.Tree && summary.Key == record.Key))];
        }
    }
}
