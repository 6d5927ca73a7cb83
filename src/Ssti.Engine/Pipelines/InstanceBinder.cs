using Ssti.Engine.Parameters;
using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>Binds each cell of a stage: its expressions, parameters, seed and compute settings.</summary>
internal sealed class InstanceBinder(
    Templates templates, SettingsReader settings, ParameterBinder binder, long pipelineSeed, ComputeRequest pipelineCompute, YamlMapping? setCompute,
    AppliedProfile? profile)
{
    private const long MaxBound = 20_000_000;
    private long _bound;

    /// <summary>Adds the instances of a stage.</summary>
    public void Bind(StageExpansion expansion, List<StageInstance> instances, DiagnosticBag diagnostics)
    {
        var stage = expansion.Definition;
        var derived = SeedRule.Derive(pipelineSeed, stage.Name);
        _bound += stage.With is null ? 0 : (long)expansion.Names.Count * Size(stage.With);
        if (_bound > MaxBound)
        {
            diagnostics.Error(DiagnosticCodes.TooLarge, stage.Where,
                $"the stages have more than {MaxBound} parameter values in all their cells", "split the pipeline, or give stages a file instead of a long list");
            return;
        }

        for (var i = 0; i < expansion.Names.Count; i++)
        {
            var cell = expansion.Relation.Cells[i];
            var with = stage.With is null ? null : templates.Resolve(stage.With, cell) as YamlMapping;
            var parameters = binder.Bind(stage.Kind, with, stage.Where);
            var seed = Resolved(stage.Seed, cell) is { } node ? settings.Seed(node) : derived;
            var compute = settings.Compute(Resolved(stage.Compute, cell), pipelineCompute);
            // The command line is the last word, also over a stage's own block.
            compute = compute is null ? null : settings.Compute(setCompute, compute);
            var salt = Salt(Resolved(stage.Salt, cell), diagnostics);
            if (parameters is null || seed is null || compute is null) continue;
            var inputs = new InstanceInput[stage.Needs.Count];
            for (var n = 0; n < inputs.Length; n++) inputs[n] = new InstanceInput(stage.Needs[n].Input, expansion.Inputs[i][n]);
            // Indices are places in the list only as long as every stage before was bound.
            if (!diagnostics.HasErrors) binder.Refuse(stage.Kind.ValidateInputs(parameters, name => Cells(name, inputs, instances)), with?.Where ?? stage.Where);
            instances.Add(new StageInstance
            {
                Index = expansion.FirstIndex + i,
                Name = expansion.Names[i],
                Stage = stage.Name,
                Kind = stage.Kind,
                Parameters = parameters,
                Cell = CellOf(cell),
                Inputs = inputs,
                Seed = stage.Kind.UsesSeed(parameters) ? seed.Value : null,
                Compute = compute,
                Salt = salt,
                Profile = stage.Kind.TellsProfile ? profile?.ToString() : null,
                Policy = stage.Policy,
                Where = stage.Where,
            });
        }
    }

    private static IReadOnlyList<InputCell> Cells(string input, InstanceInput[] inputs, List<StageInstance> instances) =>
        [.. inputs.Where(one => one.Declaration.Name == input).SelectMany(one => one.From)
            .Select(index => new InputCell(instances[index].Name, instances[index].Kind.Name, instances[index].Cell))];

    // Counted as often as it is walked: an alias is walked at each of its places.
    private static long Size(YamlNode node) => node switch
    {
        YamlSequence sequence => 1 + sequence.Items.Sum(Size),
        YamlMapping mapping => 1 + mapping.Entries.Sum(entry => Size(entry.Value)),
        _ => 1,
    };

    private static IReadOnlyDictionary<string, string> CellOf(MatrixCell cell)
    {
        if (cell.Dimensions.Count == 0) return System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty;
        // Few entries, kept in the order of the dimensions.
        var values = new OrderedDictionary<string, string>(cell.Dimensions.Count);
        for (var i = 0; i < cell.Dimensions.Count; i++) values.Add(cell.Dimensions[i], cell.Values[i].Name);
        return values;
    }

    private static string? Salt(YamlNode? node, DiagnosticBag diagnostics)
    {
        if (node is YamlScalar scalar) return scalar.Canonical;
        if (node is not null) diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'salt' must be a text, not {node.Described}");
        return null;
    }

    private YamlNode? Resolved(YamlNode? node, MatrixCell cell) =>
        node is not null && templates.Resolve(node, cell) is var resolved and not YamlScalar { IsNull: true } ? resolved : null;
}
