using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti push</c> and <c>ssti pull</c>: share results through a folder or a bucket.</summary>
internal static class TransferCommands
{
    private static readonly Argument<string> Other = new("store") { Description = "The other store: a folder, or s3://bucket/prefix." };
    private static readonly Argument<string?> Pipeline = new("pipeline.yaml") { Description = "Only what this pipeline uses now.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string[]> Runs =
        new("--run", "-r") { Description = "Only what this run used, with its journal and logs. May be repeated.", HelpName = "run" };

    public static Command CreatePush(CliHost host) => Create(host, push: true,
        "push", "Copy results to another store: everything, or what a pipeline, run or stage needs; only what is missing there.");

    public static Command CreatePull(CliHost host) => Create(host, push: false,
        "pull", "Copy results from another store: everything, or what a pipeline, run or stage needs; only what is missing here.");

    private static Command Create(CliHost host, bool push, string name, string description)
    {
        var command = new Command(name, description) { Other, Pipeline };
        foreach (var option in (Option[])[Runs, CommonOptions.OfPipeline, CommonOptions.Stages, .. PipelineOptions.Overrides, CommonOptions.Store]) command.Add(option);
        command.SetAction(async (parsed, cancellation) =>
        {
            var file = parsed.GetValue(Pipeline);
            if (file is null) PipelineOptions.MustHaveNone(parsed, $"name one: ssti {name} <store> <pipeline.yaml>");
            else file = PipelineFile.Find(file, host);
            if (parsed.GetRequiredValue(Other) is not { Length: > 0 } there) throw new UserException("an empty name is no store; name a folder or s3://bucket/prefix");
            if (PipelineFile.Is(there, host) && File.Exists(Path.GetFullPath(there, host.WorkingFolder)))
                throw new UserException($"'{there}' is a file and no store; the other store comes first: ssti {name} <store> {there}");
            using var mine = CommonOptions.Open(parsed, host, file);
            using var other = OpenStore.At(there, file, host);
            // A run on a bucket has its results there and its journal here: that alone may still travel.
            var journals = other.IsRemote && parsed.GetValue(Runs) is { Length: > 0 };
            if (mine.Artifacts.Location == other.Artifacts.Location && !journals) throw new UserException($"{mine.Artifacts.Location} is this store itself; name another one");
            var (from, to) = push ? (mine, other) : (other, mine);
            from.MustExist(host.WorkingFolder);
            using var reading = from.UseToRead();
            using var writing = to.IsRemote ? null : to.Use();
            // This machine's journals are in its workspace, whatever store its results are in.
            var shared = other.IsRemote ? new SharedRuns(other.Artifacts) : null;
            IRunJournals mineRuns = new FolderRuns(mine.Workspace), otherRuns = shared ?? (IRunJournals)new FolderRuns(other.Workspace);
            var (fromRuns, toRuns) = push ? (mineRuns, otherRuns) : (otherRuns, mineRuns);
            var wanted = await WantedAsync(host, parsed, mine, from, run => push || shared is null
                ? Task.FromResult(RunNames.In(from, parsed, host).Find(run)) : RunNames.In(mine, parsed, host).FindAsync(shared, run, cancellation), cancellation);

            TransferResult result;
            using (var meter = new Meter(host.Terminal, parsed.GetValue(CommonOptions.Quiet) || parsed.GetValue(CommonOptions.Json), name, host.Time))
            {
                var progress = new Reporter<TransferProgress>(p => meter.Show(p.Blobs, p.Bytes, p.TotalBlobs, p.TotalBytes));
                result = await StoreTransfer.CopyAsync(from.Artifacts, to.Artifacts, wanted.Keys, progress, cancellation);
            }

            // Last, so that a journal that is there has its results.
            var runs = 0;
            foreach (var run in wanted.Runs)
                if (await StoreTransfer.CopyRunAsync(fromRuns, toRuns, run, cancellation)) runs++;

            return Report(host, parsed, name, from, to, wanted, result, runs);
        });
        return command;
    }

    // What is to be copied: the keys, the runs, and the stages of a pipeline that are not to be had.
    private sealed record Wanted(IReadOnlyList<Digest> Keys)
    {
        public IReadOnlyList<PastRun> Runs { get; init; } = [];

        public IReadOnlyList<string> Stale { get; init; } = [];
    }

    private static async Task<Wanted> WantedAsync(
        CliHost host, ParseResult parsed, OpenStore mine, OpenStore from, Func<string, Task<PastRun>> find, CancellationToken cancellation)
    {
        var selection = StageSelection.Of(parsed);
        var names = parsed.GetValue(Runs) ?? [];
        if (parsed.GetValue(Pipeline) is { } file)
        {
            if (names.Length > 0) throw new UserException("name a pipeline or runs, not both");
            using var session = PipelineSession.Open(parsed, host, file, opened: mine);
            var plan = await session.PlanOnAsync(from.Artifacts, selection.Until, cancellation);
            return new([.. plan.Stages.Where(stage => stage.State == PlanState.Cached).Select(stage => stage.Key!.Value)])
            {
                Stale = [.. plan.Stages.Where(stage => stage.State != PlanState.Cached).Select(stage => stage.Instance.Name)],
            };
        }

        if (names.Length > 0)
        {
            var runs = new List<PastRun>();
            foreach (var run in names) runs.Add(await find(run));
            var stages = runs.SelectMany(selection.In).Where(stage => stage is { Key: not null, Tree: not null }).ToArray();
            if (!selection.IsAll && stages.Length == 0)
                throw new UserException($"--stage {selection} selects nothing with outputs in {string.Join(", ", runs.Select(run => run.Id))}");
            return new([.. stages.Select(stage => stage.Key!.Value).Distinct()]) { Runs = runs };
        }

        var keys = new List<Digest>();
        if (parsed.GetValue(CommonOptions.OfPipeline) is not null) throw new UserException("--pipeline says whose runs --run means; for what a pipeline uses now, name its file");
        if (selection.IsAll)
        {
            await foreach (var key in from.Artifacts.KeysAsync(cancellation)) keys.Add(key);
            return new(keys);
        }

        throw new UserException("--stage needs a pipeline or --run to say whose stages are meant");
    }

    private static int Report(CliHost host, ParseResult parsed, string name, OpenStore from, OpenStore to, Wanted wanted, TransferResult result, int runs)
    {
        var (output, error) = (host.Terminal.Out, host.Terminal.Error);
        if (parsed.GetValue(CommonOptions.Json))
        {
            JsonOutput.Write(output, new JsonObject
            {
                ["from"] = from.Artifacts.Location, ["to"] = to.Artifacts.Location,
                ["stages"] = result.Keys, ["records"] = result.Records, ["blobs"] = result.Blobs, ["bytes"] = result.Bytes, ["runs"] = runs,
                ["missing"] = new JsonArray([.. result.Missing.Select(key => JsonValue.Create(key.ToString()))]),
                ["stale"] = new JsonArray([.. wanted.Stale.Select(stage => JsonValue.Create(stage))]),
                ["differing"] = new JsonArray([.. result.Differing.Select(key => JsonValue.Create(key.ToString()))]),
                ["damaged"] = new JsonArray([.. result.Damaged.Select(damage => new JsonObject { ["stage"] = damage.Stage, ["problem"] = damage.Problem })]),
            });
        }
        else
        {
            output.WriteLine(result.Records + result.Blobs + runs == 0
                ? $"{name}: nothing to copy; {Amounts.Of(result.Keys - result.Damaged.Count, "stage")} in {to.Artifacts.Location} already"
                : $"{name}: {Amounts.Of(result.Records, "new stage")} of {result.Keys}, {Amounts.Of(result.Blobs, "blob")}, {Amounts.Bytes(result.Bytes)}"
                    + $"{(runs > 0 ? $", {Amounts.Of(runs, "journal")}" : "")} to {to.Artifacts.Location}");
        }

        if (wanted.Stale.Count > 0)
        {
            error.WriteLine($"warning: {Amounts.Of(wanted.Stale.Count, "stage")} of the pipeline not in {from.Artifacts.Location}, so not copied: "
                + $"{string.Join(", ", wanted.Stale.Take(5))}{(wanted.Stale.Count > 5 ? ", …" : "")}");
        }

        if (result.Missing.Count > 0)
        {
            error.WriteLine($"warning: {Amounts.Of(result.Missing.Count, "stage")} without usable outputs in {from.Artifacts.Location}, so not copied; "
                + "'ssti verify' says which");
        }

        foreach (var key in result.Differing)
        {
            error.WriteLine($"warning: the key {key.Short} had other outputs in {to.Artifacts.Location}: its stage is not deterministic; "
                + $"both are kept ('ssti show {key.Short}')");
        }

        foreach (var (stage, problem) in result.Damaged) error.WriteLine($"not copied: {stage}: {problem}");
        return result.Damaged.Count > 0 ? ExitCodes.VerificationFailed : ExitCodes.Done;
    }
}
