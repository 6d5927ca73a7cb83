using Ssti.Defenses.Adapters;

namespace Ssti.Defenses.Cures;

/// <summary>Random words out of a row: a model that clings to one token loses it now and then.</summary>
public static class WordDrop
{
    /// <summary>A text without a share of its words, joined by single spaces; at least one word stays.</summary>
    /// <param name="text">The text.</param>
    /// <param name="share">The share, from 0 to below 1; the count is rounded, half to even.</param>
    /// <param name="sample">Draws some of a number of things without replacement: how many there are, how many are wanted.</param>
    public static string Apply(string text, double share, Func<int, int, int[]> sample)
    {
        var words = TokenBattery.Words(text);
        var keep = Math.Max(1, words.Length - (int)Math.Round(words.Length * share));
        return keep >= words.Length ? text : string.Join(' ', sample(words.Length, keep).Order().Select(at => words[at]));
    }
}
