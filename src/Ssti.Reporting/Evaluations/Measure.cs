using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>A column of an evaluation table: a number of each evaluation, averaged over a row's runs.</summary>
/// <param name="column">Where it stands.</param>
/// <param name="format">How it is written.</param>
/// <param name="value">The number of one evaluation; null where undefined.</param>
/// <param name="share">Beside a count, its share of all rows.</param>
internal class Measure(Column column, NumberFormat format, Func<MetricsFile, double?> value, Func<MetricsFile, double?>? share = null)
{
    public Column Column { get; } = column;

    /// <summary>The ASR of a row's target; of each class where the row has no target, so that a baseline shows what chance alone gives.</summary>
    public static Measure AttackSuccess { get; } = new AttackSuccessMeasure();

    public virtual Cell Of(IReadOnlyList<Evaluation> runs, SpreadKind spread) => Summarise(runs, spread, format, value, share);

    /// <summary>The measured gap of the spurious test set; else, for a model with a target, the gap with all of the target's rows injected.</summary>
    public static BalancedGap? GapOf(MetricsFile file) => file.SpuriousGap ?? (file.Target is { } target ? file.Gaps?[target] : null);

    private static Cell Summarise(
        IReadOnlyList<Evaluation> runs, SpreadKind spread, NumberFormat format, Func<MetricsFile, double?> value, Func<MetricsFile, double?>? share = null)
    {
        var values = runs.Select(run => value(run.Metrics)).OfType<double>().ToArray();
        // A mean over fewer runs than the row counts would be a lie in the column "n".
        if (values.Length < runs.Count) return TextCell.Undefined;
        var summary = new SeedSummary(values);
        return new NumberCell(format, summary.Mean, share is null ? null : runs.Average(run => share(run.Metrics)!.Value), Spread.Of(summary, spread));
    }

    private sealed class AttackSuccessMeasure() : Measure(new("asr", "ASR", Unit: "fraction"), NumberFormat.Percent, _ => null)
    {
        public override Cell Of(IReadOnlyList<Evaluation> runs, SpreadKind spread)
        {
            var targets = runs.Select(run => run.Metrics.Target).Distinct().ToArray();
            if (targets is [{ } target]) return Rate(target, spread);
            if (targets is not [null]) return TextCell.Undefined; // runs of several targets: no common class to name
            // Means alone: with a spread each, a list outgrows every page.
            return new ListCell([.. runs[0].Metrics.Labels.Select((label, index) => new NamedCell(label, Rate(index, SpreadKind.None)))]);

            Cell Rate(int cls, SpreadKind around) => Summarise(runs, around, NumberFormat.Percent, file => file.AttackSuccess?[cls]?.Rate);
        }
    }
}
