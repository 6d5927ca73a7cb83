using System.Text;
using System.Text.RegularExpressions;

namespace Ssti.Corpus.Sources;

/// <summary>Patterns of files as shells and the Hub write them: <c>*</c> and <c>?</c> stay in a folder, <c>**</c> does not, <c>[0-9]</c> is one character.</summary>
internal static class GlobPattern
{
    /// <summary>Whether a path relative to the source fits a pattern. A path fits itself, whatever is in it.</summary>
    public static bool Matches(string pattern, string path)
    {
        if (pattern.StartsWith("./", StringComparison.Ordinal)) pattern = pattern[2..];
        return pattern == path || Regex.IsMatch(path, Translate(pattern), RegexOptions.CultureInvariant);
    }

    private static string Translate(string pattern)
    {
        var regex = new StringBuilder("^");
        for (var at = 0; at < pattern.Length; at++)
        {
            var rest = pattern.AsSpan(at);
            if (rest.StartsWith("**/")) { regex.Append("(?:.*/)?"); at += 2; }
            else if (rest.StartsWith("**")) { regex.Append(".*"); at++; }
            else if (rest[0] == '*') regex.Append("[^/]*");
            else if (rest[0] == '?') regex.Append("[^/]");
            else if (rest[0] == '[' && rest.IndexOf(']') is > 1 and var end) { regex.Append(Class(rest[1..end].ToString())); at += end; }
            else regex.Append(Regex.Escape(rest[..1].ToString()));
        }

        return regex.Append('$').ToString();
    }

    private static string Class(string members) =>
        (members[0] == '!' ? "[^" : "[") + members.TrimStart('!').Replace(@"\", @"\\").Replace("[", @"\[").Replace("^", @"\^") + "]";
}
