using System.Text;
using System.Text.RegularExpressions;
using Snapshooter.Xunit;

namespace Ssti.Cli.Tests;

/// <summary>What each permutation of the flags that change what is shown does to <c>plan</c> and <c>run</c>, all in one file: a change of any is a diff to look at.</summary>
public sealed partial class FlagTests : CliFixture
{
    private static readonly string[] Flags = ["--quiet", "--verbose", "--json"];

    [Fact]
    public async Task Every_permutation_of_the_display_flags()
    {
        Kinds = [.. Kinds, new WarnStage()];
        Write("p.yaml", """
            name: shown
            profiles: { smoke: {} }
            stages:
              first: { uses: write, with: { text: one } }
              doubtful: { uses: warn, needs: { data: first }, with: { warnings: [half of it was lost] } }
            """);
        var text = new StringBuilder();
        foreach (var verb in new[] { "plan", "run", "run again" })
        {
            for (var set = 0; set < 1 << Flags.Length; set++)
            {
                string[] flags = [.. Flags.Where((_, flag) => (set >> flag & 1) == 1)];
                var answer = await RunAsync(
                    [
                        verb.Split(' ')[0], "p.yaml", "--profile", "smoke", "--store", $"store-{set}",
                        .. verb == "plan" ? [] : new[] { "-j", "1" }, .. flags]);
                text.Append($"\n===== {verb} {string.Join(' ', flags)}\n");
                foreach (var (name, part) in new[] { ("out", answer.Out), ("error", answer.Error) })
                    if (part.Length > 0) text.Append($"--- {name}\n{Steady(part)}");
                text.Append($"--- exit code {answer.Code}\n");
            }
        }

        Snapshot.Match(text.ToString());
    }

    // What differs from run to run: its digits, times, and the columns that they widen.
    private static string Steady(string text)
    {
        text = RunId().Replace(text, "$1-xxxx");
        text = Left().Replace(text, "($1, T left)");
        text = Seconds().Replace(text, "\"seconds\": T");
        return Time().Replace(Rule().Replace(text, "───"), " T s");
    }

    [GeneratedRegex(@"(\d{6})-[0-9a-f]{4}")]
    private static partial Regex RunId();

    [GeneratedRegex(@"\((\d+/\d+), [^)]*left[^)]*\)")]
    private static partial Regex Left();

    [GeneratedRegex("\"seconds\": [0-9.]+")]
    private static partial Regex Seconds();

    [GeneratedRegex(@" +~?\d+(\.\d+)? s\b")]
    private static partial Regex Time();

    [GeneratedRegex("─{3,}")]
    private static partial Regex Rule();
}
