using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;
using static Ssti.Reporting.Measures.EvaluationMeasures;

namespace Ssti.Reporting.Evaluations;

/// <summary>A list of columns, and the rows that one row of the experiment becomes.</summary>
/// <param name="columns">The columns of numbers.</param>
/// <param name="leading">The columns of words before them, which say where a row stands.</param>
/// <param name="places">The rows of one row of the experiment, with the words of <paramref name="leading"/>.</param>
internal sealed class Layout(
    IReadOnlyList<LayoutColumn> columns, IReadOnlyList<Column> leading, IReadOnlyList<(RowPlace Place, IReadOnlyList<string> Words)> places)
{
    // Beyond that, a list of every class does not fit in a cell.
    private const int MostListed = 4;

    /// <summary>The columns of numbers.</summary>
    public IReadOnlyList<LayoutColumn> Columns { get; } = columns;

    /// <summary>The columns of words between a row's name and its numbers.</summary>
    public IReadOnlyList<Column> Leading { get; } = leading;

    /// <summary>The rows that a row of the experiment becomes.</summary>
    public IReadOnlyList<(RowPlace Place, IReadOnlyList<string> Words)> Places { get; } = places;

    /// <summary>The columns for some evaluations of one test set.</summary>
    /// <exception cref="ArgumentException">An evaluation lacks what the layout needs.</exception>
    public static Layout Of(EvaluationLayout layout, IReadOnlyList<Evaluation> evaluations)
    {
        var files = evaluations.Select(evaluation => evaluation.Metrics).ToArray();
        var labels = files[0].Labels;
        var targets = files.Select(file => MeasureColumn.TargetOf(file, ClassPick.Target)).OfType<int>().Distinct().Order().ToArray();
        // A baseline is compared with the attacks beside it.
        IReadOnlyList<int> offered = targets.Length > 0 ? targets : labels.Count <= MostListed ? [.. Enumerable.Range(0, labels.Count)] : [];
        var triggered = files.Any(file => file.Triggered is not null);

        return layout switch
        {
            EvaluationLayout.PredictedCounts => Flat(
            [
                .. Enumerable.Range(0, labels.Count).Select(label => new MeasureColumn(Predicted, ClassPick.Fixed, labels, label)),
                Whole(CleanAccuracy), Target(CleanTargetRate), Target(AttackSuccess),
            ]),
            EvaluationLayout.Metrics => Flat(
            [
                Whole(CleanAccuracy), Whole(CleanBalancedAccuracy), Whole(CleanWeightedF1),
                .. triggered ? [Target(CleanTargetRate), Target(AttackSuccess)] : Array.Empty<MeasureColumn>(),
                .. files.Any(file => MeasureColumn.TargetOf(file, ClassPick.GapTarget) is { } target && Gap.Read(file, target).Value is not null)
                    ? [OfGap(Gap), OfGap(GapCeiling), OfGap(NormalisedGap)] : Array.Empty<MeasureColumn>(),
            ]),
            EvaluationLayout.PerClass => new(
                [
                    Row(CleanPrecision), Row(CleanRecall), Row(CleanF1), Row(Support), Row(CleanPredicted),
                    .. triggered ? [Row(Predicted), Row(CleanTargetRate), Row(AttackSuccess)] : Array.Empty<MeasureColumn>(),
                ],
                [new("class", "class", Align.Left)],
                [.. labels.Select((label, index) => (new RowPlace(index), (IReadOnlyList<string>)[label]))]),
            EvaluationLayout.Confusion => new(
                [.. labels.Select((label, index) => new ConfusionColumn(index, label))],
                [new("set", "test set", Align.Left), new("class", "true class", Align.Left)],
                [
                    .. from withToken in files.All(file => file.Triggered is not null) ? new[] { false, true } : [false]
                       from label in Enumerable.Range(0, labels.Count)
                       select (new RowPlace(label, withToken), (IReadOnlyList<string>)[withToken ? "triggered" : "clean", labels[label]]),
                ]),
            _ => throw new ArgumentException($"there is no layout {layout}"),
        };

        MeasureColumn Whole(Measures.Measure measure) => new(measure, ClassPick.None, labels);
        MeasureColumn Row(Measures.Measure measure) => new(measure, ClassPick.Row, labels);
        MeasureColumn Target(Measures.Measure measure) => new(measure, ClassPick.Target, labels, offered: offered);
        MeasureColumn OfGap(Measures.Measure measure) => new(measure, ClassPick.GapTarget, labels);

        Layout Flat(IReadOnlyList<LayoutColumn> columns)
        {
            if (layout == EvaluationLayout.PredictedCounts && evaluations.FirstOrDefault(e => e.Metrics.Triggered is null) is { } without)
            {
                throw new ArgumentException(
                    $"'{without.Name}' was evaluated without a triggered test set, which predicted counts need: give its stage one, or use layout metrics");
            }

            return new(columns, [], [(default, [])]);
        }
    }
}
