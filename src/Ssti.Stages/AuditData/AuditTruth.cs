using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// How an audit did on rows whose injection is on record. The audit itself never sees the records; this is read afterwards, to say how good it is.
/// </summary>
/// <param name="Injected">Rows that carry a trigger.</param>
/// <param name="Flagged">Rows that were flagged.</param>
/// <param name="Both">Rows that are both.</param>
/// <param name="Rank">The rank, from 1, of the first suspect of whose rows (with its class) most were injected; null when none of those
/// looked at is.</param>
/// <param name="Ranked">How many suspects were looked at.</param>
/// <param name="Alarmed">Whether any suspect of whose rows most were injected raises an alarm.</param>
/// <param name="FalseAlarms">Alarms of whose rows most were not injected.</param>
internal sealed record AuditTruth(long Injected, long Flagged, long Both, int? Rank, int Ranked, bool Alarmed, int FalseAlarms)
{
    /// <summary>Reads the records of a split; null where there are none.</summary>
    public static AuditTruth? Of(InputTree tree, DatasetReader data, string split, DataAuditResult result)
    {
        var file = InjectionRecordFile.NameFor(split);
        if (!tree.Has(file)) return null;
        var records = InjectionRecordFile.Read(tree.PathOf(file)).Where(record => record.Tokens.Count > 0).Select(record => record.RowId).ToHashSet();
        var injected = data.Read(split).Index().Where(row => records.Contains(row.Item.Id)).Select(row => row.Index).ToHashSet();
        var suspects = result.Suspects.Suspects;
        bool IsTrigger(int rank)
        {
            var (own, hits) = (0, 0);
            for (var row = 0; row < result.Suspects.Rows[rank].Length; row++)
            {
                if (!result.Suspects.Rows[rank][row]) continue;
                own++;
                if (injected.Contains(row)) hits++;
            }

            return 2 * hits > own;
        }

        bool[] triggers = [.. Enumerable.Range(0, suspects.Count).Select(IsTrigger)];
        return new AuditTruth(
            injected.Count, result.Suspects.Flagged.Count, result.Suspects.Flagged.Count(row => injected.Contains(row.Number)),
            Array.IndexOf(triggers, true) is >= 0 and var at ? at + 1 : null, suspects.Count,
            Enumerable.Range(0, suspects.Count).Any(rank => suspects[rank].IsAlarm && triggers[rank]),
            Enumerable.Range(0, suspects.Count).Count(rank => suspects[rank].IsAlarm && !triggers[rank]));
    }

    /// <summary>The measures.</summary>
    public static IEnumerable<(string Name, NamedMeasure Measure)> Measures(AuditTruth? truth)
    {
        const string none = "nobody knows whether rows were injected: the dataset has no records of it";
        const string clean = "no row was injected";
        var any = truth is { Injected: > 0 };
        yield return ("trigger_rank", NamedMeasure.Of("ranks", "the rank of the first suspect of whose rows most were injected, from 1, "
            + "by the injection's records, which the audit does not see",
            truth is null ? Reading.None(none) : !any ? Reading.None(clean, 0)
                : truth.Rank is { } rank ? Reading.Of(rank, truth.Injected) : Reading.None($"it is none of the {truth.Ranked} suspects", truth.Injected)));
        yield return ("trigger_first", NamedMeasure.Of("fraction", "1 where that suspect is the first, else 0; over seeds the share in which it is",
            truth is null ? Reading.None(none) : !any ? Reading.None(clean, 0) : Reading.Of(truth.Rank == 1 ? 1 : 0, truth.Injected)));
        yield return (
            "trigger_alarm",
            NamedMeasure.Of(
                "fraction",
                "1 where a suspect of whose rows most were injected raises an alarm, else 0; over seeds the share in which one does",
            truth is null ? Reading.None(none) : !any ? Reading.None(clean, 0) : Reading.Of(truth.Alarmed ? 1 : 0, truth.Injected)));
        yield return ("flag_precision", NamedMeasure.Of("fraction", "of the flagged rows, the share that was injected",
            truth is null ? Reading.None(none) : Reading.Share(truth.Both, truth.Flagged, "no row is flagged")));
        yield return ("flag_recall", NamedMeasure.Of("fraction", "of the injected rows, the share that is flagged",
            truth is null ? Reading.None(none) : Reading.Share(truth.Both, truth.Injected, clean)));
        yield return ("false_alarms", NamedMeasure.Of("suspects", "alarms of whose rows most were not injected; of a clean set all alarms, true accidental shortcuts among them",
            truth is null ? Reading.None(none) : Reading.Of(truth.FalseAlarms, truth.Flagged)));
    }
}
