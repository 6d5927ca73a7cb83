using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Records;

/// <summary>A stage in a run that was.</summary>
/// <param name="Stage">The instance.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="State">How it ended: cached, done, failed, skipped, cancelled.</param>
/// <param name="Key">Its key, once known.</param>
/// <param name="Tree">Its outputs, when it has any.</param>
/// <param name="Started">Seconds after the run began, when it was executed.</param>
/// <param name="Ended">Seconds after the run began, when it was begun and is over, whether well or not.</param>
/// <param name="Durations">Where the time went, when it was executed to its end.</param>
/// <param name="Error">Why it failed or was skipped.</param>
/// <param name="LogPath">Its log file, when it was begun.</param>
/// <param name="Reasons">Why it ran, as the journal has it.</param>
public sealed record PastStage(
    string Stage, string Uses, string State, Digest? Key, Digest? Tree, double? Started, double? Ended, ActionDurations? Durations, string? Error, string? LogPath,
    JsonArray? Reasons)
{
    /// <summary>Its matrix values by dimension; empty without a matrix, and where an older program ran it.</summary>
    public IReadOnlyDictionary<string, string> Cell { get; init; } = System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Why its outputs are doubtful, in the stage's own words.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Its GPUs, by number.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>How many stages each of its GPUs was given to at once at most, this one included; 1: it had them to itself.</summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>
    /// How many stages it was worked at together with, itself included, so that its time is that of all of them; 1: it was alone.
    /// </summary>
    public int Together { get; init; } = 1;

    /// <summary>
    /// Seconds that its execution took; of a stage that was worked at together with others its share, the time of all of them divided by
    /// how many they were. Null where it was not executed to its end.
    /// </summary>
    public double? OwnSeconds => Durations?.Execute / Math.Max(1, Together);

    /// <summary>Its place in the pipeline, from 0; the same for all in journals of older versions.</summary>
    public int Index { get; init; }
}

/// <summary>What a run was going to do of a stage.</summary>
/// <param name="Stage">The stage, without cells.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cells">How many of its cells belong to the run.</param>
/// <param name="Needs">The stages whose outputs it takes.</param>
public sealed record PlannedCells(string Stage, string Uses, int Cells, IReadOnlyList<string> Needs);

/// <summary>A run that was, from its journal.</summary>
/// <param name="Id">Its name under <c>runs/</c>.</param>
/// <param name="Pipeline">The pipeline.</param>
/// <param name="File">The pipeline's file as named then.</param>
/// <param name="Command">The command line.</param>
/// <param name="At">When it began.</param>
/// <param name="Outcome">succeeded, failed or cancelled; null when the process was killed, or is still at it.</param>
/// <param name="Seconds">How long it took, once over.</param>
/// <param name="Parameters">The pipeline's parameters.</param>
/// <param name="Stages">Its stages, in the order they ended; the last entry of each.</param>
/// <param name="Warnings">What was odd.</param>
public sealed record PastRun(
    string Id, string Pipeline, string File, string Command, DateTimeOffset At, string? Outcome, double? Seconds, IReadOnlyDictionary<string, string> Parameters,
    IReadOnlyList<PastStage> Stages, IReadOnlyList<string> Warnings)
{
    /// <summary>What it was going to do, in the pipeline's order; empty in journals of older versions.</summary>
    public IReadOnlyList<PlannedCells> Plan { get; init; } = [];

    /// <summary>Versions of what ran it: the program, the runtime, the operating system.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    /// <summary>Which of the pipelines of its name it was of (<see cref="Pipelines.ProjectFolder.PlaceOf"/>); null in journals of older versions.</summary>
    public string? Place { get; init; }

    /// <summary>Whether it is a run of a pipeline; of one that is known by its name alone, where either does not say more.</summary>
    /// <param name="pipeline">The pipeline's name.</param>
    /// <param name="place">Its place, or null.</param>
    public bool IsOf(string pipeline, string? place) => Pipeline == pipeline && (place is null || Place is null || Place == place);

    /// <summary>The profile it was run with, as in <see cref="Pipelines.AppliedProfile.ToString"/>; null without one.</summary>
    public string? Profile { get; init; }

    /// <summary>Whether its stages were executed by a cluster: numbers of GPUs are then those of several machines.</summary>
    public bool IsElsewhere { get; init; }
}

/// <summary>Reads the journals of a workspace's runs.</summary>
public sealed class RunHistory(Workspace workspace)
{
    // No matrix is larger (SSTI3006): a journal that came from elsewhere may say anything.
    private const int MostCells = 200_000;

    /// <summary>The names of all runs, newest first.</summary>
    public IReadOnlyList<string> Ids => Directory.Exists(workspace.Runs)
        ? [.. Directory.EnumerateDirectories(workspace.Runs).Select(d => Path.GetFileName(d)!).Where(IsRun)
            .OrderByDescending(Number).ThenByDescending(id => id, StringComparer.Ordinal)]
        : [];

    // Whatever else lies there is somebody's, and none of ours to list or to collect. A run that was killed at once has no journal yet, but a run's name.
    private bool IsRun(string name) => (name.Split('-') is [{ Length: 6 } number, { Length: 4 } draw] && number.All(char.IsAsciiDigit) && draw.All(char.IsAsciiHexDigitLower))
        || File.Exists(Path.Combine(workspace.Runs, name, RunJournal.FileName));

    /// <summary>All runs that can be read, newest first; each is read when it is asked for.</summary>
    public IEnumerable<PastRun> Runs() => Ids.Select(Read).OfType<PastRun>();

    /// <summary>The runs of a pipeline, newest first. Where there is none of its place, those of others of its name: it may have been moved.</summary>
    /// <param name="pipeline">The pipeline's name.</param>
    /// <param name="place">Its place; null for those of all places.</param>
    public IEnumerable<PastRun> RunsOf(string pipeline, string? place)
    {
        var others = new List<PastRun>();
        var own = 0;
        foreach (var run in Runs().Where(run => run.Pipeline == pipeline))
        {
            if (!run.IsOf(pipeline, place))
            {
                others.Add(run);
                continue;
            }

            own++;
            yield return run;
        }

        if (own > 0) yield break;
        foreach (var run in others) yield return run;
    }

    /// <summary>The run whose name is this or begins with this; null when there is none, or more than one.</summary>
    public PastRun? Find(string idOrPrefix) => Named(idOrPrefix) is [var only] ? Read(only) : null;

    /// <summary>The names that are this, begin with this, or have this number.</summary>
    public IReadOnlyList<string> Named(string idOrPrefix) => Named(Ids, idOrPrefix);

    /// <summary>Of some names, those that are this, begin with this, or have this number.</summary>
    public static IReadOnlyList<string> Named(IReadOnlyList<string> ids, string idOrPrefix)
    {
        // "12" is 000012-9f3a: people do not type zeros.
        if (int.TryParse(idOrPrefix, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var numbered = ids.Where(id => Number(id) == number).ToList();
            if (numbered.Count > 0) return numbered;
        }

        return [.. ids.Where(id => idOrPrefix.Length > 0 && id.StartsWith(idOrPrefix, StringComparison.Ordinal))];
    }

    /// <summary>Reads a run; null when it has no journal, one that may not be read, or one without a beginning.</summary>
    public PastRun? Read(string id)
    {
        var folder = Path.Combine(workspace.Runs, id);
        try
        {
            using var file = new FileStream(Path.Combine(folder, RunJournal.FileName), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return Read(id, file, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Reads a run from its journal; null when that has no beginning.</summary>
    /// <param name="id">The run's name.</param>
    /// <param name="journal">The journal.</param>
    /// <param name="folder">Where the logs lie, where they can be read as files.</param>
    internal static PastRun? Read(string id, Stream journal, string? folder = null)
    {
        JsonObject? begin = null, end = null;
        IReadOnlyList<PlannedCells> plan = [];
        var stages = new OrderedDictionary<string, PastStage>();
        var warnings = new List<string>();
        using var reader = new StreamReader(journal);
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is not { } entry) continue;
            try
            {
                switch ((string?)entry["event"])
                {
                    case "run": begin = entry; break;
                    case "end": end = entry; break;
                    case "plan": plan = [.. (entry["stages"] as JsonArray ?? []).OfType<JsonObject>().Select(Planned)]; break;
                    case "warning": warnings.Add((string?)entry["message"] ?? ""); break;
                    case "stage" when (string?)entry["stage"] is { } name: stages[name] = Stage(folder, name, entry); break;
                }
            }
            catch (Exception e) when (e is InvalidOperationException or FormatException)
            {
                // Something else than a text or a number where one belongs: as good as cut short.
            }
        }

        return begin is null ? null : Run(id, begin, end, [.. stages.Values], warnings) is { } run ? run with { Plan = plan } : null;
    }

    private static PastRun? Run(string id, JsonObject begin, JsonObject? end, IReadOnlyList<PastStage> stages, IReadOnlyList<string> warnings)
    {
        try
        {
            if ((string?)begin["pipeline"] is not { Length: > 0 } pipeline) return null;
            return new PastRun(
                id, pipeline, (string?)begin["file"] ?? "", (string?)begin["command"] ?? "",
                DateTimeOffset.TryParse((string?)begin["at"], CultureInfo.InvariantCulture, out var at) ? at : default,
                (string?)end?["outcome"], (double?)end?["seconds"],
                Texts(begin["params"]), stages, warnings)
            {
                Versions = Texts(begin["versions"]), Profile = (string?)begin["profile"], Place = (string?)begin["place"],
                IsElsewhere = (bool?)begin["elsewhere"] == true,
            };
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static PastStage Stage(string? folder, string name, JsonObject entry)
    {
        var durations = entry["durations"] as JsonObject;
        return new PastStage(
            name, (string?)entry["uses"] ?? "", (string?)entry["state"] ?? "", DigestOf(entry["key"]), DigestOf(entry["tree"]), (double?)entry["started"],
            (double?)entry["ended"],
            durations is null ? null : new ActionDurations((double?)durations["queue"] ?? 0, (double?)durations["fetch"] ?? 0,
                (double?)durations["execute"] ?? 0, (double?)durations["store"] ?? 0),
            (string?)entry["error"],
            // Of an imported journal, too, a log is a file beside it and nothing else.
            folder is not null && (string?)entry["log"] is { Length: > 0 } log ? Path.Combine(folder, Path.GetFileName(log)) : null, entry["reasons"] as JsonArray)
        {
            Cell = new OrderedDictionary<string, string>((entry["cell"] as JsonObject ?? []).Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value ?? ""))),
            Warnings = [.. (entry["warnings"] as JsonArray ?? []).Select(warning => (string?)warning ?? "")],
            Gpus = [.. (entry["gpus"] as JsonArray ?? []).Select(gpu => (int?)gpu ?? 0)],
            PerGpu = Math.Max(1, (int?)entry["perGpu"] ?? 1), Together = Math.Max(1, (int?)entry["together"] ?? 1),
            Index = (int?)entry["index"] ?? 0,
        };
    }

    private static PlannedCells Planned(JsonObject entry) => new(
        (string?)entry["stage"] ?? "", (string?)entry["uses"] ?? "", Math.Clamp((int?)entry["cells"] ?? 0, 0, MostCells),
        [.. (entry["needs"] as JsonArray ?? []).Select(need => (string?)need ?? "")]);

    private static Dictionary<string, string> Texts(JsonNode? node) => (node as JsonObject ?? []).ToDictionary(pair => pair.Key, pair => (string?)pair.Value ?? "");

    private static Digest? DigestOf(JsonNode? node) => Digest.TryParse((string?)node, out var digest) ? digest : null;

    // A line that a crash cut short, or that a full disk spoilt, is passed over.
    private static JsonObject? Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static int Number(string id) => int.TryParse(id.Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
