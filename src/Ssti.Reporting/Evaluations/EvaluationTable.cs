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
        var groups = RowGroups.Of(evaluations, evaluation => evaluation.Name, evaluation => evaluation.Cell, options);
        var layout = Layout.Of(options.Layout, evaluations);
        var published = groups.Any(group => group.Spec.Published is not null);

        List<Column> columns = [new("row", options.Dimensions.Count > 0 ? string.Join(", ", options.Dimensions) : "stage", Align.Left), .. layout.Leading];
        columns.AddRange(layout.Columns.Select(column => column.Head));
        columns.Add(new("runs", "n", Unit: "runs"));
        if (published) columns.AddRange(labels.Select((label, index) => new Column($"published_{index}", $"published {label}", Unit: "rows")));

        List<IReadOnlyList<Cell>> rows = [];
        foreach (var (spec, members) in groups)
        {
            rows.AddRange(Rows(spec.Name, members, spec.Published));
            if (options.EachRun && members.Count > 1)
                rows.AddRange(members.SelectMany(member => Rows($"  {RowGroups.Rest(member.Cell, options) ?? member.Name}", [member], null)));
        }

        return new(options.Title, columns, rows, EvaluationNotes.Of(evaluations, groups, options, layout, published));

        IEnumerable<IReadOnlyList<Cell>> Rows(string name, IReadOnlyList<Evaluation> members, IReadOnlyList<double>? counts)
        {
            var files = members.Select(member => member.Metrics).ToArray();
            foreach (var (place, words) in layout.Places)
            {
                List<Cell> cells = [new TextCell(name), .. words.Select(word => new TextCell(word))];
                cells.AddRange(layout.Columns.Select(column => column.Of(files, place, options.Spread)));
                cells.Add(new NumberCell(NumberFormat.Count, members.Count));
                if (published) cells.AddRange(labels.Select((_, index) => counts is null ? (Cell)TextCell.Empty : new NumberCell(NumberFormat.Count, counts[index])));
                yield return cells;
            }
        }
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
}
