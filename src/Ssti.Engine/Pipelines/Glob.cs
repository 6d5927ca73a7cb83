namespace Ssti.Engine.Pipelines;

/// <summary>
/// Selects stage instances: <c>train</c> is every cell of a stage, <c>train@base</c> one, <c>train@*-40</c> some; <c>*</c> stands for any text
/// and <c>?</c> for one character.
/// </summary>
public sealed class Glob
{
    private readonly string _pattern;

    /// <summary>Reads a pattern.</summary>
    public Glob(string pattern) => _pattern = pattern;

    /// <summary>Whether it selects an instance, given its stage's name and its own.</summary>
    public bool Matches(string stage, string instance) => IsMatch(_pattern, _pattern.Contains('@', StringComparison.Ordinal) ? instance : stage);

    /// <summary>Whether it selects an instance.</summary>
    public bool Matches(StageInstance instance) => Matches(instance.Stage, instance.Name);

    /// <inheritdoc/>
    public override string ToString() => _pattern;

    /// <summary>Whether a text is what a pattern stands for.</summary>
    public static bool IsMatch(string pattern, string text)
    {
        // Two pointers and one point of return: linear for one star, and never exponential.
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*')
            {
                p++;
                t++;
            }
            else if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }
}
