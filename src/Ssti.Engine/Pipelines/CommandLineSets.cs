using Ssti.Engine.Yaml;

namespace Ssti.Engine.Pipelines;

/// <summary>Applies the <c>--set</c> options to what the files say, so that everything after treats both alike.</summary>
internal static class CommandLineSets
{
    /// <summary>Applies <c>name=value</c> options; returns those for <c>compute</c> and <c>seed</c>, which belong to no stage.</summary>
    public static (YamlMapping? Compute, YamlNode? Seed) Apply(PipelineSource source, IReadOnlyList<string> sets, DiagnosticBag diagnostics)
    {
        List<YamlEntry> compute = [];
        YamlNode? seed = null;
        foreach (var set in sets)
        {
            var equals = set.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? set : set[..equals].Trim();
            var file = new SourceFile($"--set {name}", Directory.GetCurrentDirectory(), Root: null);
            var where = new SourceLocation(file.Name, 0, 0);
            if (equals <= 0 || name.Length == 0)
            {
                diagnostics.Error(DiagnosticCodes.BadSet, where,
                    "expected name=value", "such as --set train.rank=8, --set params.seed=3 or --set compute.device=cuda");
                continue;
            }

            if (Value(file, set[(equals + 1)..], diagnostics) is not { } value) continue;
            var path = name.Split('.');
            if (path.Length == 1 && path[0] == "seed") seed = value;
            else if (path.Length == 1) diagnostics.Error(DiagnosticCodes.BadSet, where,
                $"'{name}' names no parameter{Meant(source, name)}", "write stage.parameter=value, params.name=value, compute.name=value or seed=value");
            else if (path is ["compute", _]) compute.Add(new YamlEntry(Key(file, path[1]), value));
            else if (path[0] == "params") SetParameter(source, string.Join('.', path[1..]), value, where, diagnostics);
            else SetStage(source, path, value, file, diagnostics);
        }

        return (compute.Count == 0 ? null : new YamlMapping(new SourceFile("--set compute", Directory.GetCurrentDirectory(), null), 0, 0, compute), seed);
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

    private static void SetStage(PipelineSource source, string[] path, YamlNode value, SourceFile file, DiagnosticBag diagnostics)
    {
        var body = source.Stages.FirstOrDefault(s => s.Name.Text == path[0]).Body;
        if (body is null)
            diagnostics.Unknown(DiagnosticCodes.UnknownSet, new(file.Name,
                0, 0), "stage", path[0], source.Stages.Select(s => s.Name.Text).Append("params").Append("compute"), "stages of this pipeline");
        else source.Replace(path[0], Put(body, ["with", .. path[1..]], value, file));
    }

    private static YamlMapping Put(YamlMapping mapping, ReadOnlySpan<string> path, YamlNode value, SourceFile file)
    {
        var entries = mapping.Entries.ToList();
        var key = path[0];
        var at = entries.FindIndex(e => e.Key.Text == key);
        if (path.Length > 1)
        {
            var inner = at >= 0 && entries[at].Value is YamlMapping existing ? existing : new YamlMapping(file, 0, 0, []);
            value = Put(inner, path[1..], value, file);
        }

        if (at >= 0) entries[at] = new YamlEntry(path.Length > 1 ? entries[at].Key : Key(file, key), value);
        else entries.Add(new YamlEntry(Key(file, key), value));
        return mapping.With(entries);
    }

    private static YamlScalar Key(SourceFile file, string text) => new(file, 0, 0, text, plain: false);

    // Only what plainly is a list, a mapping or a quoted text is read as YAML: a path or a sentence needs no quoting from a shell.
    private static YamlNode? Value(SourceFile file, string text, DiagnosticBag diagnostics)
    {
        var trimmed = text.Trim();
        return trimmed.Length > 0 && (trimmed[0] is '[' or '{' or '"' or '\'')
            ? YamlReader.Read(file, trimmed, diagnostics)
            : new YamlScalar(file, 0, 0, trimmed, plain: true);
    }
}
