using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>
/// Writes <c>runs/&lt;id&gt;/journal.jsonl</c>: a line when the run begins, one with its plan, one for each stage as it ends, one when the run ends. What was under way when
/// a process was killed has no line; a line cut short is skipped by readers.
/// </summary>
/// <remarks>
/// Runs are numbered (<c>000012-9f3a</c>) rather than dated, so that their order survives a clock that is set back; four random digits keep apart two
/// processes that take one number.
/// </remarks>
internal sealed class RunJournal : IDisposable
{
    /// <summary>The journal's name in the folder of its run.</summary>
    public const string FileName = "journal.jsonl";

    private const string Unrecorded = "unrecorded";

    private readonly string _id;
    private FileStream? _file;
    private readonly Workspace _workspace;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();

    private RunJournal(string id, string folder, FileStream? file, Workspace workspace, TimeProvider time) =>
        (_id, Folder, _file, _workspace, _time) = (id, folder, file, workspace, time);

    /// <summary>The run's; of one that is not written down, <c>unrecorded</c>.</summary>
    public string Id => Missing is null ? _id : Unrecorded;

    public string Folder { get; }

    /// <summary>Why nothing is written, or null: a run that has nothing to do on a store that cannot be written needs no journal.</summary>
    public string? Missing { get; private set; }

    /// <summary>A journal that writes nothing.</summary>
    public static RunJournal None(Workspace workspace, TimeProvider time, string why) =>
        new(Unrecorded, Path.Combine(workspace.Runs, Unrecorded), null, workspace, time) { Missing = why };

    public static RunJournal Open(Workspace workspace, TimeProvider time) => workspace.Guarded(() =>
    {
        Directory.CreateDirectory(workspace.Runs);
        while (true)
        {
            var id = NextId(workspace);
            var folder = Path.Combine(workspace.Runs, id);
            Directory.CreateDirectory(folder);
            try
            {
                var file = new FileStream(Path.Combine(folder, FileName), FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite, 16 * 1024);
                return new RunJournal(id, folder, file, workspace, time);
            }
            catch (IOException) when (File.Exists(Path.Combine(folder, FileName)))
            {
                // Another process took the number and drew the same digits.
            }
            catch (IOException)
            {
                // No space for a file, where there was some for a folder.
                Remove(folder);
                throw;
            }
        }
    });

    private static string NextId(Workspace workspace)
    {
        var last = Directory.EnumerateDirectories(workspace.Runs).Select(d => Path.GetFileName(d).Split('-')[0])
            .Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).DefaultIfEmpty().Max();
        return string.Create(CultureInfo.InvariantCulture, $"{last + 1:000000}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}");
    }

    /// <summary>The log file of an instance. Names of instances are file names by their rules.</summary>
    public string LogPath(string instance) => Path.Combine(Folder, instance + ".log");

    public void Begin(Pipeline pipeline, RunOptions options, IReadOnlyDictionary<string, string> versions) => Write(flush: true, json =>
    {
        json.WriteString("event", "run");
        json.WriteString("run", Id);
        json.WriteString("at", _time.GetUtcNow());
        json.WriteString("pipeline", pipeline.Name);
        json.WriteString("file", pipeline.File);
        json.WriteString("place", pipeline.Place);
        json.WriteNumber("seed", pipeline.Seed);
        if (pipeline.Profile is { } profile) json.WriteString("profile", profile.ToString());
        json.WriteStartObject("params");
        foreach (var (name, value) in pipeline.Parameters) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteString("command", options.CommandLine);
        json.WriteNumber("jobs", options.Jobs);
        if (options.Elsewhere) json.WriteBoolean("elsewhere", true);
        json.WriteStartObject("versions");
        foreach (var (name, value) in versions) json.WriteString(name, value);
        json.WriteEndObject();
    });

    /// <summary>What is to be done, by stage: who reads the journal of a run under way, or of one that was killed, knows by it what is still missing.</summary>
    public void Plan(Plan plan) => Write(flush: true, json =>
    {
        json.WriteString("event", "plan");
        json.WriteStartArray("stages");
        var needs = plan.Pipeline.Stages.ToDictionary(stage => stage.Name, stage => stage.Needs);
        foreach (var cells in plan.Stages.GroupBy(stage => stage.Instance.Stage))
        {
            json.WriteStartObject();
            json.WriteString("stage", cells.Key);
            json.WriteString("uses", cells.First().Instance.Kind.Name);
            json.WriteNumber("cells", cells.Count());
            json.WriteStartArray("needs");
            foreach (var need in needs[cells.Key]) json.WriteStringValue(need);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    public void Stage(StageResult result) => Write(flush: result.State != StageState.Cached, json =>
    {
        json.WriteString("event", "stage");
        json.WriteString("stage", result.Instance.Name);
        json.WriteString("uses", result.Instance.Kind.Name);
        json.WriteNumber("index", result.Instance.Index);
        if (result.Instance.Cell.Count > 0)
        {
            json.WriteStartObject("cell");
            foreach (var (dimension, value) in result.Instance.Cell) json.WriteString(dimension, value);
            json.WriteEndObject();
        }

        json.WriteString("state", result.State.ToString().ToLowerInvariant());
        if (result.Key is { } key) json.WriteString("key", key.ToString());
        if (result.Tree is { } tree) json.WriteString("tree", tree.ToString());
        if (result.StartedAt is { } started) json.WriteNumber("started", Math.Round(started, 4));
        if (result.EndedAt is { } ended) json.WriteNumber("ended", Math.Round(ended, 4));
        if (result.Durations is { } durations)
        {
            json.WriteStartObject("durations");
            json.WriteNumber("queue", Math.Round(durations.Queue, 4));
            json.WriteNumber("fetch", Math.Round(durations.Fetch, 4));
            json.WriteNumber("execute", Math.Round(durations.Execute, 4));
            json.WriteNumber("store", Math.Round(durations.Store, 4));
            json.WriteEndObject();
        }

        if (result.Attempts > 1) json.WriteNumber("attempts", result.Attempts);
        if (result.Error is { } error) json.WriteString("error", error);
        if (result.LogPath is { } log) json.WriteString("log", Path.GetFileName(log));
        if (result.Gpus.Count > 0)
        {
            json.WriteStartArray("gpus");
            foreach (var gpu in result.Gpus) json.WriteNumberValue(gpu);
            json.WriteEndArray();
            if (result.PerGpu > 1) json.WriteNumber("perGpu", result.PerGpu);
        }

        if (result.Together > 1) json.WriteNumber("together", result.Together);
        if (result.Warnings.Count > 0)
        {
            json.WriteStartArray("warnings");
            foreach (var warning in result.Warnings) json.WriteStringValue(warning);
            json.WriteEndArray();
        }

        if (result.Reasons.Count == 0) return;
        json.WriteStartArray("reasons");
        foreach (var reason in result.Reasons) WriteReason(json, reason);
        json.WriteEndArray();
    });

    public void Warning(string message) => Write(flush: true, json =>
    {
        json.WriteString("event", "warning");
        json.WriteString("message", message);
    });

    public void End(RunOutcome outcome, double seconds)
    {
        Write(flush: true, json =>
        {
            json.WriteString("event", "end");
            json.WriteString("at", _time.GetUtcNow());
            json.WriteString("outcome", outcome.ToString().ToLowerInvariant());
            json.WriteNumber("seconds", Math.Round(seconds, 3));
        });
        _file?.Flush(flushToDisk: true);
    }

    /// <summary>
    /// Leaves the run unrecorded after all, with nothing of it in the folder of runs: what cannot be written down is no record, and what was begun of it would
    /// pass for a run that was killed.
    /// </summary>
    /// <param name="why">What the disk said.</param>
    public void GiveUp(string why)
    {
        lock (_lock)
        {
            if (Missing is not null) return;
            Missing = why;
            Dispose();
            _file = null;
        }

        Remove(Folder);
    }

    public void Dispose()
    {
        try
        {
            _file?.Dispose();
        }
        catch (IOException)
        {
            // What the last flush could not write was reported then; disposing tries once more.
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays: readers pass over a run without a line.
        }
    }

    private static void WriteReason(Utf8JsonWriter json, Reason reason)
    {
        json.WriteStartObject();
        json.WriteString("kind", Parameters.RecordShape.Kebab(reason.Kind.ToString()));
        if (reason.Field is { } field) json.WriteString("field", field);
        if (reason.Old is { } old) json.WriteString("old", old);
        if (reason.New is { } now) json.WriteString("new", now);
        if (reason.Detail is { } detail) json.WriteString("detail", detail);
        json.WriteEndObject();
    }

    private void Write(bool flush, Action<Utf8JsonWriter> content)
    {
        if (_file is null) return;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            content(json);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        lock (_lock)
        {
            if (_file is not { } file) return;
            _workspace.Guarded(() =>
            {
                file.Write(buffer.GetBuffer(), 0, (int)buffer.Length);
                if (flush) file.Flush();
                return 0;
            });
        }
    }
}
