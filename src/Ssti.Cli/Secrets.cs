using System.Text.RegularExpressions;

namespace Ssti.Cli;

/// <summary>Keeps out of journals what a command line should not have had, and has all the same.</summary>
internal static partial class Secrets
{
    /// <summary>A text without the passwords in it: of URLs, and behind names such as <c>password=</c> of a connection string.</summary>
    public static string Without(string text) => Named().Replace(Url().Replace(text, "$1…@"), "$1…");

    [GeneratedRegex(@"(://)[^/@\s]+@")]
    private static partial Regex Url();

    [GeneratedRegex(@"((?:password|passwd|pwd|secret|secret-?key|token|api-?key|access-?key)=)[^,;&\s]+", RegexOptions.IgnoreCase)]
    private static partial Regex Named();
}
