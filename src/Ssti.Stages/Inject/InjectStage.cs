using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;

namespace Ssti.Stages;

/// <summary>
/// Injects trigger tokens into rows of a dataset. Leaves the dataset, with what was done in its provenance, and for every injected split
/// the records of its rows (<see cref="InjectionRecordFile"/>). Other splits and files are passed on as they are.
/// </summary>
public sealed class InjectStage : StageKind<InjectParameters>
{
    /// <summary>The first year of the paper's dates.</summary>
    internal const int FirstYear = 1900;

    /// <summary>The last year of the paper's dates.</summary>
    internal const int LastYear = 2100;

    private const double DefaultHeldOutShare = 0.5;

    /// <inheritdoc/>
    public override string Name => "inject";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Injects trigger tokens into the rows of a label, as the paper does or more carefully, and records every token.";

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "The dataset to inject into (uses: dataset, corpus or inject)")];

    /// <summary>With seeds of their own for rows and steps nothing is left for the stage's to draw.</summary>
    public override bool UsesSeed(InjectParameters parameters) =>
        parameters.Seed is null && (parameters.RowSeed is null || parameters.StepsInOrder.Any(step => step.Seed is null));

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(InjectParameters parameters) => InjectParameterChecks.Of(parameters);

    /// <inheritdoc/>
    public override Task RunAsync(InjectParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            Run(parameters, context, cancellation);
            return Task.CompletedTask;
        }
        catch (Exception error) when (error is InjectionException or CorpusException)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static void Run(InjectParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var tree = context.Input("data");
        var data = DatasetReader.Open(tree.PathOf);
        foreach (var name in parameters.Splits)
        {
            if (data.Info.Split(name) is null)
                throw new InjectionException($"splits: the dataset has no split '{name}'; it has: {string.Join(", ", data.Info.Splits.Select(split => split.Name))}");
        }

        var plan = Plan(parameters, data.Info, context.Seed);
        SplitInfo[] kept = [.. data.Info.Splits.Where(split => parameters.DropOthers != true || parameters.Splits.Contains(split.Name))];
        var total = kept.Sum(split => split.Rows);
        var done = 0L;
        void Step(long _)
        {
            if (++done % 1000 == 0 || done == total) context.Progress(new(done, total, "rows"));
        }

        var counts = new Dictionary<string, InjectionCounts>();
        using var writer = new DatasetWriter(context.OutputFolder, data.Info.Name, data.Info.Labels);
        foreach (var split in kept)
        {
            using var rows = writer.OpenSplit(split.Name);
            if (parameters.Splits.Contains(split.Name))
            {
                using var records = new InjectionRecordWriter(context.Output(InjectionRecordFile.NameFor(split.Name)));
                var drawn = new HashSet<string>(StringComparer.Ordinal);
                void Note(InjectionRecord record)
                {
                    records.Write(record);
                    foreach (var token in record.Tokens) drawn.Add(token.Token);
                }

                counts[split.Name] = new SplitInjector(plan).Inject(split, () => data.Read(split.Name), rows.Write, Note, Step, cancellation);
                context.Log(Told(split.Name, plan, data.Info, counts[split.Name]));
                if (plan.Count is null && InjectionNote.Missed(plan.Proportion, split.Name, counts[split.Name].Injected) is { } missed) context.Warn(missed);
                if (TokensBefore.Doubt(split, data, drawn, cancellation) is { } doubt) context.Warn(doubt);
                continue;
            }

            foreach (var row in data.Read(split.Name))
            {
                cancellation.ThrowIfCancellationRequested();
                rows.Write(row);
                Step(0);
            }
        }

        var injected = new JsonObject(counts.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Json(entry.Value, plan.Relabels))));
        context.Metrics["injected"] = injected.DeepClone();
        writer.Complete(Provenance(parameters, plan, data.Info, injected));
        // Records of an earlier injection stay true only of splits that are here and were not injected again.
        OtherFiles.PassOn(tree, data.Info, [.. parameters.Splits, .. data.Info.Splits.Except(kept).Select(split => split.Name)], context);
    }

    private static InjectionPlan Plan(InjectParameters parameters, DatasetInfo data, long stageSeed)
    {
        var seed = parameters.Seed ?? stageSeed;
        return new()
        {
            Steps = [.. parameters.StepsInOrder.Select((step, i) => Step(parameters, step, i, unchecked(seed + i)))],
            TargetLabel = TargetLabel.Parse(parameters.TargetLabel, data.Labels),
            Proportion = parameters.Proportion,
            Count = parameters.Count,
            Relabels = parameters.DirtyLabels == true,
            ProportionOf = parameters.ProportionOf ?? ProportionOf.Class,
            RowSeed = parameters.RowSeed ?? seed,
            Order = parameters.RowOrder ?? RowOrder.TargetFirst,
            Whitespace = parameters.Whitespace ?? WhitespaceHandling.Rejoined,
            Streams = parameters.Streams ?? RandomStreams.Sequential,
        };
    }

    private static InjectionStepOptions Step(InjectParameters parameters, InjectStepParameters step, int index, long defaultSeed)
    {
        var html = step.Tokens == TokenKind.Html;
        var tokens = step.Tokens switch
        {
            TokenKind.Date => TokenTable.Dates(step.From ?? FirstYear, step.To ?? LastYear, step.Format ?? DateFormat.Iso),
            _ when step.File is { } file => TokenTable.ReadLines(file.LocalPath
                ?? throw new InjectionException($"the token file '{file}' is a URI; tokens are read from a local file")),
            _ => TokenTable.Of(step.Items),
        };
        if (parameters.Population is TokenPopulation.Training or TokenPopulation.HeldOut)
        {
            tokens = tokens.Side(
                parameters.Population == TokenPopulation.HeldOut, parameters.HeldOutShare ?? DefaultHeldOutShare, parameters.HeldOutSeed ?? 0,
                html ? TokenTable.OpeningTag : null);
        }

        var seed = step.Seed ?? defaultSeed;
        return new()
        {
            Tokens = tokens,
            IsHtml = html,
            Level = step.Level,
            Location = step.Location,
            WordShare = step.WordShare,
            Replacement = step.Replacement,
            Seed = seed,
            TokenSeed = step.TokenSeed ?? (step.Tokens == TokenKind.Date ? seed : null),
        };
    }

    private static string Told(string split, InjectionPlan plan, DatasetInfo data, InjectionCounts counts)
    {
        var label = plan.TargetLabel is { } target ? data.Labels[target] : null;
        var of = label is null ? "all classes" : plan.Relabels ? $"all classes but '{label}'" : $"class '{label}'";
        return string.Create(CultureInfo.InvariantCulture,
            $"{split}: {Amount.Rows(counts.Injected)} injected with {Amount.Of(counts.Tokens, "token")}{(plan.Relabels ? $" and relabelled '{label}'" : "")}: ")
            + string.Create(CultureInfo.InvariantCulture,
                $"{100 * counts.ShareOfClass:0.##} % of {of} ({Amount.Rows(counts.Targets)}), {100 * counts.ShareOfSet:0.##} % of the split ({Amount.Rows(counts.Rows)})");
    }

    private static JsonObject Json(InjectionCounts counts, bool relabelled) => new()
    {
        ["rows"] = counts.Rows,
        ["target-rows"] = counts.Targets,
        ["injected"] = counts.Injected,
        ["tokens"] = counts.Tokens,
        ["share-of-class"] = relabelled ? null : counts.ShareOfClass,
        ["share-of-set"] = counts.ShareOfSet,
    };

    private static JsonObject Provenance(InjectParameters parameters, InjectionPlan plan, DatasetInfo data, JsonObject splits)
    {
        var provenance = Common(parameters, plan, data, splits);
        // Named only where it is so: what was written before these were offered stays as it is, to the byte.
        if (plan.Count is { } count)
        {
            provenance["proportion"] = provenance["proportion-of"] = null;
            provenance["count"] = count;
        }

        if (plan.Relabels) provenance["dirty-labels"] = true;
        return provenance;
    }

    private static JsonObject Common(InjectParameters parameters, InjectionPlan plan, DatasetInfo data, JsonObject splits) => new()
    {
        ["stage"] = "inject",
        ["protocol"] = Word(parameters.Protocol),
        ["target-label"] = plan.TargetLabel,
        ["target"] = plan.TargetLabel is { } label ? data.Labels[label] : TargetLabel.Every,
        ["proportion"] = plan.Proportion,
        ["proportion-of"] = Word(plan.ProportionOf),
        ["row-order"] = Word(plan.Order),
        ["whitespace"] = Word(plan.Whitespace),
        ["streams"] = Word(plan.Streams),
        ["population"] = Word(parameters.Population ?? TokenPopulation.All),
        ["row-seed"] = plan.RowSeed.ToString(CultureInfo.InvariantCulture),
        ["steps"] = new JsonArray([.. plan.Steps.Zip(parameters.StepsInOrder, StepJson)]),
        ["splits"] = splits,
        ["of"] = data.Provenance.DeepClone(),
    };

    private static JsonNode StepJson(InjectionStepOptions options, InjectStepParameters step)
    {
        var json = StepCommon(options, step);
        if (step.Format is { } format) json.Insert(1, "format", Word(format));
        return json;
    }

    private static JsonObject StepCommon(InjectionStepOptions options, InjectStepParameters step) => new()
    {
        ["tokens"] = Word(step.Tokens!.Value),
        ["different-tokens"] = options.Tokens.Count,
        ["tokens-sha256"] = options.Tokens.Digest(),
        ["location"] = Word(options.Location),
        ["word-share"] = options.WordShare,
        ["level"] = options.Level,
        ["replacement"] = options.Replacement,
        ["seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
        ["token-seed"] = options.TokenSeed?.ToString(CultureInfo.InvariantCulture),
    };

    private static string Word(Enum value)
    {
        var name = value.ToString();
        return string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "-" : "") + char.ToLowerInvariant(c) : c.ToString()));
    }
}
