using Ssti.Engine.Stages;
using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>A stage under <c>needs:</c>, perhaps with a glob for some of its cells.</summary>
internal sealed record StageReference(YamlScalar Node, string Stage, string? Cells);

/// <summary>An input under <c>needs:</c>.</summary>
internal sealed record StageNeed(StageInput Input, SourceLocation Where, IReadOnlyList<StageReference> From);

/// <summary>A stage as written, its keys checked but its expressions not yet replaced.</summary>
internal sealed record StageDefinition(
    string Name, SourceLocation Where, IStageKind Kind, string? Description, IReadOnlyList<StageNeed> Needs, YamlMapping? With, YamlMapping? Matrix,
    YamlNode? Seed, YamlNode? Compute, YamlNode? Salt, StagePolicy Policy);

/// <summary>Reads a stage's mapping: <c>uses</c>, <c>needs</c> and the rest.</summary>
internal sealed class StageReader(StageCatalog catalog, Templates templates, DiagnosticBag diagnostics)
{
    private static readonly string[] Keys =
        ["uses", "needs", "with", "matrix", "seed", "compute", "salt", "description", "retries", "timeout", "resources"];

    private readonly SettingsReader _settings = new(diagnostics);

    /// <summary>The definition, or null when it has errors.</summary>
    public StageDefinition? Read(YamlScalar name, YamlMapping body)
    {
        foreach (var (key, _) in body.Entries)
            if (!Keys.Contains(key.Text)) diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where, "key", key.Text, Keys, "keys of a stage");
        var kind = Kind(name, body);
        var with = Mapping(body, "with");
        var matrix = Mapping(body, "matrix");
        var needs = kind is null ? null : Needs(name, kind, body["needs"]);
        var policy = _settings.Policy(body, templates);
        var description = body["description"] is YamlScalar { IsNull: false } text ? text.Text : null;
        if (kind is null || needs is null || policy is null || !with.Good || !matrix.Good) return null;
        return new StageDefinition(name.Text, name.Where, kind, description, needs, with.Mapping, matrix.Mapping, body["seed"], body["compute"], body["salt"], policy);
    }

    private IStageKind? Kind(YamlScalar name, YamlMapping body)
    {
        if (body["uses"] is not YamlScalar { IsNull: false } uses)
        {
            diagnostics.Error(DiagnosticCodes.MissingKey, body["uses"]?.Where ?? name.Where,
                $"the stage '{name.Text}' has no 'uses'", $"add 'uses:' with one of: {string.Join(", ", catalog.Kinds.Select(k => k.Name))}");
            return null;
        }

        var kind = catalog.Find(uses.Text);
        if (kind is null) diagnostics.Unknown(DiagnosticCodes.UnknownKind, uses.Where,
            "stage kind", uses.Text, catalog.Kinds.Select(k => k.Name), "stage kinds");
        return kind;
    }

    private (YamlMapping? Mapping, bool Good) Mapping(YamlMapping body, string key)
    {
        switch (body[key])
        {
            case null or YamlScalar { IsNull: true }: return (null, true);
            case YamlMapping mapping: return (mapping, true);
            case var other:
                diagnostics.Error(DiagnosticCodes.WrongType, other.Where, $"'{key}' must be a mapping, not {other.Described}");
                return (null, false);
        }
    }

    private List<StageNeed>? Needs(YamlScalar name, IStageKind kind, YamlNode? node)
    {
        if (node is YamlScalar { IsNull: true }) node = null;
        if (node is not (null or YamlMapping))
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Where, $"'needs' must be a mapping of inputs to stages, not {node.Described}",
                kind.Inputs.Count == 0 ? $"'{kind.Name}' takes no inputs: remove it" : $"such as 'needs: {{ {kind.Inputs[0].Name}: <stage> }}'");
            return null;
        }

        var found = new Dictionary<string, StageNeed>();
        var failed = false;
        foreach (var (key, value) in (node as YamlMapping)?.Entries ?? [])
        {
            if (kind.Inputs.FirstOrDefault(i => i.Name == key.Text) is not { } input)
            {
                diagnostics.Unknown(DiagnosticCodes.UnknownInput, key.Where,
                    "input", key.Text, kind.Inputs.Select(i => i.Name), $"inputs of '{kind.Name}'");
                failed = true;
            }
            else if (References(input, value) is { } from) found[input.Name] = new StageNeed(input, key.Where, from);
            else failed = true;
        }

        foreach (var input in kind.Inputs.Where(i => i.Required && !failed && !found.ContainsKey(i.Name)))
        {
            diagnostics.Error(DiagnosticCodes.MissingInput, node?.Where ?? name.Where,
                $"the stage '{name.Text}' lacks the input '{input.Name}' of '{kind.Name}'",
                $"add '{input.Name}: <stage>' under 'needs:'; it is {input.Summary}");
            failed = true;
        }

        return failed ? null : kind.Inputs.Where(i => found.ContainsKey(i.Name)).Select(i => found[i.Name]).ToList();
    }

    private List<StageReference>? References(StageInput input, YamlNode node)
    {
        IReadOnlyList<YamlNode> items = node is YamlSequence sequence ? sequence.Items : [node];
        if (items.Count == 0 || (items.Count > 1 && !input.Many))
        {
            diagnostics.Error(DiagnosticCodes.OneInput, node.Where,
                $"the input '{input.Name}' takes {(items.Count == 0 ? "at least one stage" : "one stage, not a list")}",
                "give it one stage, or one cell such as train@base");
            return null;
        }

        var references = new List<StageReference>();
        foreach (var item in items)
        {
            if (templates.Resolve(item, null) is not YamlScalar { IsNull: false } scalar)
            {
                diagnostics.Error(DiagnosticCodes.WrongType, item.Where, $"the input '{input.Name}' must name a stage, not {item.Described}");
                return null;
            }

            var at = scalar.Text.IndexOf('@', StringComparison.Ordinal);
            references.Add(new StageReference(scalar, at < 0 ? scalar.Text : scalar.Text[..at], at < 0 ? null : scalar.Text[(at + 1)..]));
        }

        return references;
    }
}
