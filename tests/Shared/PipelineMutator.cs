using System.Text;

namespace Ssti.Tests;

/// <summary>Spoils pipelines at random, but not beyond recognition: most of a file stays what it was, so that mutations reach past the parser.</summary>
internal static class PipelineMutator
{
    private static readonly string[] Tokens =
    [
        "${{", "}}", "${{ params.rank }}", "${{ matrix.row.target }}", "${{ params.seeds }}", "&a ", "*a", "<<: *a", "!!str ", "---\n",
        "...\n", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "\t", "\n", "\r", "\0",
        "\ufeff", "'", "\"", "\\x", "%YAML 1.9\n", "# ", "@", "`", "~", "null", ".nan", "-.inf", "1e999", "99999999999999999999", "0x",
        "needs:", "matrix:", "uses: text", "uses: corpus", "with:", "../..", "../../../etc/passwd",
        "/etc", "include: [table1.yaml]\n", "\ud800", "😀", "é", "@*", "**", "retries: -1", "timeout: 9d", "resources: { gpu: 99 }",
    ];

    /// <summary>A mutated text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="other">One that lines may be taken from.</param>
    /// <param name="most">How many changes at most: a short text takes fewer before nothing of it is left.</param>
    /// <param name="random">Decides everything.</param>
    public static string Mutate(string text, string other, int most, Random random)
    {
        var mutated = new StringBuilder(text);
        for (var n = random.Next(1, most + 1); n > 0 && mutated.Length > 0; n--)
        {
            var at = random.Next(mutated.Length);
            var length = Math.Min(random.Next(1, 40), mutated.Length - at);
            switch (random.Next(9))
            {
                case 0: mutated.Remove(at, length); break;
                case 1: mutated.Insert(at, Tokens[random.Next(Tokens.Length)]); break;
                case 2: mutated.Insert(at, mutated.ToString(at, length)); break;
                case 3: mutated[at] = (char)random.Next(32, 127); break;
                case 4: mutated.Insert(at, new string(' ', random.Next(1, 6))); break;
                case 5: mutated.Insert(random.Next(mutated.Length), mutated.ToString(at, length)); break;
                case 6: mutated.Length = at; break;
                case 7:
                    var foreign = other.Split('\n');
                    var begin = random.Next(foreign.Length);
                    mutated.Insert(at, '\n' + string.Join('\n', foreign[begin..Math.Min(foreign.Length, begin + random.Next(1, 6))]) + '\n');
                    break;
                default:
                    var lines = mutated.ToString().Split('\n').ToList();
                    lines.Insert(random.Next(lines.Count), lines[random.Next(lines.Count)]);
                    mutated.Clear().AppendJoin('\n', lines);
                    break;
            }
        }

        return mutated.ToString();
    }
}
