using Ssti.Defenses.Data;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>The measures of <c>audit-data</c>.</summary>
internal static class AuditMeasures
{
    /// <summary>All of them by name.</summary>
    /// <param name="result">The audit.</param>
    /// <param name="truth">What was injected; null where nobody knows.</param>
    public static Dictionary<string, NamedMeasure> Of(DataAuditResult result, AuditTruth? truth)
    {
        var rows = result.Counts.Rows;
        var suspects = result.Suspects.Suspects;
        var alarms = Enumerable.Range(0, suspects.Count).Where(rank => suspects[rank].IsAlarm).ToArray();
        var (flagged, others) = (result.Onion.Flagged, result.Onion.Others);
        var auc = RankAuc.Of([.. flagged.Select(row => row.Drop)], [.. others.Select(row => row.Drop)]);
        var measures = new Dictionary<string, NamedMeasure>
        {
            ["alarms"] = NamedMeasure.Of("suspects", "things that surely give a class away; features that stand in the same rows are one", Reading.Of(alarms.Length, rows)),
            ["alarms_not_elsewhere"] = NamedMeasure.Of("suspects", "alarms that rows of the other splits contradict: it does not give the class away there",
                Reading.Of(alarms.Count(rank => result.HoldsElsewhere(rank) == false), rows)),
            ["alarms_elsewhere"] = NamedMeasure.Of("suspects", "alarms that rows of the other splits bear out: it gives the class away there as well (at least ten rows have it)",
                Reading.Of(alarms.Count(rank => result.HoldsElsewhere(rank) == true), rows)),
            ["flagged_rows"] = NamedMeasure.Of("rows", "rows that have a sign of an alarm and the class that it gives away", Reading.Of(result.Suspects.Flagged.Count, rows)),
            ["tested_features"] = NamedMeasure.Of("tokens", $"words, pairs, pieces, shapes, families and forms that were tested", Reading.Of(result.Counts.Features.Count, rows)),
            ["leaning_features"] = NamedMeasure.Of(
                "tokens",
                "features that lean to a class, counted once a class: exact test against its share, Benjamini-Hochberg; no alarm by itself",
                Reading.Of(result.Tests.Leaning, result.Tests.Tests)),
            ["strongest_bound"] = NamedMeasure.Of("fraction", "the largest lower bound of p(y|t), simultaneous for all features of a group", suspects.Count == 0
                ? Reading.None("no feature stands in enough rows", rows) : Reading.Of(suspects[0].Lead.LowerBound, suspects[0].Lead.Rows)),
            ["smallest_word"] = Smallest(result, FeatureGroup.Words, "a word"),
            ["smallest_pair"] = Smallest(result, FeatureGroup.Pairs, "a pair of words"),
            ["smallest_piece"] = Smallest(result, FeatureGroup.Pieces, "a piece of words"),
            ["smallest_family"] = Smallest(result, FeatureGroup.Families, "a family or form"),
            ["duplicate_rows"] = NamedMeasure.Of("rows", "rows that repeat the text of a row of their split, in all labelled splits", Reading.Of(result.Repeated.Duplicates, rows)),
            ["leaked_rows"] = NamedMeasure.Of(
                "rows", "rows of other splits that repeat a text of a split before them, the audited split first",
                Reading.Of(result.Repeated.Leaks, rows)),
            ["conflicting_rows"] = NamedMeasure.Of("rows", "rows that repeat the text of a row before them under another label", Reading.Of(result.Repeated.Conflicts, rows)),
            ["texts"] = NamedMeasure.Of("rows", "rows of the split with near-duplicates counted once: all tests are of these", Reading.Of(result.Counts.Texts, rows)),
            ["near_duplicate_rows"] = Near("rows of the split, none that repeats another, most of which stands in a longer row, or in an earlier one of its length: "
                + "three fifths of its runs of three words", result.Repeated.NearDuplicates),
            ["near_duplicate_groups"] = Near(
                "groups of two rows and more of the split that are near-duplicates of one another, repeated texts among them",
                result.Counts.Near.Groups),
            ["largest_group"] = Near("rows of the largest of these groups", result.Counts.Near.Largest),
            ["near_leaked_rows"] = Near("rows of other splits, of five words and more, most of which stands in a row of the split", result.Repeated.NearLeaks),
            ["onion_auc"] = NamedMeasure.Of("fraction", "ONION's largest fall of a byte's mean surprise without a word, as a detector of flagged rows: "
                + "share of pairs of a flagged and another row in which the flagged one's "
                + "is larger (AUC; 0.5 tells nothing); byte 6-grams trained on other rows", auc is null
                    ? Reading.None(flagged.Count == 0 ? "no row is flagged" : "no rows are left for the language model", flagged.Count)
                    : new Reading(auc.Value, flagged.Count + others.Count, auc.Interval95)),
        };
        foreach (var (name, measure) in AuditTruth.Measures(truth)) measures[name] = measure;
        return measures;

        NamedMeasure Near(string what, long count) => NamedMeasure.Of(
            "rows", what, result.Counts.Near.Searched ? Reading.Of(count, rows) : Reading.None("the split has too many rows to look for them", rows));
    }

    private static NamedMeasure Smallest(DataAuditResult result, FeatureGroup group, string what) => NamedMeasure.Of(
        "rows", $"the fewest rows that are no near-duplicates, all of one class, from which on {what} raises an alarm here; of the class for which it is largest",
        Reading.Of(result.Power.Where(power => power.Group == group).Max(power => power.Pure), result.Counts.Rows));
}
