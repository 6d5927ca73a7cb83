using Ssti.Engine.Yaml;
using Ssti.Store.Files;

namespace Ssti.Engine.Pipelines;

/// <summary>What was taken of the values that hold on one machine only.</summary>
/// <param name="File">The file, as it is shown.</param>
/// <param name="Used">The names of the values that were taken.</param>
/// <param name="PassedOver">Those of other pipelines beside it: they name no stage or parameter of this one.</param>
public sealed record LocalValues(string File, IReadOnlyList<string> Used, IReadOnlyList<string> PassedOver);

/// <summary>
/// Reads <c>ssti.local.yaml</c>, which lies beside pipelines and holds what is so on one machine only: where data lies, which device computes; and
/// <c>name.local.yaml</c>, which holds the same for <c>name.yaml</c> alone, and wins. They are nobody else's business, so they do not belong into the repository, and their
/// paths may lead anywhere.
/// </summary>
internal static class LocalSets
{
    /// <summary>The file's name.</summary>
    public const string FileName = "ssti.local.yaml";

    private const string Form = "such as 'set: { imdb.source: /data/imdb }'";

    /// <summary>The values beside a pipeline that concern it; null without such a file.</summary>
    /// <param name="pipeline">The pipeline's file.</param>
    /// <param name="source">What it says.</param>
    /// <param name="diagnostics">Where errors go.</param>
    /// <param name="values">The values; of two of one name the later holds.</param>
    public static LocalValues? Read(string pipeline, PipelineSource source, DiagnosticBag diagnostics, out IReadOnlyList<SetValue> values)
    {
        var folder = Path.GetDirectoryName(pipeline) ?? "";
        LocalValues? told = null;
        List<SetValue> all = [];
        foreach (var name in new[] { FileName, $"{Path.GetFileNameWithoutExtension(pipeline)}.local.yaml" }.Distinct())
        {
            if (One(Path.Combine(folder, name), source, diagnostics, all) is not { } here) continue;
            told = told is null ? here : new($"{told.File} and {here.File}", [.. told.Used, .. here.Used], [.. told.PassedOver, .. here.PassedOver]);
        }

        values = all;
        return told;
    }

    private static LocalValues? One(string shown, PipelineSource source, DiagnosticBag diagnostics, List<SetValue> values)
    {
        var full = Path.GetFullPath(shown);
        if (!Path.Exists(full)) return null;
        // It is there for every command: one that waits for a writer would make each of them wait.
        if (SpecialFiles.Is(full))
        {
            diagnostics.Error(DiagnosticCodes.Unreadable, new SourceLocation(shown, 0, 0), $"'{shown}' is a pipe or a device, not a file", "make it a file, or remove it");
            return null;
        }

        if (PipelineSource.Text(full, shown, new SourceLocation(shown, 0, 0), diagnostics) is not { } text) return null;
        var file = new SourceFile(shown, Path.GetDirectoryName(full)!, Root: null) { HasLines = true };
        var all = Values(YamlReader.Read(file, text, diagnostics), file, diagnostics);
        List<SetValue> here = [.. all.Where(set => Concerns(source, set, diagnostics))];
        values.AddRange(here);
        return new LocalValues(shown, [.. here.Select(set => set.Name)], [.. all.Except(here).Select(set => set.Name)]);
    }

    private static IReadOnlyList<SetValue> Values(YamlNode? root, SourceFile file, DiagnosticBag diagnostics)
    {
        if (root is null or YamlScalar { IsNull: true }) return [];
        if (root is not YamlMapping mapping)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, root.Where, $"'{FileName}' must be a mapping, not {root.Described}", Form);
            return [];
        }

        foreach (var (key, _) in mapping.Entries)
            if (key.Text != "set") diagnostics.Unknown(DiagnosticCodes.UnknownKey, key.Where, "key", key.Text, ["set"], $"keys of {FileName}");
        switch (mapping["set"])
        {
            case null or YamlScalar { IsNull: true }:
                return [];
            case YamlMapping named:
                return [.. named.Entries.Select(entry => new SetValue(entry.Key.Text, entry.Value, entry.Key))];
            case YamlSequence list:
                return [.. list.Items.Select(item => Item(item, file, diagnostics)).OfType<SetValue>()];
            case var other:
                diagnostics.Error(DiagnosticCodes.WrongType, other.Where, $"'set' must be a mapping or a list of name=value, not {other.Described}", Form);
                return [];
        }
    }

    private static SetValue? Item(YamlNode item, SourceFile file, DiagnosticBag diagnostics)
    {
        if (item is YamlScalar { IsNull: false } scalar)
            return CommandLineSets.Split(scalar.Text, _ => file, scalar.Where.Line, scalar.Where.Column, "such as '- imdb.source=/data/imdb'", diagnostics);
        diagnostics.Error(DiagnosticCodes.BadSet, item.Where, $"expected name=value, not {item.Described}", "such as '- imdb.source=/data/imdb'");
        return null;
    }

    // One file lies beside several pipelines. What is of another is passed over and told; what looks like a slip of the pen is said.
    private static bool Concerns(PipelineSource source, SetValue set, DiagnosticBag diagnostics)
    {
        var (first, known) = set.Name.Split('.') is ["params", .. var rest]
            ? (string.Join('.', rest), source.Parameters.Keys) : (set.Name.Split('.')[0], source.Stages.Select(stage => stage.Name.Text));
        var names = known.ToHashSet();
        if (names.Contains(first) || first is "compute" || !set.Name.Contains('.', StringComparison.Ordinal)) return true;
        if (NearestWord.Find(first, names) is { } nearest)
            diagnostics.Warning(DiagnosticCodes.UnknownSet, set.Place.Where, $"'{set.Name}' is nothing of this pipeline and is passed over; did you mean '{nearest}'?");
        return false;
    }
}
