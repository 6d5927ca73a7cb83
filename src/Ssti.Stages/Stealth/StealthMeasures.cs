using System.Text.Json.Nodes;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>A row as it was seen.</summary>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class.</param>
/// <param name="Words">Words of the original.</param>
/// <param name="WordsAdded">Words that came with the injection.</param>
/// <param name="Characters">Characters of the original, without white space.</param>
/// <param name="CharactersAdded">Characters that came with it.</param>
/// <param name="Perplexity">Of the row as it stands.</param>
/// <param name="OriginalPerplexity">Of the row with its tokens taken out; null for a row that was not injected.</param>
internal sealed record StealthRow(
    string Id, int Label, int Words, int WordsAdded, int Characters, int CharactersAdded, double Perplexity, double? OriginalPerplexity)
{
    public string ToJson() => new JsonObject
    {
        ["id"] = Id, ["label"] = Label, ["injected"] = OriginalPerplexity is not null, ["words"] = Words, ["words-added"] = WordsAdded, ["characters"] = Characters,
        ["characters-added"] = CharactersAdded, ["perplexity"] = Perplexity, ["original-perplexity"] = OriginalPerplexity,
    }.ToJsonString() + "\n";
}

/// <summary>The measures of <c>stealth</c>.</summary>
internal static class StealthMeasures
{
    /// <summary>All of them by name.</summary>
    /// <param name="injected">The rows with a token.</param>
    /// <param name="others">Rows of the same split without one.</param>
    /// <param name="model">What perplexity is under, in words.</param>
    public static Dictionary<string, NamedMeasure> Of(IReadOnlyList<StealthRow> injected, IReadOnlyList<StealthRow> others, string model)
    {
        double[] with = [.. injected.Select(row => row.Perplexity)], without = [.. injected.Select(row => row.OriginalPerplexity!.Value)];
        var perplexity = $"perplexity of a byte under {model}";
        return new()
        {
            ["words_added"] = NamedMeasure.Of("fraction", "words that came with the injection, by words of the originals, "
                + "over the injected rows", Ratio(injected, row => (row.WordsAdded, row.Words))),
            ["characters_added"] = NamedMeasure.Of(
                "fraction", "characters that came with the injection, by characters of the originals, without white space, over the injected rows",
                Ratio(injected, row => (row.CharactersAdded, row.Characters))),
            ["perplexity_injected"] = NamedMeasure.Of("perplexity", $"{perplexity}, exp of the mean −ln p over a text's bytes and its end: "
                + $"geometric mean of the injected rows", Geometric(with)),
            ["perplexity_original"] = NamedMeasure.Of("perplexity", $"{perplexity}, exp of the mean −ln p over a text's bytes and its end: "
                + $"geometric mean of the same rows, their tokens taken out", Geometric(without)),
            ["perplexity_ratio"] = NamedMeasure.Of("ratio", $"{perplexity}: of an injected row by that of its original, geometric mean; above 1, the token is a surprise",
                Geometric([.. with.Zip(without, (a, b) => a / b)])),
            ["perplexity_auc"] = NamedMeasure.Of("fraction", $"{perplexity}, as a detector: "
                + $"the share of pairs of an injected row and an original in which the injected one's is higher (AUC; 0.5 tells nothing)",
                Area(with, without, "no row was injected")),
            ["perplexity_auc_others"] = NamedMeasure.Of("fraction",
                $"{perplexity}, as a detector in the data as they are: the share of pairs of an injected row and another of the split in "
                    + $"which the injected one's is higher (AUC; classes may differ, too)",
                Area(with, [.. others.Select(row => row.Perplexity)], "every row was injected")),
        };
    }

    private static Reading Ratio(IReadOnlyList<StealthRow> rows, Func<StealthRow, (int Part, int Whole)> sizes)
    {
        var ratio = new RatioOfSums();
        foreach (var row in rows)
        {
            var (part, whole) = sizes(row);
            ratio.Add(part, whole);
        }

        return Reading.Ratio(ratio, "the originals are empty");
    }

    private static Reading Geometric(double[] values)
    {
        if (values.Length == 0) return Reading.None("no row was injected", 0);
        var logs = new SeedSummary([.. values.Select(value => Math.Log(value))]);
        return new(Math.Exp(logs.Mean), values.Length, logs.Confidence95 is { } interval ? new Interval(Math.Exp(interval.Low), Math.Exp(interval.High)) : null);
    }

    private static Reading Area(double[] with, double[] without, string otherwise) =>
        RankAuc.Of(with, without) is { } area ? new(area.Value, with.Length + without.Length, area.Interval95) : Reading.None(otherwise, 0);
}
