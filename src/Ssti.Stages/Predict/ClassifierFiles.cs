using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Safetensors;

namespace Ssti.Stages;

/// <summary>
/// The files of a tuned classifier and of its base in plain folders, outside of any pipeline: what <c>train</c> left (<c>ssti fit</c>, <c>ssti export</c>), or an
/// adapter of PEFT's with its classifier.
/// </summary>
public sealed class ClassifierFiles : IDisposable
{
    private readonly string _scratch;
    private readonly ComputeSettings _compute;
    private readonly Action<string> _log;

    private ClassifierFiles(InputTree tuned, string scratch, ComputeSettings compute, Action<string> log) =>
        (Tuned, _scratch, _compute, _log) = (tuned, scratch, compute, log);

    /// <summary>What was tuned, as a stage's output.</summary>
    internal InputTree Tuned { get; private set; }

    /// <summary>Its base, as a stage's output; null before one was given.</summary>
    internal InputTree? Base { get; private set; }

    /// <summary>What makes its predictions doubtful.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Whether the folder says what its classes are called and how long its rows are; an adapter of PEFT's does not.</summary>
    public bool IsDescribed => Tuned.Has(TrainStage.DescriptionFile);

    /// <summary>Opens the folder of what was tuned.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="scratch">A folder for what is made on the way; the caller deletes it.</param>
    /// <param name="compute">What to compute with.</param>
    /// <param name="log">Told what is done.</param>
    /// <exception cref="StageException">It holds no such model.</exception>
    public static ClassifierFiles Open(string folder, string scratch, ComputeSettings compute, Action<string> log)
    {
        if (!Directory.Exists(folder)) throw new StageException($"there is no folder '{folder}'; name one that 'ssti fit' wrote, or that 'ssti export' made of a train stage");
        var tree = Tree(folder, "train");
        var (described, head) = (tree.Has(TrainStage.DescriptionFile), tree.Has(TrainStage.HeadFile));
        if (!(described && head) && !tree.Has(PeftAdapter.ConfigFile))
        {
            throw new StageException(
                $"'{folder}' is no tuned model: it has neither {TrainStage.DescriptionFile} and {TrainStage.HeadFile} (of 'ssti fit' or a train "
                + $"stage) nor {PeftAdapter.ConfigFile} (of PEFT); "
                + $"it has: {(tree.Files.Any() ? string.Join(", ", tree.Files.Take(12)) : "nothing")}");
        }

        if (described && !head) throw new StageException($"'{folder}' has no {TrainStage.HeadFile}: is its copy whole?");
        return new ClassifierFiles(tree, scratch, compute, log);
    }

    /// <summary>Takes the base from files that are here: by the names of a model's folder, the path of each.</summary>
    public void TakeBase(string title, IReadOnlyDictionary<string, string> files) => Base = new InputTree(title, "model", new Dictionary<string, string>(), files);

    /// <summary>Takes the base from its source: a local folder as it stands, or what the stage kind <c>model</c> makes of anything else.</summary>
    /// <param name="source">The source.</param>
    /// <param name="kind">The kind <c>model</c>, which knows how to reach the Hub.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StageException">It cannot be had.</exception>
    public async Task FetchBaseAsync(SourcePath source, IStageKind kind, CancellationToken cancellation)
    {
        var parameters = new ModelParameters { Source = source };
        if (kind.Validate(parameters).FirstOrDefault() is { } wrong) throw new StageException($"--model: {wrong.Message}");
        if (source.LocalPath is { } local && !Directory.Exists(local)) throw new StageException($"--model: there is no folder '{source.Text}'");
        if (source.LocalPath is { } folder && File.Exists(Path.Combine(folder, "config.json"))
            && (File.Exists(Path.Combine(folder, ModelWeights.Whole)) || File.Exists(Path.Combine(folder, ModelWeights.Index))))
        {
            TakeBase(source.Text, Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file)));
            return;
        }

        var context = Context("base", new Dictionary<string, IReadOnlyList<InputTree>>());
        await kind.RunAsync(parameters, context, cancellation);
        Base = Tree(context.OutputFolder, "model", source.Text);
        Warnings = [.. Warnings, .. context.Warnings];
    }

    /// <summary>Turns an adapter of PEFT's into what can be evaluated, by the stage kind <c>adapter</c>: its head is found, and all of it checked against the base.</summary>
    /// <param name="labels">The names of its classes, in the order of the head's outputs; null when nobody said.</param>
    /// <param name="maxLength">Tokens of a row; null for 512, or as many as the base reads.</param>
    /// <param name="kind">The kind <c>adapter</c>.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StageException">It is none that can be used, or its classes have no names.</exception>
    public async Task DescribeAsync(IReadOnlyList<string>? labels, int? maxLength, IStageKind kind, CancellationToken cancellation)
    {
        var folder = Path.GetDirectoryName(Tuned.PathOf(PeftAdapter.ConfigFile))!;
        if (labels is null)
        {
            throw new StageException(
                $"{folder}: an adapter does not say what its classes are called: name them with --labels, in the order of the head's outputs, such as --labels negative,positive");
        }

        var context = Context("adapter", new Dictionary<string, IReadOnlyList<InputTree>> { ["model"] = [Base!] });
        var positions = EncoderInput.Open(Base!, context).Config.MaxPositions;
        var parameters = new AdapterParameters { Source = new SourcePath(folder, folder), Labels = [.. labels], MaxLength = maxLength ?? Math.Min(512, positions) };
        if (kind.Validate(parameters).FirstOrDefault() is { } wrong) throw new StageException($"--{wrong.Key}: {wrong.Message}");
        await kind.RunAsync(parameters, context, cancellation);
        Tuned = Tree(context.OutputFolder, "adapter", folder);
        Warnings = [.. Warnings, .. context.Warnings];
    }

    /// <summary>A stage's context, as if a stage did this.</summary>
    internal StageContext Context(string name, IReadOnlyDictionary<string, IReadOnlyList<InputTree>> inputs)
    {
        var place = Path.Combine(_scratch, name);
        foreach (var folder in new[] { "output", "scratch" }) Directory.CreateDirectory(Path.Combine(place, folder));
        return new StageContext
        {
            StageName = name, Seed = 0, Compute = _compute, Inputs = inputs, OutputFolder = Path.Combine(place, "output"),
            ScratchFolder = Path.Combine(place, "scratch"), Progress = _ => { }, Log = _log,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(_scratch)) Directory.Delete(_scratch, recursive: true);
    }

    private static InputTree Tree(string folder, string uses, string? title = null) => new(title ?? folder, uses, new Dictionary<string, string>(),
        Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file)));
}
