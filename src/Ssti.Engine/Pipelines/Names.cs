namespace Ssti.Engine.Pipelines;

/// <summary>What names may look like: they become file names, globs and parts of other names.</summary>
internal static class Names
{
    public const string StageRule = "a letter, then letters, digits, '-' and '_'";
    public const string CellRule = "letters, digits, '-', '_', '.' and '+'";

    /// <summary>First words of a <c>--set</c>, so no stage can be called that.</summary>
    public static readonly IReadOnlyList<string> Reserved = ["params", "compute", "seed"];

    public static bool IsStage(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    public static bool IsCell(string name) =>
        name.Length is > 0 and <= 100 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+') && name.Any(c => c != '.');
}
