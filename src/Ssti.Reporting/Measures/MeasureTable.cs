using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Measures;

/// <summary>
/// A table of whatever was measured, by whichever stages: columns named one by one, rows by dimensions. Results of several stages with the same values of the
/// dimensions stand in one row, so that what one stage measured of a cell can be read beside what another did.
/// </summary>
public static class MeasureTable
{
    /// <summary>Builds the table.</summary>
    /// <exception cref="ArgumentException">No stage has a measure or class asked for, stages measure it in different units, or a row asked for has no result.</exception>
    public static Table Build(IReadOnlyList<MeasureSet> sets, IReadOnlyList<MeasuredColumn> columns, EvaluationTableOptions options)
    {
        if (sets.Count == 0) throw new ArgumentException("nothing was measured that could be tabulated");
        var described = columns.Select(column => column.Describe(sets)).ToArray();
        var groups = RowGroups.Of(sets, set => set.Name, set => set.Cell, options);
        var published = groups.Max(group => group.Spec.Published?.Count ?? 0);
        if (published > columns.Count) throw new ArgumentException($"a row has {published} published numbers, "
            + $"and the table {columns.Count} columns of measures: give one a column, in their order");

        List<Column> heads = [new("row", options.Dimensions.Count > 0 ? string.Join(", ", options.Dimensions) : "stage", Align.Left)];
        foreach (var (index, column) in described.Index())
        {
            heads.Add(new(column.Key, column.Header, Unit: column.Unit, Definition: column.Definition));
            if (index < published) heads.Add(new($"published_{column.Key}", $"published {column.Header}", Unit: column.Unit));
        }

        heads.Add(new("runs", "n", Unit: "runs"));
        var remarks = new Remarks();
        List<IReadOnlyList<Cell>> rows = [];
        foreach (var (spec, members) in groups)
        {
            rows.Add(Row(spec.Name, members, spec.Published ?? []));
            if (!options.EachRun) continue;
            var runs = members.GroupBy(set => RowGroups.Rest(set.Cell, options) ?? set.Name).ToArray();
            if (runs.Length > 1) rows.AddRange(runs.Select(run => Row($"  {run.Key}", [.. run], [])));
        }

        return new(options.Title, heads, rows, Notes(sets, described, groups, options, remarks, published > 0));

        IReadOnlyList<Cell> Row(string name, IReadOnlyList<MeasureSet> members, IReadOnlyList<double> printed)
        {
            var readings = described.Select(column => column.Readings(members)).ToArray();
            var runs = readings.Max(column => column.Count);
            List<Cell> cells = [new TextCell(name)];
            foreach (var (index, column) in described.Index())
            {
                cells.Add(column.Cell(readings[index], options.Spread));
                if (index < published) cells.Add(index < printed.Count ? new NumberCell(column.Format, printed[index]) : TextCell.Empty);
                remarks.Add(column.Header, name.Trim(), readings[index], runs);
            }

            return [.. cells, new NumberCell(NumberFormat.Count, runs)];
        }
    }

    private static IReadOnlyList<string> Notes(
        IReadOnlyList<MeasureSet> sets, IReadOnlyList<DescribedColumn> columns, IReadOnlyList<(RowSpec Spec, IReadOnlyList<MeasureSet> Members)> groups,
        EvaluationTableOptions options, Remarks remarks, bool published)
    {
        List<string> notes = [.. columns.Select(column => $"{EvaluationNotes.Capital(column.Header)}: {column.Definition}.").Distinct()];
        var counts = groups.SelectMany(group => columns.Select(column => column.Readings(group.Members).Count)).ToArray();
        if (counts.Any(count => count > 1)) notes.Add(RowGroups.Over(sets.Select(set => set.Cell), options));
        if (options.Spread is SpreadKind.Range or SpreadKind.Confidence
            && sets.Any(set => columns.Any(column => column.Readings([set]) is [{ Interval95: not null }])) && (counts.Contains(1) || options.EachRun))
        {
            notes.Add("A number of a single run: [95 % interval over what it counted; of a share Wilson's].");
        }

        notes.AddRange(remarks.Lines());
        notes.AddRange(sets.SelectMany(set => set.Notes.Select(note => (note, set.Name))).GroupBy(pair => pair.note, pair => pair.Name)
            .Select(group => group.Count() == sets.Count ? $"Warning: {group.Key}." : $"Warning ({string.Join(", ", group)}): {group.Key}."));
        if (published) notes.Add($"Published: {options.PublishedIn ?? "arXiv 2506.11402"}.");
        return notes;
    }

    /// <summary>What a reader of a cell must be told beside its number: why there is none, or that it rests on fewer runs than the row.</summary>
    private sealed class Remarks
    {
        private readonly OrderedDictionary<string, List<string>> _rows = [];

        public void Add(string header, string row, IReadOnlyList<Reading> readings, int runs)
        {
            if (readings.FirstOrDefault(reading => reading.Value is null) is { } without) Put($"No {header} ({{0}}): {without.Reason ?? "it was not measured"}.", row);
            else if (readings.Count > 0 && readings.Count < runs) Put($"{EvaluationNotes.Capital(header)}: "
                + $"of {readings.Count} {(readings.Count == 1 ? "run" : "runs")}, not n ({{0}}).", row);
        }

        public IEnumerable<string> Lines() => _rows.Select(pair => pair.Key.Replace("{0}", string.Join(", ", pair.Value)));

        private void Put(string line, string row)
        {
            if (!_rows.TryGetValue(line, out var rows)) _rows.Add(line, rows = []);
            rows.Add(row);
        }
    }
}
