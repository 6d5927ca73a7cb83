using Ssti.Corpus.Grammar;

namespace Ssti.Corpus.Rewriting;

/// <summary>
/// Paraphrases a text by rules: no model and no understanding, so it is the weaker the further a text is from its lists. The same seed gives the same text.
/// Words are parted by single spaces afterwards.
/// </summary>
/// <param name="rules">What may change.</param>
/// <param name="rate">At how many of the places where a rule fits it is applied, from 0 to 1.</param>
public sealed class RuleParaphraser(IReadOnlySet<ParaphraseRule> rules, double rate)
{
    private static readonly HashSet<string> Subordinators = ["because", "when", "while", "if", "although", "after", "before", "unless", "whenever"];

    /// <summary>The paraphrase of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="seed">What all that is drawn comes from.</param>
    public string Rewrite(string text, ulong seed)
    {
        var random = new Xoshiro(seed, 0);
        var words = new List<string>();
        foreach (var sentence in Sentences(text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)))
        {
            var reordered = rules.Contains(ParaphraseRule.Clauses) ? Reorder(sentence, random) : sentence;
            words.AddRange(Replace(reordered, random));
        }

        return string.Join(' ', words);
    }

    private bool Draw(Xoshiro random) => random.NextDouble() < rate;

    private static IEnumerable<List<string>> Sentences(string[] words)
    {
        var sentence = new List<string>();
        foreach (var word in words)
        {
            sentence.Add(word);
            if (word[^1] is not ('.' or '!' or '?')) continue;
            yield return sentence;
            sentence = [];
        }

        if (sentence.Count > 0) yield return sentence;
    }

    private List<string> Reorder(List<string> sentence, Xoshiro random)
    {
        var (words, end) = Open(sentence);
        for (var i = 3; i + 3 <= words.Count; i++)
        {
            var word = words[i].ToLowerInvariant();
            if (word == "but" && words[i - 1][^1] == ',' && Draw(random))
                return [.. Join(["although", .. Lowered(words[..i])], capital: IsCapital(words[0])), .. Close(words[(i + 1)..], end)];
            if (word != "because" || !Draw(random)) continue;
            return [.. Join(["because", .. words[(i + 1)..]], capital: IsCapital(words[0]), comma: true), .. Close(Lowered(WithoutComma(words[..i])), end)];
        }

        if (words.Count < 6 || !Subordinators.Contains(words[0].ToLowerInvariant())) return sentence;
        var comma = words.FindIndex(word => word[^1] == ',');
        if (comma < 2 || words.Count - comma < 4 || !Draw(random)) return sentence;
        return [.. Join(words[(comma + 1)..], capital: IsCapital(words[0])), .. Close(Lowered(WithoutComma(words[..(comma + 1)])), end)];
    }

    private IEnumerable<string> Replace(List<string> words, Xoshiro random)
    {
        for (var i = 0; i < words.Count;)
        {
            var taken = 0;
            for (var length = Math.Min(ParaphraseRules.LongestPhrase, words.Count - i); length > 0 && taken == 0; length--)
            {
                var (before, phrase, after) = Phrase(words, i, length);
                var fitting = ParaphraseRules.Of(phrase.ToLowerInvariant()).Where(one => rules.Contains(one.Rule)).SelectMany(one => one.Others).ToArray();
                if (fitting.Length == 0) continue;
                taken = length;
                if (!Draw(random))
                {
                    foreach (var word in words.Slice(i, length)) yield return word;
                    continue;
                }

                var other = fitting[random.Below(fitting.Length)];
                yield return before + (IsCapital(phrase) ? char.ToUpperInvariant(other[0]) + other[1..] : other) + after;
            }

            if (taken == 0) yield return Marks(words[i], random);
            i += Math.Max(1, taken);
        }
    }

    private string Marks(string word, Xoshiro random)
    {
        var end = word.Length;
        while (end > 0 && word[end - 1] is '!' or '?' or '.') end--;
        var marks = word[end..];
        if (!rules.Contains(ParaphraseRule.Punctuation) || marks.Length == 0 || (marks is "." or "?" or "...") || !Draw(random)) return word;
        return word[..end] + (marks.Contains('?') ? "?" : ".");
    }

    // Marks may stand around a phrase, and not within it.
    private static (string Before, string Phrase, string After) Phrase(List<string> words, int at, int length)
    {
        var text = string.Join(' ', words.Slice(at, length));
        int start = 0, end = text.Length;
        while (start < end && !char.IsLetterOrDigit(text[start])) start++;
        while (end > start && !char.IsLetterOrDigit(text[end - 1])) end--;
        return (text[..start], text[start..end], text[end..]);
    }

    private static (List<string> Words, string End) Open(List<string> sentence)
    {
        var last = sentence[^1];
        var marks = last.Length;
        while (marks > 0 && last[marks - 1] is '.' or '!' or '?') marks--;
        if (marks == last.Length) return (sentence, "");
        return marks == 0 ? (sentence[..^1], $" {last}") : ([.. sentence[..^1], last[..marks]], last[marks..]);
    }

    private static List<string> Close(List<string> words, string end) =>
        end.Length == 0 ? words : end[0] == ' ' ? [.. words, end[1..]] : [.. words[..^1], words[^1] + end];

    private static List<string> Join(List<string> words, bool capital, bool comma = false)
    {
        if (capital) words[0] = char.ToUpperInvariant(words[0][0]) + words[0][1..];
        if (comma) words[^1] += ",";
        return words;
    }

    private static List<string> Lowered(List<string> words)
    {
        // A name, or an I, keeps its capital: only words of the lists are known to be none.
        var first = words[0].ToLowerInvariant();
        return Subordinators.Contains(first) || first is "the" or "a" or "an" or "it" or "this" or "that" or "there" or "he" or "she" or "they" or "we" or "you"
            ? [first, .. words[1..]] : words;
    }

    private static List<string> WithoutComma(List<string> words) => words[^1] == "," ? words[..^1]
        : words[^1][^1] == ',' ? [.. words[..^1], words[^1][..^1]] : words;

    private static bool IsCapital(string word) => char.IsUpper(word[0]);
}
