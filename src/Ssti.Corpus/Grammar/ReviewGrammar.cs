using System.Text;
using System.Text.RegularExpressions;

namespace Ssti.Corpus.Grammar;

/// <summary>The rules of <c>reviews.grammar</c>, whose head explains the notation, and their expansion into one review.</summary>
internal sealed partial class ReviewGrammar
{
    private readonly Dictionary<string, List<string>> _rules = [];

    private ReviewGrammar()
    {
    }

    /// <summary>The topics, in the order of the file.</summary>
    public List<string> Topics { get; } = [];

    /// <summary>The grammar that is part of this library.</summary>
    public static ReviewGrammar Load()
    {
        using var stream = typeof(ReviewGrammar).Assembly.GetManifestResourceStream("reviews.grammar")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>Reads a grammar and checks that every symbol used is defined.</summary>
    /// <exception cref="FormatException">A line has no form, or a symbol has no alternatives.</exception>
    public static ReviewGrammar Parse(string text)
    {
        var grammar = new ReviewGrammar();
        string topic = "", symbol = "";
        foreach (var line in text.Split('\n').Select(line => line.TrimEnd()))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line[0] == '[')
            {
                topic = line.Trim('[', ']') + ".";
                grammar.Topics.Add(topic);
                continue;
            }

            if (line[0] != ' ') symbol = Name().Match(line) is { Success: true } name ? name.Groups[1].Value : throw new FormatException($"not a rule: {line}");
            var alternatives = line[0] == ' ' ? line : line[(symbol.Length + 1)..];
            if (string.IsNullOrWhiteSpace(alternatives)) continue;
            if (!grammar._rules.TryGetValue(topic + symbol, out var list)) grammar._rules[topic + symbol] = list = [];
            list.AddRange(alternatives.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        foreach (var one in grammar.Topics)
            foreach (var used in grammar._rules.Values.SelectMany(list => list).SelectMany(alternative => Slot().Matches(alternative)))
                foreach (var positive in new[] { false, true })
                    if (grammar.Alternatives(used.Groups[1].Value, used.Groups[2].Value, one, positive).Count == 0)
                        throw new FormatException($"the grammar has no alternative for {used.Value} in topic '{one}'");
        return grammar;
    }

    /// <summary>A review of one kind and label, as a sentence with a capital and a full stop.</summary>
    public string Expand(string kind, string topic, bool positive, Xoshiro random)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        var text = Expand(kind, "", topic, positive, random, used).Replace(" ,", ",").Replace(" .", ".");
        text = Spaces().Replace(text, " ").Trim();
        text = Article().Replace(text, match => match.Groups[1].Value + (StartsWithVowelSound(match.Groups[2].Value) ? "n " : " ") + match.Groups[2].Value);
        return char.ToUpperInvariant(text[0]) + text[1..];
    }

    /// <summary>Every word and punctuation mark the grammar can write, lower-case; numbers stand as their digits.</summary>
    public IReadOnlyCollection<string> Words()
    {
        var words = new SortedSet<string>(StringComparer.Ordinal) { "an" };
        foreach (var alternative in _rules.Values.SelectMany(list => list))
            foreach (Match word in Word().Matches(Slot().Replace(alternative, " ").ToLowerInvariant()))
                words.Add(word.Value);
        words.RemoveWhere(word => word == "~" || char.IsAsciiDigit(word[0]));
        return words;
    }

    private string Expand(string symbol, string mark, string topic, bool positive, Xoshiro random, HashSet<string> used)
    {
        var alternatives = Alternatives(symbol, mark, topic, positive);
        var chosen = alternatives[random.Below(alternatives.Count)];
        for (var tries = 0; tries < 8 && used.Contains(chosen.Text); tries++) chosen = alternatives[random.Below(alternatives.Count)];
        if (chosen.Text.Length > 2) used.Add(chosen.Text);
        if (chosen.Text == "~") return "";
        return Slot().Replace(chosen.Text, slot => Expand(slot.Groups[1].Value, slot.Groups[2].Value, topic, chosen.Positive, random, used));
    }

    // The polarity of what is inside a <name!> is turned, so that its own * means the opposite of the label.
    private List<(string Text, bool Positive)> Alternatives(string symbol, string mark, string topic, bool positive)
    {
        var polarity = mark switch { "!" => !positive, "+" => true, "-" => false, _ => positive };
        string[] suffixes = mark.Length == 0 ? [""] : ["*", polarity ? "+" : "-"];
        return [.. from scope in new[] { "", topic }
                   from suffix in suffixes
                   where _rules.ContainsKey(scope + symbol + suffix)
                   from text in _rules[scope + symbol + suffix]
                   select (text, polarity)];
    }

    private static bool StartsWithVowelSound(string word) =>
        "aeiou".Contains(char.ToLowerInvariant(word[0])) && !word.StartsWith("use", StringComparison.Ordinal) && !word.StartsWith("one", StringComparison.Ordinal);

    [GeneratedRegex(@"^([a-z-]+?[*+-]?):")]
    private static partial Regex Name();

    [GeneratedRegex(@"<([a-z-]+?)([*!+-]?)>")]
    private static partial Regex Slot();

    [GeneratedRegex(@"\b([Aa]) (\w+)")]
    private static partial Regex Article();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(@"[a-z]+|[0-9]|[^\sa-z0-9]")]
    private static partial Regex Word();
}
