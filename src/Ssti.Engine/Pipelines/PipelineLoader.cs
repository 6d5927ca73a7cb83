using Ssti.Engine.Parameters;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>What loading gave: a pipeline, or the reasons why there is none.</summary>
/// <param name="Pipeline">The pipeline; null when there are errors.</param>
/// <param name="Diagnostics">Errors and warnings, in the order they were found.</param>
public sealed record PipelineResult(Pipeline? Pipeline, IReadOnlyList<Diagnostic> Diagnostics)
{
    /// <summary>What was taken from the file of local values beside the pipeline; null when there is none, or it was not asked for.</summary>
    public LocalValues? Local { get; init; }
}

/// <summary>Reads pipelines: YAML to a checked graph of stage instances. Runs nothing, and reads no data.</summary>
public static class PipelineLoader
{
    /// <summary>Loads a pipeline file with all it includes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sets">Overrides of the command line, <c>stage.parameter=value</c> and so on.</param>
    /// <param name="catalog">The stage kinds that exist.</param>
    /// <param name="local">Whether values of <c>ssti.local.yaml</c> beside the pipeline hold, before those of the command line.</param>
    /// <param name="profile">The profile whose parameters hold, before local values and those of the command line; null for the file's own.</param>
    public static PipelineResult Load(string path, IReadOnlyList<string> sets, StageCatalog catalog, bool local = false, string? profile = null)
    {
        var diagnostics = new DiagnosticBag();
        var source = PipelineSource.Read(path, diagnostics);
        IReadOnlyList<SetValue> here = [];
        var taken = source is null || !local ? null : LocalSets.Read(path, source, diagnostics, out here);
        if (profile is not null) source?.Profiles.Apply(profile, source);
        var pipeline = source is null ? null : Build(path, source, [.. here, .. CommandLineSets.Read(sets, diagnostics)], catalog, profile, diagnostics);
        return new PipelineResult(diagnostics.HasErrors ? null : pipeline, diagnostics.Items) { Local = taken };
    }

    /// <summary>The name of a pipeline, whether the rest of its file is right or not; null where the file is no pipeline at all.</summary>
    public static string? NameOf(string path)
    {
        var diagnostics = new DiagnosticBag();
        return PipelineSource.Read(path, diagnostics)?.Root is { } root && NameOf(path, root, diagnostics) is { Length: > 0 } name ? name : null;
    }

    private static Pipeline? Build(
        string path, PipelineSource source, IReadOnlyList<SetValue> sets, StageCatalog catalog, string? profile, DiagnosticBag diagnostics)
    {
        var root = source.Root!;
        var given = source.Parameters.ToDictionary();
        var (setCompute, setSeed) = CommandLineSets.Apply(source, sets, diagnostics);
        var applied = profile is null ? null : new AppliedProfile(profile, [.. given.Where(value => !source.Parameters[value.Key].Says(value.Value))
            .Select(value => value.Key).Order(StringComparer.Ordinal)]);
        var templates = new Templates(diagnostics, source.Parameters);
        var settings = new SettingsReader(diagnostics);
        var name = NameOf(path, root, diagnostics);
        var seed = (setSeed ?? root["seed"]) is { } node ? settings.Seed(templates.Resolve(node, null)) ?? 0 : 0;
        var compute = settings.Compute(root["compute"] is { } block ? templates.Resolve(block, null) : null, new ComputeRequest()) ?? new ComputeRequest();
        compute = settings.Compute(setCompute, compute) ?? compute;
        if (source.Stages.Count == 0 && !diagnostics.HasErrors)
            diagnostics.Error(DiagnosticCodes.MissingKey, root.Where, "the pipeline has no stages", "add 'stages:' with at least one stage");

        var reader = new StageReader(catalog, templates, diagnostics);
        var definitions = source.Stages.Select(s => reader.Read(s.Name, s.Body)).OfType<StageDefinition>().ToList();
        var sorted = StageOrder.Sort(definitions, source.Stages.Select(s => s.Name.Text).ToList(), diagnostics);
        var expander = new StageExpander(new MatrixReader(templates, diagnostics), diagnostics);
        var binder = new InstanceBinder(templates, settings, new ParameterBinder(diagnostics), seed, compute, setCompute, applied);
        var stages = new List<Stage>();
        var instances = new List<StageInstance>();
        foreach (var definition in sorted)
        {
            if (expander.Expand(definition) is not { } expansion) continue;
            stages.Add(new Stage(definition.Name, definition.Kind, definition.Description, definition.Where, expansion.Relation.Dimensions,
                [.. definition.Needs.SelectMany(n => n.From).Select(r => r.Stage).Distinct()], expansion.FirstIndex, expansion.Names.Count));
            binder.Bind(expansion, instances, diagnostics);
        }

        if (diagnostics.HasErrors) return null;
        return new Pipeline
        {
            Name = name,
            Description = (root["description"] as YamlScalar)?.Text,
            File = path,
            Place = ProjectFolder.PlaceOf(path),
            Seed = seed,
            Parameters = source.Parameters.ToDictionary(p => p.Key, p => FlowText.Of(p.Value)),
            Profile = applied,
            Profiles = source.Profiles.Names,
            Stages = stages,
            Instances = instances,
        };
    }

    private static string NameOf(string path, YamlMapping root, DiagnosticBag diagnostics)
    {
        if (root["name"] is not { } node)
        {
            var stem = new string([.. Path.GetFileNameWithoutExtension(path).Select(c => Names.IsCell(c.ToString()) ? c : '-')]);
            return Names.IsCell(stem) ? stem : "pipeline";
        }

        if (node is YamlScalar { IsNull: false } scalar && Names.IsCell(scalar.Text)) return scalar.Text;
        diagnostics.Error(DiagnosticCodes.BadName, node.Where, $"{node.Described} cannot name a pipeline", $"a name is made of {Names.CellRule}");
        return "";
    }
}
