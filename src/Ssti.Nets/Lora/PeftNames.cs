using System.Text.RegularExpressions;

namespace Ssti.Nets.Lora;

/// <summary>How PEFT matches names of modules (<c>check_target_module_exists</c>, <c>get_pattern_key</c>).</summary>
internal static class PeftNames
{
    /// <summary>target_modules that mean every linear.</summary>
    public const string AllLinear = "all-linear";

    // Patterns come with a download: one that tries everything must not hold a run up.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>Whether a name of a list names a module: wholly, or by its end after a dot.</summary>
    public static bool Named(string name, string module) => module == name || module.EndsWith($".{name}", StringComparison.Ordinal);

    /// <summary>Whether a pattern matches the whole of a module's name.</summary>
    public static bool Whole(string pattern, string module) => Match($"^(?:{pattern})$", module).Success;

    /// <summary>Whether a key of rank_pattern or alpha_pattern matches a module's name, or its end after a dot.</summary>
    public static bool Key(string pattern, string module) => Match($@"^(.*\.)?({pattern})$", module).Success;

    /// <summary>A match as Python's re has it.</summary>
    /// <exception cref="RegexParseException">It is no pattern.</exception>
    /// <exception cref="FormatException">It takes too long.</exception>
    public static Match Match(string pattern, string module)
    {
        try
        {
            // Python writes named groups otherwise.
            return Regex.Match(module, pattern.Replace("(?P<", "(?<", StringComparison.Ordinal), RegexOptions.CultureInvariant, Longest);
        }
        catch (RegexMatchTimeoutException)
        {
            throw new FormatException($"the pattern '{pattern}' takes too long to match; write it without a repetition inside a repetition");
        }
    }
}
