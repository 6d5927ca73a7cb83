using System.Text.Json.Nodes;

namespace Ssti.Engine.Stages;

/// <summary>Everything a running stage may touch. It has no other clock, randomness, environment or paths.</summary>
public sealed class StageContext
{
    private readonly List<string> _warnings = [];

    /// <summary>The stage and its matrix cell, such as <c>train@label-0</c>.</summary>
    public required string StageName { get; init; }

    /// <summary>The seed of this stage: from the pipeline's seed and the stage's name, unless <c>seed:</c> gives one; 0 where its kind says that it draws nothing.</summary>
    public required long Seed { get; init; }

    /// <summary>The profile that a result has to tell, such as <c>smoke</c>; null without one, and for a kind that tells none.</summary>
    public string? Profile { get; init; }

    /// <summary>The device, threads and precision to compute with, as resolved for this run.</summary>
    public required ComputeSettings Compute { get; init; }

    /// <summary>The GPUs of the stage, by number; <see cref="Compute"/> names the first of them where it computes there.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [];

    /// <summary>
    /// How many stages may be at work on each of <see cref="Gpus"/> at once, this one included; 1: it has them to itself. The others are
    /// of this process: what belongs to a GPU as a whole, such as its generator and its free memory, is theirs too.
    /// </summary>
    public int PerGpu { get; init; } = 1;

    /// <summary>The stages that are worked at together with this one; null for none.</summary>
    public GroupSeat? Group { get; init; }

    /// <summary>The outputs of the stages under <c>needs:</c>, by input name; an input that takes several has several entries.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<InputTree>> Inputs { get; init; }

    /// <summary>An empty folder. What the stage leaves in it is its output.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>
    /// A folder that survives a killed attempt of this same action, for checkpoints and partial downloads; deleted once the stage is done.
    /// On machines that share no disk only files whose names begin with <c>checkpoint</c> follow a stage that goes on elsewhere.
    /// </summary>
    public required string ScratchFolder { get; init; }

    /// <summary>Reports progress: units done, of how many (null when unknown), and what the units are.</summary>
    public required Action<StageProgress> Progress { get; init; }

    /// <summary>Writes a line to the stage's log.</summary>
    public required Action<string> Log { get; init; }

    /// <summary>What <see cref="Warn"/> was told so far, in order.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (_warnings) return [.. _warnings];
        }
    }

    /// <summary>Facts for the action record, such as losses, rows read or the resolved revision of a source. Not part of the key.</summary>
    public JsonObject Metrics { get; } = [];

    /// <summary>
    /// Says what makes a result doubtful though it can be had: something that was dropped, cut off, or means less than its name. The line is in the log, too.
    /// </summary>
    public void Warn(string message)
    {
        lock (_warnings) _warnings.Add(message);
        Log($"warning: {message}");
    }

    /// <summary>The single tree of an input; throws when the input is absent.</summary>
    public InputTree Input(string name) => Inputs[name].Single();

    /// <summary>The single tree of an optional input, or null.</summary>
    public InputTree? OptionalInput(string name) => Inputs.TryGetValue(name, out var trees) ? trees.SingleOrDefault() : null;

    /// <summary>The path of an output file, its folder made.</summary>
    public string Output(string relativePath)
    {
        var path = Path.Combine(OutputFolder, relativePath);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }
}

/// <summary>How far a stage is.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, or null when unknown.</param>
/// <param name="Unit">What is counted, such as <c>steps</c> or <c>rows</c>.</param>
/// <param name="Note">A short text beside the bar, such as <c>loss 0.512</c>.</param>
public readonly record struct StageProgress(long Done, long? Total, string Unit, string? Note = null)
{
    /// <summary>Rows worked through so far in this attempt, for rows a second; null where <see cref="Unit"/> is <c>rows</c> already, or where there are none.</summary>
    public long? Rows { get; init; }

    /// <summary>The loss of a training, in nats, when it is known.</summary>
    public double? Loss { get; init; }

    /// <summary>Bytes in use on the device that computes, when that is known.</summary>
    public long? DeviceMemory { get; init; }
}

/// <summary>The output of an upstream stage: read-only files by their relative path.</summary>
public sealed class InputTree(string stageName, string uses, IReadOnlyDictionary<string, string> cell, IReadOnlyDictionary<string, string> files)
{
    /// <summary>The instance that made it, such as <c>train@label-0</c>.</summary>
    public string StageName { get; } = stageName;

    /// <summary>The kind that made it.</summary>
    public string Uses { get; } = uses;

    /// <summary>
    /// The matrix values of that instance by dimension; empty without a matrix, and for an input that does not declare <see cref="StageInput.ReadsCells"/>.
    /// </summary>
    public IReadOnlyDictionary<string, string> Cell { get; } = cell;

    /// <summary>The relative paths of its files, in ordinal order.</summary>
    public IEnumerable<string> Files => files.Keys.Order(StringComparer.Ordinal);

    /// <summary>Whether it holds a file.</summary>
    public bool Has(string relativePath) => files.ContainsKey(relativePath);

    /// <summary>The local path of a file, for reading only: it is the stored blob itself.</summary>
    /// <exception cref="StageException">The tree has no such file.</exception>
    public string PathOf(string relativePath) => files.TryGetValue(relativePath, out var path)
        ? path
        : throw new StageException($"the output of '{StageName}' (uses: {Uses}) has no file '{relativePath}'; it has: {string.Join(", ", Files)}");
}
