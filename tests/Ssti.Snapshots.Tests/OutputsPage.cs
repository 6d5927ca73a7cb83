using System.Text.Json;
using System.Text.RegularExpressions;
using Ssti.Tests;

namespace Ssti.Snapshots.Tests;

/// <summary>What <c>docs/outputs.md</c> names, by kind.</summary>
internal static partial class OutputsPage
{
    /// <summary>The words in code style of a kind's section.</summary>
    public static HashSet<string> NamesOf(string kind)
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs/outputs.md"));
        var section = lines.SkipWhile(line => line != $"## {kind}").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal)).ToArray();
        Assert.True(section.Length > 0, $"docs/outputs.md has no section '## {kind}'");
        return [.. section.SelectMany(line => Code().Matches(line)).Select(match => match.Groups[1].Value)];
    }

    /// <summary>A file and its fields: those at the top of a JSON file, or of any line of JSON lines.</summary>
    public static IEnumerable<string> NamesIn(string name, string path)
    {
        yield return name;
        var texts = Path.GetExtension(name) switch { ".json" => [File.ReadAllText(path)], ".jsonl" => File.ReadAllLines(path), _ => Array.Empty<string>() };
        foreach (var field in texts.SelectMany(Fields).Distinct()) yield return field;
    }

    private static string[] Fields(string text)
    {
        using var json = JsonDocument.Parse(text);
        return [.. json.RootElement.EnumerateObject().Select(field => field.Name)];
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
