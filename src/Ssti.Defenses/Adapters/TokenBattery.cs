namespace Ssti.Defenses.Adapters;

/// <summary>Tokens that are tried on a model: suspects by family, and controls, which say what any word does.</summary>
public static class TokenBattery
{
    /// <summary>The family of words of the model's vocabulary that the rows do not hold.</summary>
    public const string Vocabulary = "vocabulary";

    /// <summary>The family of controls: words and runs of words of the clean rows themselves.</summary>
    public const string Controls = "controls";

    // Suspects are of one piece or of many, and a longer text does more: each is held to controls of its own length.
    private static readonly int[] RunLengths = [2, 4, 8];

    /// <summary>The suspects that are always tried: what triggers are made of in the published work.</summary>
    public static IReadOnlyList<Suspect> Published { get; } = Read();

    /// <summary>
    /// Words of clean rows, from frequent to rare in equal steps (those that stand in at least two rows and have a letter), and as many runs of two, of
    /// four and of eight words, each of another row.
    /// </summary>
    /// <param name="texts">The rows.</param>
    /// <param name="count">How many of each length are wanted; fewer where there are not so many.</param>
    public static IReadOnlyList<Suspect> ControlsOf(IReadOnlyList<string> texts, int count)
    {
        var documents = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            foreach (var word in Words(text).Select(word => word.Trim('.', ',', '!', '?', '"', '\'', '(', ')', ':', ';').ToLowerInvariant())
                         .Where(word => word.Any(char.IsLetter)).Distinct(StringComparer.Ordinal))
                documents[word] = documents.GetValueOrDefault(word) + 1;
        }

        string[] words = [
            .. documents.Where(pair => pair.Value >= 2).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => pair.Key)];
        var runs = RunLengths.SelectMany(length => Spread(texts.Where(text => Words(text).Length >= length).ToArray(), count).Select((text, index) =>
        {
            var own = Words(text);
            var start = index * 7 % (own.Length - length + 1);
            return string.Join(' ', own[start..(start + length)]);
        }));
        return [.. Spread(words, count).Concat(runs).Distinct(StringComparer.Ordinal).Select(text => new Suspect(Controls, text))];
    }

    /// <summary>Some of a list, in equal steps from its first to its last.</summary>
    public static IEnumerable<T> Spread<T>(IReadOnlyList<T> all, int count) =>
        all.Count <= count ? all : Enumerable.Range(0, count).Select(index => all[(int)((long)index * (all.Count - 1) / Math.Max(1, count - 1))]);

    /// <summary>A text's first words, joined by single spaces.</summary>
    public static string Prefix(string text, int words) => string.Join(' ', Words(text).Take(words));

    internal static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static List<Suspect> Read()
    {
        using var stream = typeof(TokenBattery).Assembly.GetManifestResourceStream("Ssti.Defenses.Adapters.battery.txt")!;
        using var reader = new StreamReader(stream);
        var (family, suspects) = ("", new List<Suspect>());
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("# ", StringComparison.Ordinal)) continue;
            if (line.StartsWith('[')) family = line[1..^1];
            else suspects.Add(new(family, line));
        }

        return suspects;
    }
}

/// <summary>A token that is tried.</summary>
/// <param name="Family">What it is one of.</param>
/// <param name="Token">Its text.</param>
/// <param name="Pieces">Of how many pieces it is to the model: what is usual depends on it.</param>
public sealed record Suspect(string Family, string Token, int Pieces = 1);
