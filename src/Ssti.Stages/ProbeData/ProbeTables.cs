using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;
using Ssti.Defenses.Data.Probing;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>What a probe said, as tables, CSV, JSON and measures.</summary>
internal static class ProbeTables
{
    private const double Follows = 0.5;
    private const int MostRows = 30;

    /// <summary>
    /// Whether a model follows a suspect: with it at least half more of the other classes' rows are taken for the class, as a share and
    /// for sure (Wilson, 95 %).
    /// </summary>
    public static bool IsTakenUp(SuspectEffect effect) =>
        effect.Others > 0 && new Proportion(effect.OthersAfter, effect.Others).Wilson95.Low - new Proportion(effect.OthersBefore, effect.Others).Rate >= Follows;

    /// <summary>The suspects by what they do.</summary>
    public static Table Effects(DataProbeResult result, SuspectRows rows, DatasetInfo data, string backbone) => new(
        $"What a probe ({backbone}) does with the suspects of {data.Name}",
        [
            new("suspect", "suspect", Align.Left),
            new("rank", "rank without", Unit: "ranks", Definition: "its rank by counts alone, in the rows that the probe is trained on"),
            new("class", "class", Align.Left),
            new("follows", "followed", Align.Left),
            new("asr", "ASR", Unit: "fraction", Definition: "of the held-out rows of other classes, the share taken for the class with the suspect put in"),
            new("before", "before", Unit: "fraction", Definition: "the same rows as they are"),
            new("accuracy_change", "accuracy", Unit: "pp", Definition: "accuracy on all held-out rows with the suspect put in, minus without"),
            new("normalised_gap", "normalised gap", Unit: "fraction", Definition: "recall of the class with the suspect put in, minus without"),
            new("removed", "removed", Unit: "pp", Definition: "of the training rows of the class that have it, the share taken for the class without it, minus with it"),
        ],
        [.. result.Effects.Select(effect => (IReadOnlyList<Cell>)
        [
            new TextCell(rows.Suspects[effect.Rank].Lead.Feature.ToString()), new NumberCell(NumberFormat.Count, effect.Rank + 1), new TextCell(data.Labels[effect.Class]),
            new TextCell(IsTakenUp(effect) ? "yes" : ""), Share(effect.OthersAfter, effect.Others), Share(effect.OthersBefore, effect.Others),
            new NumberCell(NumberFormat.Points, 100.0 * (effect.RightAfter - effect.RightBefore) / effect.Rows),
            effect.Own == 0 ? TextCell.Undefined : new NumberCell(NumberFormat.Decimal, (double)(effect.OwnAfter - effect.OwnBefore) / effect.Own),
            effect.Having == 0 ? TextCell.Undefined : new NumberCell(NumberFormat.Points, 100.0 * (effect.HavingAfter - effect.HavingBefore) / effect.Having),
        ])],
        [
            "Suspects stand by how much they raise the share of other classes' rows that are taken for the class. Followed: that rise is at least 50 pp for sure (Wilson's bound).",
            $"The probe gets {result.Right} of {result.HeldOut} held-out rows right as they are; it reads {result.Length} tokens of a row. "
                + "A suspect is put in the middle, after the twentieth word at the latest; first and last words at their ends.",
        ]);

    /// <summary>The rows whose losses fell first.</summary>
    public static Table Rows(DataProbeResult result, IReadOnlyList<string> labels) => new(
        "Training rows whose loss fell first",
        [
            new("id", "row", Align.Left), new("class", "class", Align.Left), new("flagged", "flagged", Align.Left),
            new("drop", "early drop", Unit: "nats"), new("confidence", "confidence", Unit: "fraction"),
            new("variability", "variability", Unit: "fraction"), new("spectral", "spectral"), new("group", "smaller group", Align.Left),
        ],
        [.. result.Watched.OrderByDescending(row => row.EarlyDrop).ThenBy(row => row.Id, StringComparer.Ordinal).Take(MostRows).Select(row => (IReadOnlyList<Cell>)
        [
            new TextCell(row.Id), new TextCell(labels[row.Label]), new TextCell(row.Flagged ? "yes" : ""), new NumberCell(NumberFormat.Decimal, row.EarlyDrop),
            new NumberCell(NumberFormat.Decimal, row.Confidence), new NumberCell(NumberFormat.Decimal, row.Variability), new NumberCell(NumberFormat.Decimal, row.Spectral),
            new TextCell(row.InSmallerGroup ? "yes" : ""),
        ])],
        ["Of the watched rows. Confidence and variability: mean and standard deviation of the label's probability over the checks (Swayamdipta et al. 2020)."]);

    /// <summary>All watched rows.</summary>
    public static string WatchedCsv(DataProbeResult result, IReadOnlyList<string> labels)
    {
        var checks = result.Watched.Count == 0 ? 0 : result.Watched[0].Losses.Count;
        var csv = new StringBuilder(Csv.Line(["id", "class", "flagged", "early_drop", "confidence", "variability", "spectral", "smaller_group",
            .. Enumerable.Range(0, checks).Select(check => $"loss_{check}")]));
        foreach (var row in result.Watched)
        {
            csv.Append(Csv.Line([
                row.Id, labels[row.Label], row.Flagged ? "yes" : "no", Csv.Number(row.EarlyDrop), Csv.Number(row.Confidence), Csv.Number(row.Variability), Csv.Number(row.Spectral),
                row.InSmallerGroup ? "yes" : "no", .. row.Losses.Select(loss => Csv.Number(loss)),
            ]));
        }

        return csv.ToString();
    }

    /// <summary>The measures.</summary>
    public static Dictionary<string, NamedMeasure> Measures(DataProbeResult result, string backbone)
    {
        WatchedRow[] flagged = [.. result.Watched.Where(row => row.Flagged)], others = [.. result.Watched.Where(row => !row.Flagged)];
        var first = result.Effects.FirstOrDefault();
        return new()
        {
            ["probe_accuracy"] = NamedMeasure.Of("fraction", $"share of held-out rows that the probe ({backbone}) gets right", Reading.Share(result.Right, result.HeldOut)),
            ["followed"] = NamedMeasure.Of(
                "suspects",
                "suspects that the probe follows: put into rows of other classes, at least half more of them are taken for the class (Wilson's bound)",
                Reading.Of(result.Effects.Count(IsTakenUp), result.HeldOut)),
            ["strongest_asr"] = NamedMeasure.Of("fraction", "of the held-out rows of other classes, the share taken for the class with the strongest suspect put in",
                first is null ? Reading.None("no suspect could be tried", 0) : Reading.Share(first.OthersAfter, first.Others, "no row is of another class")),
            ["strongest_before"] = NamedMeasure.Of("fraction", "the same rows as they are",
                first is null ? Reading.None("no suspect could be tried", 0) : Reading.Share(first.OthersBefore, first.Others, "no row is of another class")),
            ["influence_auc"] = Area("the early fall of the loss", row => row.EarlyDrop),
            ["confidence_auc"] = Area("cartography's confidence", row => row.Confidence),
            ["spectral_auc"] = Area("the spectral signature of the last layer", row => row.Spectral),
            ["smaller_group_share"] = NamedMeasure.Of("fraction", "of the flagged rows that are watched, the share in the smaller of the two groups of their class's hidden states",
                Reading.Share(flagged.Count(row => row.InSmallerGroup), flagged.Length, "no watched row is flagged")),
        };

        NamedMeasure Area(string what, Func<WatchedRow, double> score) => NamedMeasure.Of("fraction", $"{what} as a detector of flagged rows: "
            + "the share of pairs of a flagged and another watched row "
            + "in which the flagged one's is larger (AUC; 0.5 tells nothing)", RankAuc.Of([.. flagged.Select(score)], [.. others.Select(score)]) is { } auc
                ? new Reading(auc.Value, flagged.Length + others.Length, auc.Interval95) : Reading.None("no watched row is flagged, or all are", result.Watched.Count));
    }

    /// <summary>The suspects for programs.</summary>
    public static JsonArray ToJson(DataProbeResult result, SuspectRows rows, IReadOnlyList<string> labels) => new([.. result.Effects.Select(effect => (JsonNode)new JsonObject
    {
        ["suspect"] = rows.Suspects[effect.Rank].Lead.Feature.ToString(), ["rank-without"] = effect.Rank + 1, ["class"] = labels[effect.Class], ["followed"] = IsTakenUp(effect),
        ["alarm"] = rows.Suspects[effect.Rank].IsAlarm, ["rows"] = effect.Rows, ["right-before"] = effect.RightBefore,
        ["right-after"] = effect.RightAfter, ["others"] = effect.Others,
        ["others-before"] = effect.OthersBefore, ["others-after"] = effect.OthersAfter, ["own"] = effect.Own, ["own-before"] = effect.OwnBefore, ["own-after"] = effect.OwnAfter,
        ["having"] = effect.Having, ["having-before"] = effect.HavingBefore, ["having-after"] = effect.HavingAfter,
    })]);

    private static Cell Share(long count, long total) => total == 0 ? TextCell.Undefined : new NumberCell(NumberFormat.Percent, (double)count / total);
}
