using Ssti.Engine.Yaml;

namespace Ssti.Cli.Display;

/// <summary>Names as messages list and guess them.</summary>
internal static class Words
{
    /// <summary>The first few of some names, and how many more there are.</summary>
    public static string List(IReadOnlyCollection<string> names) => names.Count <= 6
        ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Count - 5} more";

    /// <summary><c>, profile smoke</c> behind a name, or nothing.</summary>
    public static string Profile(string? profile) => profile is null ? "" : $", profile {profile}";

    /// <summary>
    /// <c> of a group of 8</c> behind the time of a stage that was worked at together with others, which is the time of all of them; else
    /// nothing.
    /// </summary>
    public static string Together(int stages) => stages > 1 ? $" of a group of {stages}" : "";

    /// <summary><c> (did you mean 'train'?)</c>, or nothing when no name is near.</summary>
    public static string Meant(string word, IEnumerable<string> names) => NearestWord.Find(word, names) is { } near ? $" (did you mean '{near}'?)" : "";
}
