namespace Ssti.Corpus.Rewriting;

/// <summary>What a rule-based paraphrase may change.</summary>
public enum ParaphraseRule
{
    /// <summary>
    /// The order of two clauses: <c>A, but B</c> becomes <c>although A, B</c>; <c>A because B</c> becomes <c>because B, A</c>; <c>when A, B</c> becomes <c>B when A</c>.
    /// </summary>
    Clauses,

    /// <summary>Contractions, both ways: <c>don't</c> and <c>do not</c>.</summary>
    Contractions,

    /// <summary>Function words and set phrases: <c>in order to</c> and <c>to</c>.</summary>
    FunctionWords,

    /// <summary>Words of like meaning, from a small list made for film reviews.</summary>
    Synonyms,

    /// <summary>Exclamation marks become full stops, and runs of marks one.</summary>
    Punctuation,
}

/// <summary>Groups of phrases that stand for one another, read once from the list that comes with the program.</summary>
internal static class ParaphraseRules
{
    /// <summary>The most words of a phrase.</summary>
    public const int LongestPhrase = 4;

    private static readonly Lazy<Dictionary<string, (ParaphraseRule Rule, string[] Others)[]>> Table = new(Read);

    /// <summary>What may stand for a phrase in small letters: by rule, in the order of the list.</summary>
    public static IReadOnlyList<(ParaphraseRule Rule, string[] Others)> Of(string phrase) => Table.Value.GetValueOrDefault(phrase) ?? [];

    private static Dictionary<string, (ParaphraseRule, string[])[]> Read()
    {
        using var stream = typeof(ParaphraseRules).Assembly.GetManifestResourceStream("paraphrase.rules")!;
        using var reader = new StreamReader(stream);
        var rule = ParaphraseRule.Synonyms;
        var found = new List<(string Phrase, ParaphraseRule Rule, string[] Others)>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            if (line[0] == '[')
            {
                rule = line switch
                {
                    "[contractions]" => ParaphraseRule.Contractions,
                    "[function-words]" => ParaphraseRule.FunctionWords,
                    _ => ParaphraseRule.Synonyms,
                };
                continue;
            }

            var group = line.Split('|', StringSplitOptions.TrimEntries);
            found.AddRange(group.Select(phrase => (phrase, rule, group.Where(other => other != phrase).ToArray())));
        }

        return found.GroupBy(one => one.Phrase).ToDictionary(group => group.Key, group => group.Select(one => (one.Rule, one.Others)).ToArray());
    }
}
