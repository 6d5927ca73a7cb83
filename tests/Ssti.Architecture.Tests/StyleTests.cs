using System.Text.RegularExpressions;
using Ssti.Tests;

namespace Ssti.Architecture.Tests;

/// <summary>House rules that no analyser knows.</summary>
public sealed partial class StyleTests
{
    private const int LongestFile = 300;

    // New code is written to 140 (.editorconfig).
    private const int LongestLine = 180;

    private static readonly string[] Sources = [.. Files("src")];

    [Fact]
    public void A_source_file_is_short_enough_to_read() =>
        Assert.Empty(Sources.Where(path => File.ReadLines(path).Count() > LongestFile).Select(Relative));

    [Fact]
    public void A_line_is_short_enough_to_see() => Assert.Empty(
        from path in Sources.Concat(Files("tests")).Concat(Files("AppHost"))
        from line in File.ReadLines(path).Select((text, index) => (Text: text, Number: index + 1))
        where line.Text.Length > LongestLine
        select $"{Relative(path)}({line.Number}): {line.Text.Length} columns");

    [Fact]
    public void No_unfinished_work_is_left_in_the_source() =>
        Assert.Empty(Sources.Where(path => Unfinished().IsMatch(File.ReadAllText(path))).Select(Relative));

    /// <summary>Clocks, environment and shared randomness are handed in, or the same key would not mean the same bytes.</summary>
    [Fact]
    public void Stages_and_what_they_call_read_no_clock_environment_or_shared_randomness()
    {
        var rooms = new[] { "Ssti.Corpus", "Ssti.Injection", "Ssti.Training", "Ssti.Reporting", "Ssti.Stages" };
        var wrong = from path in Sources
                    where rooms.Any(room => Relative(path).StartsWith($"src/{room}/", StringComparison.Ordinal))
                    from Match match in Ambient().Matches(File.ReadAllText(path))
                    select $"{Relative(path)}: {match.Value}";
        Assert.Empty(wrong);
    }

    private static IEnumerable<string> Files(string folder) => Directory
        .EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static string Relative(string path) => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bRandom\.Shared\b|\bnew Random\(|\bEnvironment\.GetEnvironmentVariable\b|\bGuid\.NewGuid\b")]
    private static partial Regex Ambient();
}
