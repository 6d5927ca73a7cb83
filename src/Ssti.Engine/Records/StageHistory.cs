using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Records;

/// <summary>What an instance of a pipeline last came to.</summary>
/// <param name="Key">Its last key.</param>
/// <param name="Tree">The outputs under it.</param>
/// <param name="Run">The run.</param>
/// <param name="Place">Which of the pipelines of its name it was of (<see cref="Pipeline.Place"/>); null in what older versions wrote.</param>
public sealed record HistoryEntry(Digest Key, Digest Tree, string Run, string? Place = null);

/// <summary>
/// The last key of every stage of a pipeline, and how long its executions took: what "why" compares with and estimates come from.
/// </summary>
/// <remarks>
/// One file a pipeline, <c>history/&lt;pipeline&gt;.jsonl</c>, and one for each of its profiles, <c>&lt;pipeline&gt;@&lt;profile&gt;.jsonl</c>, appended
/// to by whole lines under a lock, so that several processes may write at once and a crash costs at most the last line. It is an index, not the truth:
/// without it everything still runs, but reasons are "no record". Several files may have pipelines of one name: each line says of which it is.
/// </remarks>
public sealed class StageHistory
{
    private const int DurationsKept = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private readonly string _path, _lockPath;
    private readonly string? _place;
    private readonly Dictionary<(string Instance, string? Place), HistoryEntry> _entries = [];
    private readonly Dictionary<(string Instance, string? Place), List<double>> _durations = [];
    private readonly Dictionary<string, HistoryEntry> _newest = [];
    private readonly Lock _lock = new();
    private bool _read;
    private int _lines;

    private StageHistory(Workspace workspace, string name, string? place)
    {
        _path = Path.Combine(workspace.History, name + ".jsonl");
        _lockPath = Path.Combine(workspace.Root, "locks", "history-" + name);
        _place = place;
    }

    /// <summary>
    /// A pipeline's history; empty when there is none. It is read when first asked something: a plan of cached stages asks nothing. Lines that cannot be
    /// read are skipped.
    /// </summary>
    /// <param name="workspace">Where it is.</param>
    /// <param name="pipeline">
    /// The pipeline. Its profile has a history of its own: what a stage took at a small size says nothing of a large one, and that the two differ is no news.
    /// </param>
    public static StageHistory Of(Workspace workspace, Pipeline pipeline) => Of(workspace, pipeline.Name, pipeline.Place, pipeline.Profile?.Name);

    /// <summary>The same by name, place and profile; without a place it is of none of those that have one.</summary>
    public static StageHistory Of(Workspace workspace, string pipeline, string? place = null, string? profile = null) =>
        new(workspace, profile is null ? pipeline : $"{pipeline}@{profile}", place);

    /// <summary>What an instance last came to; where it never ran in this pipeline, in another of the name; null when in none.</summary>
    public HistoryEntry? Last(string instance)
    {
        ReadOnce();
        return _entries.GetValueOrDefault((instance, _place)) ?? _entries.GetValueOrDefault((instance, null)) ?? _newest.GetValueOrDefault(instance);
    }

    /// <summary>Whether an entry is of another pipeline of the same name.</summary>
    public bool IsElsewhere(HistoryEntry entry) => entry.Place is not null && entry.Place != _place;

    /// <summary>How long an instance took when it ran, or null: what it takes in another pipeline says nothing.</summary>
    public Estimate? EstimateOf(string instance)
    {
        ReadOnce();
        // What was written before lines had a place may be its own.
        string?[] places = _place is null ? [null] : [null, _place];
        var sorted = places.SelectMany(place => _durations.GetValueOrDefault((instance, place)) ?? []).TakeLast(DurationsKept).Order().ToList();
        if (sorted.Count == 0) return null;
        var middle = sorted.Count / 2;
        return new Estimate(sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted.Count);
    }

    /// <summary>Notes what an instance came to. Nothing is written when that is known and it was not executed.</summary>
    /// <param name="instance">The instance.</param>
    /// <param name="entry">Its key, outputs and run; its place is the pipeline's.</param>
    /// <param name="executedSeconds">How long it took (of stages that were worked at together its share, so that a sum over them is
    /// right), or null when it was cached.</param>
    public void Note(string instance, HistoryEntry entry, double? executedSeconds)
    {
        ReadOnce();
        entry = entry with { Place = _place };
        lock (_lock)
        {
            var known = _entries.GetValueOrDefault((instance, _place));
            if (executedSeconds is null && known?.Key == entry.Key && known.Tree == entry.Tree) return;
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using (Alone())
            {
                using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, 0);
                file.Write(Line(instance, entry, executedSeconds));
            }

            Take(instance, entry, executedSeconds);
            _lines++;
        }
    }

    /// <summary>Rewrites the file when most of its lines are superseded.</summary>
    public void Compact()
    {
        lock (_lock)
        {
            if (_lines < 1000 || _lines < 4 * (_entries.Count + _durations.Values.Sum(d => d.Count))) return;
            using var alone = Alone();
            // Other processes may have written since this one read.
            _entries.Clear();
            _durations.Clear();
            _newest.Clear();
            _lines = 0;
            Read();
            var text = new MemoryStream();
            // Those that are anybody's newest stay behind the others.
            foreach (var (at, entry) in _entries.OrderBy(pair => ReferenceEquals(_newest[pair.Key.Instance], pair.Value)))
            {
                foreach (var seconds in _durations.GetValueOrDefault(at) ?? []) text.Write(Line(at.Instance, entry, seconds));
                text.Write(Line(at.Instance, entry, null));
            }

            var temporary = $"{_path}.{Guid.NewGuid():n}.tmp";
            try
            {
                File.WriteAllBytes(temporary, text.ToArray());
                File.Move(temporary, _path, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It stays as long as it is, on a full disk: another run makes it shorter.
                File.Delete(temporary);
                return;
            }

            _lines = _entries.Count + _durations.Values.Sum(d => d.Count);
        }
    }

    // .NET appends at the length the file had when it was opened: two processes at once would write over each other.
    private FileLock? Alone()
    {
        var waited = Stopwatch.StartNew();
        FileLock? taken;
        // Held for the time of a write. Somebody who was stopped while holding it must not stop everybody: it is an index only.
        while ((taken = FileLock.TryTake(_lockPath)) is null && waited.Elapsed < LongestWait) Thread.Sleep(1);
        return taken;
    }

    private void ReadOnce()
    {
        lock (_lock)
        {
            if (_read) return;
            Read();
            _read = true;
        }
    }

    private void Read()
    {
        try
        {
            if (!File.Exists(_path)) return;
            using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var content = new byte[RandomAccess.GetLength(file)];
            var length = 0;
            for (int got; length < content.Length && (got = RandomAccess.Read(file, content.AsSpan(length), length)) > 0; length += got) { }
            Read(content.AsSpan(0, length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An index that cannot be read is as good as none.
        }
    }

    // One write of whole lines, led by a line break: a line cut short by a crash then spoils itself only.
    private static byte[] Line(string instance, HistoryEntry entry, double? seconds)
    {
        using var buffer = new MemoryStream();
        buffer.WriteByte((byte)'\n');
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("stage", instance);
            json.WriteString("key", entry.Key.ToString());
            json.WriteString("tree", entry.Tree.ToString());
            json.WriteString("run", entry.Run);
            if (entry.Place is { } place) json.WriteString("place", place);
            if (seconds is { } executed) json.WriteNumber("seconds", Math.Round(executed, 3));
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private void Read(ReadOnlySpan<byte> content)
    {
        foreach (var range in content.Split((byte)'\n'))
        {
            var line = content[range];
            if (line.Length == 0) continue;
            _lines++;
            try
            {
                ReadLine(line);
            }
            catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
            {
                // Cut short: the next line is whole again.
            }
        }
    }

    private void ReadLine(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        string? stage = null, run = null, place = null;
        Digest? key = null, tree = null;
        double? seconds = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("stage"u8) && reader.Read()) stage = reader.GetString();
            else if (reader.ValueTextEquals("key"u8) && reader.Read()) key = Digest.Parse(reader.GetString() ?? "");
            else if (reader.ValueTextEquals("tree"u8) && reader.Read()) tree = Digest.Parse(reader.GetString() ?? "");
            else if (reader.ValueTextEquals("run"u8) && reader.Read()) run = reader.GetString();
            else if (reader.ValueTextEquals("place"u8) && reader.Read()) place = reader.GetString();
            else if (reader.ValueTextEquals("seconds"u8) && reader.Read()) seconds = reader.GetDouble();
            else reader.Skip();
        }

        if (stage is not null && run is not null && key is { } k && tree is { } t) Take(stage, new HistoryEntry(k, t, run, place), seconds);
    }

    private void Take(string instance, HistoryEntry entry, double? seconds)
    {
        var at = (instance, entry.Place);
        _newest[instance] = _entries[at] = entry;
        if (seconds is not { } executed) return;
        if (!_durations.TryGetValue(at, out var list)) _durations[at] = list = [];
        list.Add(executed);
        if (list.Count > DurationsKept) list.RemoveAt(0);
    }
}
