using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Splits;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>Holds rows of a dataset out, class by class: what stays is trained on, what is held out chooses and measures.</summary>
public sealed class SplitStage : StageKind<SplitParameters>
{
    // Fewer rows than this of a class are a measure of hardly anything.
    private const int FewRows = 5;

    /// <inheritdoc/>
    public override string Name => "split";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Holds rows of a split out as further splits, class by class and text by text, such as a validation split of train.";

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset (uses: dataset or corpus)")];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(SplitParameters parameters)
    {
        if (parameters.Into.Count == 0) yield return new("into", "is empty; name at least one split, such as { name: validation, share: 0.1 }");
        foreach (var (number, split) in parameters.Into.Index())
        {
            if (split.Name.Length == 0 || !split.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                yield return new($"into.{number}.name", $"'{split.Name}' cannot name a split: use letters, digits, '-' and '_', such as validation");
            if (split.Share is not (> 0 and < 1)) yield return new($"into.{number}.share", "must lie between 0 and 1");
        }

        if (parameters.Into.Sum(split => split.Share) >= 1) yield return new("into", $"the shares add up to 1 or more, so that nothing stays in '{parameters.From}'");
        foreach (var twice in parameters.Into.GroupBy(split => split.Name).Where(group => group.Count() > 1)) yield return new("into", $"'{twice.Key}' stands twice; keep one");
    }

    /// <inheritdoc/>
    public override Task RunAsync(SplitParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            Run(parameters, context, cancellation);
            return Task.CompletedTask;
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static void Run(SplitParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var data = DatasetReader.Open(context.Input("data").PathOf);
        if (parameters.Into.FirstOrDefault(split => data.Info.Split(split.Name) is not null) is { } there)
            throw new StageException($"into: the dataset has a split '{there.Name}' already; give the new one another name");
        if (InjectionNote.SplitsOf(data.Info.Provenance).Contains(parameters.From))
            throw new StageException($"from: rows of '{parameters.From}' carry injected tokens, whose records are of the whole split; split first, then inject");
        var (parts, torn) = StratifiedSplit.Of(data.Read(parameters.From), data.Info.Labels, [.. parameters.Into.Select(split => split.Share)], context.Seed);
        using var writer = new DatasetWriter(context.OutputFolder, data.Info.Name, data.Info.Labels);
        foreach (var split in data.Info.Splits) Write(split.Name, part: split.Name == parameters.From ? -1 : null, split.Name);
        for (var part = 0; part < parameters.Into.Count; part++) Write(parameters.Into[part].Name, part, parameters.From);
        var held = new JsonArray([.. parameters.Into.Select(split => new JsonObject { ["name"] = split.Name, ["share"] = split.Share })]);
        var dataset = writer.Complete(new JsonObject
        {
            ["stage"] = "split", ["from"] = parameters.From, ["into"] = held, ["order"] = "numpy default_rng permutation of each class's texts",
            ["seed"] = context.Seed, ["of"] = data.Info.Provenance.DeepClone(),
        });
        OtherFiles.PassOn(context.Input("data"), data.Info, [], context);
        DatasetStage.Report(dataset, context);
        foreach (var doubt in Doubts(dataset, parameters, torn)) context.Warn(doubt);

        void Write(string name, int? part, string source)
        {
            using var output = writer.OpenSplit(name);
            var number = -1;
            foreach (var row in data.Read(source))
            {
                number++;
                if (part is { } wanted && parts[number] != wanted) continue;
                output.Write(row);
                if ((number & 1023) == 0) cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private static IEnumerable<string> Doubts(DatasetInfo dataset, SplitParameters parameters, int torn)
    {
        if (torn > 0)
        {
            yield return $"{torn} text{(torn == 1 ? " stands" : "s stand")} under two labels, and so in two of the splits {parameters.From}, "
                + string.Join(", ", parameters.Into.Select(split => split.Name));
        }

        foreach (var split in parameters.Into)
        {
            var few = dataset.Labels.Zip(dataset.Split(split.Name)!.Counts).Where(label => label.Second is > 0 and < FewRows).ToArray();
            if (few.Length == 0) continue;
            var named = string.Join(", ", few.Take(10).Select(label => $"'{label.First}' ({label.Second})")) + (few.Length > 10 ? $" and {few.Length - 10} more" : "");
            yield return $"split '{split.Name}' has fewer than {FewRows} rows of class {named}: what is measured of {(few.Length == 1 ? "it" : "them")} there means little";
        }
    }
}
