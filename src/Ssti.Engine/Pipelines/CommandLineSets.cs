using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>A value that stands in place of what a pipeline says.</summary>
/// <param name="Name">What it replaces, such as <c>train.rank</c>.</param>
/// <param name="Value">The value, which knows where it stands.</param>
/// <param name="Place">Where the name stands.</param>
internal sealed record SetValue(string Name, YamlNode Value, YamlScalar Place);

/// <summary>Applies the <c>--set</c> options, and before them local values, to what the files say, so that everything after treats all alike.</summary>
internal static class CommandLineSets
{
    private const string Example = "such as --set train.rank=8, --set params.seed=3 or --set compute.device=cuda";

    /// <summary>Reads <c>name=value</c> options.</summary>
    public static IReadOnlyList<SetValue> Read(IReadOnlyList<string> sets, DiagnosticBag diagnostics) =>
        [.. sets.Select(set => Split(set, name => new SourceFile($"--set {name}", Directory.GetCurrentDirectory(), Root: null), 0, 0, Example, diagnostics)).OfType<SetValue>()];

    /// <summary>Reads one <c>name=value</c>; null when it is none.</summary>
    public static SetValue? Split(string set, Func<string, SourceFile> file, int line, int column, string example, DiagnosticBag diagnostics)
    {
        var equals = set.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? set : set[..equals].Trim();
        var place = new YamlScalar(file(name), line, column, name, plain: false);
        if (equals <= 0 || name.Length == 0) diagnostics.Error(DiagnosticCodes.BadSet, place.Where, "expected name=value", example);
        else if (Value(place, line, column, set[(equals + 1)..], diagnostics) is { } value) return new SetValue(name, value, place);
        return null;
    }

    /// <summary>Applies values in order; returns those for <c>compute</c> and <c>seed</c>, which belong to no stage.</summary>
    public static (YamlMapping? Compute, YamlNode? Seed) Apply(PipelineSource source, IEnumerable<SetValue> sets, DiagnosticBag diagnostics)
    {
        List<YamlEntry> compute = [];
        YamlNode? seed = null;
        foreach (var (name, value, place) in sets)
        {
            var path = name.Split('.');
            if (path.Length == 1 && path[0] == "seed") seed = value;
            else if (path.Length == 1) diagnostics.Error(DiagnosticCodes.BadSet, place.Where,
                $"'{name}' names no parameter{Meant(source, name)}", "write stage.parameter=value, params.name=value, compute.name=value or seed=value");
            else if (path is ["compute", _])
            {
                compute.RemoveAll(entry => entry.Key.Text == path[1]);
                compute.Add(new YamlEntry(Key(place, path[1]), value));
            }
            else if (path[0] == "params") SetParameter(source, string.Join('.', path[1..]), value, place.Where, diagnostics);
            else SetStage(source, path, value, place, diagnostics);
        }

        return (compute.Count == 0 ? null : new YamlMapping(compute[^1].Key.Source, 0, 0, compute), seed);
    }

    // 'rank=8' is params.rank where there is one.
    private static string Meant(PipelineSource source, string name) =>
        NearestWord.Find(name, source.Parameters.Keys.Append("seed")) is not { } near ? ""
        : $"; did you mean '{(near == "seed" ? near : $"params.{near}")}'?";

    private static void SetParameter(PipelineSource source, string name, YamlNode value, SourceLocation where, DiagnosticBag diagnostics)
    {
        if (!source.Override(name, value)) diagnostics.Unknown(DiagnosticCodes.UnknownSet, where,
            "parameter", name, source.Parameters.Keys, "parameters of this pipeline");
    }

    private static void SetStage(PipelineSource source, string[] path, YamlNode value, YamlScalar place, DiagnosticBag diagnostics)
    {
        var body = source.Stages.FirstOrDefault(s => s.Name.Text == path[0]).Body;
        if (body is null)
            diagnostics.Unknown(DiagnosticCodes.UnknownSet, place.Where,
                "stage", path[0], source.Stages.Select(s => s.Name.Text).Append("params").Append("compute"), "stages of this pipeline");
        else source.Replace(path[0], Put(body, ["with", .. path[1..]], value, place));
    }

    private static YamlMapping Put(YamlMapping mapping, ReadOnlySpan<string> path, YamlNode value, YamlScalar place)
    {
        var entries = mapping.Entries.ToList();
        var key = path[0];
        var at = entries.FindIndex(e => e.Key.Text == key);
        if (path.Length > 1)
        {
            var inner = at >= 0 && entries[at].Value is YamlMapping existing ? existing : new YamlMapping(place.Source, 0, 0, []);
            value = Put(inner, path[1..], value, place);
        }

        if (at >= 0) entries[at] = new YamlEntry(path.Length > 1 ? entries[at].Key : Key(place, key), value);
        else entries.Add(new YamlEntry(Key(place, key), value));
        return mapping.With(entries);
    }

    private static YamlScalar Key(YamlScalar place, string text) => new YamlScalar(place.Source, 0, 0, text, plain: false).At(place);

    // Only what plainly is a list, a mapping or a quoted text is read as YAML: a path or a sentence needs no quoting from a shell.
    private static YamlNode? Value(YamlScalar place, int line, int column, string text, DiagnosticBag diagnostics)
    {
        var trimmed = text.Trim();
        // Lines within the value are not lines of the file.
        return trimmed.Length > 0 && (trimmed[0] is '[' or '{' or '"' or '\'')
            ? YamlReader.Read(place.Source with { Name = place.Where.ToString(), HasLines = false }, trimmed, diagnostics)
            : new YamlScalar(place.Source, line, column, trimmed, plain: true);
    }
}
