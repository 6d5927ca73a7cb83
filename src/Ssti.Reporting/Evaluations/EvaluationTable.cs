using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>Turns evaluations into a table: groups them by row, averages over the rest (seeds), and notes what every number means.</summary>
public static class EvaluationTable
{
    /// <summary>Builds the table.</summary>
    /// <exception cref="ArgumentException">
    /// The evaluations do not belong into one table (other labels, data or rows), a row asked for has none, or one has what the layout
    /// needs missing; the message names it.
    /// </exception>
    public static Table Build(IReadOnlyList<Evaluation> evaluations, EvaluationTableOptions options)
    {
        if (evaluations.Count == 0) throw new ArgumentException("no evaluations to tabulate");
        var labels = OneTestSet(evaluations);
        var groups = Group(evaluations, options);
        var measures = options.Layout == EvaluationLayout.PredictedCounts ? PredictedCounts(evaluations, labels) : Metrics(evaluations);
        var published = groups.Any(group => group.Spec.Published is not null);

        List<Column> columns = [new("row", options.Dimensions.Count > 0 ? string.Join(", ", options.Dimensions) : "stage", Align.Left)];
        columns.AddRange(measures.Select(measure => measure.Column));
        columns.Add(new("runs", "n", Unit: "runs"));
        if (published) columns.AddRange(labels.Select((label, index) => new Column($"published_{index}", $"published {label}", Unit: "rows")));

        List<IReadOnlyList<Cell>> rows = [];
        foreach (var (spec, members) in groups)
        {
            rows.Add(Row(spec.Name, members, spec.Published));
            if (options.EachRun && members.Count > 1)
                rows.AddRange(members.Select(member => Row($"  {Rest(member, options)}", [member], null)));
        }

        return new(options.Title, columns, rows, EvaluationNotes.Of(evaluations, groups, options, published));

        IReadOnlyList<Cell> Row(string name, IReadOnlyList<Evaluation> members, IReadOnlyList<long>? counts)
        {
            List<Cell> cells = [new TextCell(name)];
            cells.AddRange(measures.Select(measure => measure.Of(members, options.Spread)));
            cells.Add(new NumberCell(NumberFormat.Count, members.Count));
            if (published) cells.AddRange(labels.Select((_, index) => counts is null ? (Cell)TextCell.Empty : new NumberCell(NumberFormat.Count, counts[index])));
            return cells;
        }
    }

    /// <summary>The values of an evaluation's dimensions that are averaged over, such as <c>seed 40</c>.</summary>
    internal static string Rest(Evaluation evaluation, EvaluationTableOptions options)
    {
        var rest = evaluation.Cell.Where(pair => !options.Dimensions.Contains(pair.Key)).Select(pair => $"{pair.Key} {pair.Value}").ToArray();
        return rest.Length > 0 ? string.Join(", ", rest) : evaluation.Name;
    }

    private static IReadOnlyList<string> OneTestSet(IReadOnlyList<Evaluation> evaluations)
    {
        var first = evaluations[0];
        foreach (var other in evaluations)
        {
            var (a, b) = (first.Metrics, other.Metrics);
            if (!a.Labels.SequenceEqual(b.Labels)) Differ("labels", string.Join("/", a.Labels), string.Join("/", b.Labels));
            if (a.Dataset != b.Dataset || a.Split != b.Split) Differ("data", $"{a.Dataset} {a.Split}", $"{b.Dataset} {b.Split}");
            if (a.Clean.Rows != b.Clean.Rows) Differ("test rows", $"{a.Clean.Rows}", $"{b.Clean.Rows}");

            void Differ(string what, string left, string right) => throw new ArgumentException(
                $"'{first.Name}' and '{other.Name}' differ in {what} ({left}; {right}): make a table for each");
        }

        return first.Metrics.Labels;
    }

    private static List<(RowSpec Spec, IReadOnlyList<Evaluation> Members)> Group(IReadOnlyList<Evaluation> evaluations, EvaluationTableOptions options)
    {
        var members = new OrderedDictionary<string, List<Evaluation>>();
        foreach (var evaluation in evaluations)
        {
            var values = options.Dimensions.Select(dimension => evaluation.Cell.GetValueOrDefault(dimension)).OfType<string>().ToArray();
            // A baseline often stands outside the matrix of the attacks: its stage's name is its row.
            var value = values.Length > 0 ? string.Join(", ", values) : evaluation.Stage;
            if (!members.TryGetValue(value, out var group)) members.Add(value, group = []);
            group.Add(evaluation);
        }

        if (options.Rows.Count == 0) return [.. members.Select(pair => (new RowSpec(pair.Key, pair.Key), (IReadOnlyList<Evaluation>)pair.Value))];
        var present = string.Join(", ", members.Keys);
        var rows = options.Rows.Select(spec => (spec, (IReadOnlyList<Evaluation>)(members.GetValueOrDefault(spec.Value)
            ?? throw new ArgumentException($"no evaluation for the row '{spec.Value}'; there are: {present}")))).ToList();
        if (members.Keys.FirstOrDefault(value => options.Rows.All(spec => spec.Value != value)) is { } left)
            throw new ArgumentException($"'{members[left][0].Name}' belongs to no row: add '{left}' to the rows, or leave it out of the needs");
        return rows;
    }

    private static List<Measure> PredictedCounts(IReadOnlyList<Evaluation> evaluations, IReadOnlyList<string> labels)
    {
        if (evaluations.FirstOrDefault(e => e.Metrics.Triggered is null) is { } without)
        {
            throw new ArgumentException(
                $"'{without.Name}' was evaluated without a triggered test set, which predicted counts need: give its stage one, or use layout metrics");
        }

        List<Measure> measures = [.. labels.Select((label, index) => new Measure(
            new($"predicted_{index}", $"predicted {label}", Unit: "rows"),
            NumberFormat.Count,
            e => e.Triggered!.Confusion.Predicted(index),
            e => (double)e.Triggered!.Confusion.Predicted(index) / e.Triggered.Rows))];
        measures.Add(new(new("clean_accuracy", "clean accuracy", Unit: "fraction"), NumberFormat.Percent, e => e.Clean.Accuracy));
        measures.Add(Measure.AttackSuccess);
        return measures;
    }

    private static List<Measure> Metrics(IReadOnlyList<Evaluation> evaluations)
    {
        List<Measure> measures =
        [
            new(new("accuracy", "accuracy", Unit: "fraction"), NumberFormat.Percent, e => e.Clean.Accuracy),
            new(new("balanced_accuracy", "balanced accuracy", Unit: "fraction"), NumberFormat.Percent, e => e.Clean.BalancedAccuracy),
            new(new("weighted_f1", "weighted F1", Unit: "fraction"), NumberFormat.Decimal, e => e.Clean.WeightedF1),
        ];
        if (evaluations.Any(e => e.Metrics.Triggered is not null)) measures.Add(Measure.AttackSuccess);
        if (evaluations.Any(e => Measure.GapOf(e.Metrics) is not null))
        {
            measures.Add(new(new("gap", "balanced gap", Unit: "pp"), NumberFormat.Points, e => Measure.GapOf(e)?.GapPoints));
            measures.Add(new(new("normalised_gap", "normalised gap", Unit: "fraction"), NumberFormat.Decimal, e => Measure.GapOf(e)?.Normalised));
        }

        return measures;
    }
}
