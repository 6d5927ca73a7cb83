using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti gc</c>: removes what no kept run and no named pipeline uses. Without <c>--yes</c> it only says what that is.</summary>
internal static class GcCommand
{
    private static readonly Argument<string[]> Pipelines =
        new("pipelines") { Description = "Pipelines in use: what they use now is kept, whichever run made it.", Arity = ArgumentArity.ZeroOrMore };

    private static readonly Option<int?> KeepLast = WholeNumber.Option("--keep-last", null, 0, "Keep so many of the newest runs of each pipeline (default: 10).");

    private static readonly Option<string?> KeepSince =
        new("--keep-since") { Description = "Keep runs begun since then, and with --unused "
            + "results stored since then: an age (12h, 30d, 8w) or a date (2026-01-31).", HelpName = "age" };

    private static readonly Option<string?> KeepYoung = new("--keep-young")
    {
        Description = "Keep whatever was stored since then: somebody may be at work with it (default: 1d in a bucket, nothing in a folder, which is locked).",
        HelpName = "age",
    };

    private static readonly Option<string[]> KeepRuns = new("--keep-run") { Description = "Keep this run. May be repeated.", HelpName = "run" };

    private static readonly Option<string[]> DropRuns = new("--drop-run") { Description = "Remove this run, whatever else keeps it. May be repeated.", HelpName = "run" };

    private static readonly Option<bool> Unused = new("--unused") { Description = "Also remove what no run here ever used: what was pulled, or pushed here by others." };

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Remove it. Without this, gc only says what it would remove." };

    private static readonly Option<bool> DryRun = new("--dry-run", "-n") { Description = "Only say what would be removed: the default, for the habit's sake." };

    public static Command Create(CliHost host)
    {
        var command = new Command("gc", "Say what no kept run and no named pipeline uses, and with --yes remove it.") { Pipelines };
        foreach (var option in (Option[])[KeepLast, KeepSince, KeepYoung, KeepRuns, DropRuns, Unused, Yes, DryRun, .. PipelineOptions.Overrides,
            CommonOptions.Store]) command.Add(option);
        command.SetAction((parsed, cancellation) => CollectAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> CollectAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var remove = parsed.GetValue(Yes);
        if (remove && parsed.GetValue(DryRun)) throw new UserException("--yes removes and --dry-run does not; leave one out");
        var files = parsed.GetValue(Pipelines) ?? [];
        if (files.Length == 0) PipelineOptions.MustHaveNone(parsed, "name those in use: ssti gc <pipeline.yaml>");
        using var store = CommonOptions.Open(parsed, host, One(parsed, host, files)).MustExist(host.WorkingFolder);
        var options = new CollectionOptions
        {
            KeepLast = parsed.GetValue(KeepLast) ?? new CollectionOptions().KeepLast,
            KeepSince = Since(parsed.GetValue(KeepSince), KeepSince.Name, host),
            KeepYoung = Since(parsed.GetValue(KeepYoung) ?? (store.IsRemote ? "1d" : null), KeepYoung.Name, host),
            IsShared = store.IsRemote,
            KeepRuns = [.. (parsed.GetValue(KeepRuns) ?? []).Select(run => RunNames.In(store, parsed, host).Find(run).Id)],
            DropRuns = [.. (parsed.GetValue(DropRuns) ?? []).Select(run => Dropped(RunNames.In(store, parsed, host), store, run))],
            Unused = parsed.GetValue(Unused),
            KeepKeys = await KeysAsync(host, parsed, store, files, cancellation),
        };
        if (options.KeepRuns.Intersect(options.DropRuns).FirstOrDefault() is { } both)
            throw new UserException($"run {both} is to be kept and to be dropped; decide");
        var collector = new Collector(store.Artifacts, store.Workspace);
        var plan = remove ? await collector.CollectAsync(options, cancellation) : await collector.PlanAsync(options, cancellation);
        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, Json(plan, remove));
        else Write(host.Terminal.Out, plan, remove, parsed.GetValue(CommonOptions.Verbose), options.Unused);
        return ExitCodes.Done;
    }

    // A run that cannot be read may be dropped all the same, by its whole name.
    private static string Dropped(RunNames names, OpenStore store, string run) => new RunHistory(store.Workspace).Ids.Contains(run) ? run : names.Find(run).Id;

    // The store is that of the pipelines' project: of two projects it can be only one, and the other's results would be taken for unused.
    private static string? One(ParseResult parsed, CliHost host, string[] files)
    {
        if (CommonOptions.Named(parsed, host) is not null) return null;
        var places = files.Select(file => PipelineFile.Find(file, host)).DistinctBy(file => StorePlace.Of(file, host.WorkingFolder).Folder).ToList();
        return places.Count <= 1 ? places.FirstOrDefault()
            : throw new UserException($"{places[0]} and {places[1]} are of two projects, with a store each; collect them one by one, or name one store with --store");
    }

    private static async Task<IReadOnlyCollection<Digest>> KeysAsync(
        CliHost host, ParseResult parsed, OpenStore store, IEnumerable<string> files, CancellationToken cancellation)
    {
        var keys = new HashSet<Digest>();
        foreach (var file in files)
        {
            using var session = PipelineSession.Open(parsed, host, file, opened: store);
            await AddAsync(session);
            // Unless one is named, what any profile uses is in use.
            foreach (var profile in parsed.GetValue(PipelineOptions.Profile) is null ? session.Pipeline.Profiles.Keys : [])
            {
                using var other = PipelineSession.Open(parsed, host, file, opened: store, profile: profile);
                try
                {
                    await AddAsync(other);
                }
                catch (StageException error)
                {
                    CommonOptions.Note(parsed, host, $"of {file}{Words.Profile(profile)} only what kept runs used is kept: it cannot be planned here ({error.Message})");
                }
            }
        }

        return keys;

        async Task AddAsync(PipelineSession session)
        {
            var plan = await session.Runner.PlanAsync(session.Pipeline, RunSelection.All, cancellation);
            keys.UnionWith(plan.Stages.Where(stage => stage.Key is not null).Select(stage => stage.Key!.Value));
        }
    }

    private static DateTimeOffset? Since(string? text, string option, CliHost host)
    {
        if (text is null) return null;
        TimeSpan? unit = text.ToLowerInvariant() switch
        {
            [.., 'h'] => TimeSpan.FromHours(1),
            [.., 'd'] => TimeSpan.FromDays(1),
            [.., 'w'] => TimeSpan.FromDays(7),
            _ => null,
        };
        if (unit is { } one && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 5000)
            return host.Time.GetUtcNow() - (count * one);
        if (DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)) return date;
        throw new UserException($"{option}: '{text}' is no age such as 12h, 30d or 8w, and no date such as 2026-01-31");
    }

    private static void Write(TextWriter output, CollectionPlan plan, bool removed, bool verbose, bool unused)
    {
        output.WriteLine($"{(removed ? "removed" : "would remove")}: {Amounts.Of(plan.Runs.Count, "run")}, {Amounts.Of(plan.Records.Count, "record")}, "
            + $"{Amounts.Of(plan.Blobs.Count, "blob")} ({Amounts.Bytes(plan.Bytes)}), {Amounts.Of(plan.Leftovers.Count + plan.Uploads, "leftover")} of dead attempts");
        if (verbose)
        {
            foreach (var run in plan.Runs) output.WriteLine($"  run {run}");
            foreach (var (key, tree) in plan.Records) output.WriteLine($"  record {key.Short} (tree {tree.Short})");
            foreach (var path in plan.Leftovers) output.WriteLine($"  leftover {path}");
        }

        output.WriteLine($"{(removed ? "kept" : "would keep")}: {Amounts.Of(plan.KeptRuns.Count, "run")}"
            + (plan.UnusedKeys > 0 ? $", and {Amounts.Of(plan.UnusedKeys, "stage")} that no run here ever used ({(unused ? "stored of late" : "--unused removes them")})" : ""));
        var something = plan.Runs.Count + plan.Records.Count + plan.Blobs.Count + plan.Leftovers.Count + plan.Uploads > 0;
        if (something && !removed) output.WriteLine("nothing was removed; the same command with --yes does it");
    }

    private static JsonObject Json(CollectionPlan plan, bool removed) => new()
    {
        ["removed"] = removed,
        ["kept-runs"] = new JsonArray([.. plan.KeptRuns.Select(run => JsonValue.Create(run))]),
        ["kept-unused"] = plan.UnusedKeys,
        ["runs"] = new JsonArray([.. plan.Runs.Select(run => JsonValue.Create(run))]),
        ["records"] = new JsonArray([.. plan.Records.Select(record => new JsonObject { ["key"] = record.Key.ToString(), ["tree"] = record.Tree.ToString() })]),
        ["blobs"] = plan.Blobs.Count,
        ["bytes"] = plan.Bytes,
        ["uploads"] = plan.Uploads,
        ["leftovers"] = new JsonArray([.. plan.Leftovers.Select(path => JsonValue.Create(path))]),
    };
}
