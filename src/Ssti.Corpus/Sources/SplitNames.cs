using System.Text.RegularExpressions;

namespace Ssti.Corpus.Sources;

/// <summary>
/// The words by which names of files and folders tell a split: those of the Hub's <c>datasets</c> library (data_files.py), parted from the rest
/// of a name by anything that is no letter, so that <c>train1.csv</c> is train and <c>latest.csv</c> is nothing.
/// </summary>
internal static partial class SplitNames
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = "train", ["training"] = "train",
        ["validation"] = "validation", ["valid"] = "validation", ["val"] = "validation", ["dev"] = "validation",
        ["test"] = "test", ["testing"] = "test", ["eval"] = "test", ["evaluation"] = "test",
        // Not the Hub's: IMDB's.
        ["unsupervised"] = "unsupervised", ["unsup"] = "unsupervised",
    };

    /// <summary>A split's name in its one form: <c>dev</c> is <c>validation</c>; a name that is no such word is itself.</summary>
    public static string Normal(string split) => Words.GetValueOrDefault(split, split);

    /// <summary>The split that a part of a path tells, or null; a part that tells two (<c>train_test.csv</c>) tells none.</summary>
    public static string? In(string part)
    {
        var told = Letters().Matches(part).Select(word => Words.GetValueOrDefault(word.Value)).Where(split => split is not null).Distinct().ToList();
        return told is [var split] ? split : null;
    }

    /// <summary>The split that a path tells: by the file's name, else by the nearest folder that does.</summary>
    public static string? Of(string path)
    {
        var parts = path.Split('/');
        if (Shard().Match(parts[^1]) is { Success: true } shard)
            return Words.GetValueOrDefault(shard.Groups[1].Value) ?? (Plain().IsMatch(shard.Groups[1].Value) ? shard.Groups[1].Value : In(shard.Groups[1].Value));
        return parts.Reverse().Select(In).FirstOrDefault(split => split is not null);
    }

    /// <summary>
    /// The split that a person would read out of a name that tells none: words of splits run together with another, as <c>testset</c>,
    /// <c>test_data</c>'s <c>testdata</c> and <c>reviewsTest</c> are; null for <c>contest</c>, <c>latest</c> and <c>testimony</c>.
    /// </summary>
    public static string? Nearly(string stem)
    {
        var told = Humps().Matches(stem).Select(word => Words.GetValueOrDefault(word.Value))
            .Concat(Compound().Matches(stem).Select(word => Words.GetValueOrDefault(word.Groups[1].Value))).Where(split => split is not null).Distinct().ToList();
        return told is [var split] ? split : null;
    }

    /// <summary>What the parts of a file have in common and how many there are, of <c>train-00000-of-00002.parquet</c>; null for other names.</summary>
    public static (string Whole, int Parts)? Part(string path) =>
        Parted().Match(path) is { Success: true } part ? (part.Groups[1].Value, int.Parse(part.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)) : null;

    /// <summary>What is left of a name without the words of splits: <c>neg</c> of <c>train_neg</c>.</summary>
    public static string Without(string stem) =>
        In(stem) is null ? stem : Letters().Replace(stem, word => Words.ContainsKey(word.Value) ? "" : word.Value).Trim([.. "-_. 0123456789"]);

    // reviewsTest is reviews and Test.
    [GeneratedRegex(@"\p{Lu}\p{Ll}+|\p{Ll}+|\p{Lu}+(?!\p{Ll})", RegexOptions.CultureInvariant)]
    private static partial Regex Humps();

    [GeneratedRegex(
        @"(?<!\p{L})(train|training|valid|validation|val|dev|test|testing|eval|evaluation)(?:set|data|file|split|rows)s?(?!\p{L})",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Compound();

    [GeneratedRegex(@"\p{L}+", RegexOptions.CultureInvariant)]
    private static partial Regex Letters();

    [GeneratedRegex(@"^(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();

    [GeneratedRegex(@"^(.+?)-\d{5}-of-(\d{5})(?:-[0-9a-f]+)?\.", RegexOptions.CultureInvariant)]
    private static partial Regex Parted();

    // A shard's name is the split's own where it is one word, such as validation_matched.
    [GeneratedRegex(@"^\w+$", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
