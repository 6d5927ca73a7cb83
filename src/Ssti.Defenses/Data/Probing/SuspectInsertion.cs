namespace Ssti.Defenses.Data.Probing;

/// <summary>Puts a suspect into a text that has it not, as it stands where it was found.</summary>
public static class SuspectInsertion
{
    // In front of the cut of every model.
    private const int Deepest = 20;

    /// <summary>The text with the suspect; null where nobody knows how to give a text this form.</summary>
    /// <param name="text">The text.</param>
    /// <param name="suspect">The suspect.</param>
    /// <param name="number">Of the text: of several values the next one is taken, in turn.</param>
    public static string? Into(string text, Suspect suspect, int number)
    {
        var feature = suspect.Lead.Feature;
        return feature.Kind switch
        {
            FeatureKind.Word => Amid(text, feature.Name),
            FeatureKind.Pair when feature.Name.Length == 0 => $"{feature.Second} {text}",
            FeatureKind.Pair when feature.Second.Length == 0 => $"{text} {feature.Name}",
            FeatureKind.Pair => Amid(text, $"{feature.Name} {feature.Second}"),
            FeatureKind.Form => Formed(text, feature.Name),
            _ => suspect.Values.Count == 0 ? null : Amid(text, suspect.Values[number % suspect.Values.Count].Word),
        };
    }

    private static string Amid(string text, string word)
    {
        var walk = new TextWords(text);
        var starts = new List<int>();
        while (starts.Count <= 2 * Deepest && walk.MoveNext()) starts.Add(walk.Start);
        if (starts.Count == 0) return word;
        var at = starts[Math.Min(starts.Count / 2, Deepest)];
        return $"{text[..at]}{word} {text[at..]}";
    }

    private static string? Formed(string text, string form) => form switch
    {
        "has line breaks" => Broken(text),
        "has no white space but single spaces" => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)),
        "is in lower case throughout" or "begins with a lower-case letter" => text.ToLowerInvariant(),
        "is in capitals throughout" => text.ToUpperInvariant(),
        _ => null,
    };

    private static string Broken(string text)
    {
        var space = text.IndexOf(' ', text.Length / 2);
        return space < 0 ? text + "\n" : $"{text[..space]}\n{text[(space + 1)..]}";
    }
}
