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
                rows.AddRange(members.SelectMany(member => Rows($"  {Rest(member, options)}", [member], null)));
        }

        return new(options.Title, columns, rows, EvaluationNotes.Of(evaluations, groups, options, layout, published));

        IEnumerable<IReadOnlyList<Cell>> Rows(string name, IReadOnlyList<Evaluation> members, IReadOnlyList<long>? counts)
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
}
