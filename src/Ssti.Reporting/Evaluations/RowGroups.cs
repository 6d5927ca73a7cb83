using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>Which results stand in which row of a table: those with the same values of its dimensions. They are averaged over all others.</summary>
internal static class RowGroups
{
    /// <summary>The rows with their members, in the order asked for or else in that of the pipeline.</summary>
    /// <exception cref="ArgumentException">A row asked for has no member, or a result belongs to no row.</exception>
    public static List<(RowSpec Spec, IReadOnlyList<T> Members)> Of<T>(
        IReadOnlyList<T> results, Func<T, string> name, Func<T, IReadOnlyDictionary<string, string>> cell, EvaluationTableOptions options)
    {
        var members = new OrderedDictionary<string, List<T>>();
        foreach (var result in results)
        {
            var values = options.Dimensions.Select(dimension => cell(result).GetValueOrDefault(dimension)).OfType<string>().ToArray();
            // A baseline often stands outside the matrix of the attacks: its stage's name is its row.
            var value = values.Length > 0 ? string.Join(", ", values) : name(result).Split('@')[0];
            if (!members.TryGetValue(value, out var group)) members.Add(value, group = []);
            group.Add(result);
        }

        if (options.Rows.Count == 0) return [.. members.Select(pair => (new RowSpec(pair.Key, pair.Key), (IReadOnlyList<T>)pair.Value))];
        var present = string.Join(", ", members.Keys);
        var rows = options.Rows.Select(spec => (spec, (IReadOnlyList<T>)(members.GetValueOrDefault(spec.Value)
            ?? throw new ArgumentException($"no evaluation for the row '{spec.Value}'; there are: {present}")))).ToList();
        if (members.Keys.FirstOrDefault(value => options.Rows.All(spec => spec.Value != value)) is { } left)
            throw new ArgumentException($"'{name(members[left][0])}' belongs to no row: add '{left}' to the rows, or leave it out of the needs");
        return rows;
    }

    /// <summary>The values of the dimensions that are averaged over, such as <c>seed 40</c>; null where there are none.</summary>
    public static string? Rest(IReadOnlyDictionary<string, string> cell, EvaluationTableOptions options)
    {
        var rest = cell.Where(pair => !options.Dimensions.Contains(pair.Key)).Select(pair => $"{pair.Key} {pair.Value}").ToArray();
        return rest.Length > 0 ? string.Join(", ", rest) : null;
    }

    /// <summary>What a number of several runs is, in words.</summary>
    public static string Over(IEnumerable<IReadOnlyDictionary<string, string>> cells, EvaluationTableOptions options)
    {
        var over = cells.SelectMany(cell => cell).Where(pair => !options.Dimensions.Contains(pair.Key))
            .GroupBy(pair => pair.Key, pair => pair.Value)
            .Select(group => $"{group.Key} {string.Join(", ", group.Distinct())}").ToArray();
        var spread = options.Spread switch
        {
            SpreadKind.Range => " [smallest–largest]",
            SpreadKind.Deviation => " ±sample standard deviation",
            SpreadKind.Confidence => " [95 % confidence interval of the mean, Student's t]",
            _ => "",
        };
        return $"Each number: mean{spread} of n runs{(over.Length > 0 ? $", over {string.Join("; ", over)}" : "")}.";
    }
}
