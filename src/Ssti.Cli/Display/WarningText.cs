namespace Ssti.Cli.Display;

/// <summary>What stages and the engine warned of, for people: by stage, and what many cells say alike once.</summary>
internal static class WarningText
{
    private const int MostCells = 6;

    /// <summary>Writes the list; nothing when nobody warned.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="stages">The stage instances with what each warned of.</param>
    /// <param name="others">What was odd about the run or the store.</param>
    public static void Write(TextWriter output, IEnumerable<(string Instance, IReadOnlyList<string> Warnings)> stages, IReadOnlyList<string> others)
    {
        var lines = new List<string>();
        foreach (var cells in stages.GroupBy(stage => StageOf(stage.Instance)))
        {
            var told = cells.SelectMany(cell => cell.Warnings.Distinct().Select(warning => (cell.Instance, Warning: warning))).GroupBy(one => one.Warning);
            foreach (var warning in told) lines.Add($"{cells.Key}{Cells([.. warning.Select(one => one.Instance)], cells.Count())}: {warning.Key}");
        }

        lines.AddRange(others.Distinct());
        if (lines.Count == 0) return;
        output.WriteLine($"{Amounts.Of(lines.Count, "warning")}:");
        foreach (var line in lines) output.WriteLine($"  {line.ReplaceLineEndings("\n    ")}");
    }

    // "train (3 cells: a, b, c)": names of cells, without that of their stage.
    private static string Cells(IReadOnlyList<string> instances, int all)
    {
        if (instances is [var only]) return only[StageOf(only).Length..];
        if (instances.Count == all) return $" (all {all} cells)";
        var named = string.Join(", ", instances.Take(MostCells).Select(name => name[(name.IndexOf('@', StringComparison.Ordinal) + 1)..]));
        return $" ({instances.Count} cells: {named}{(instances.Count > MostCells ? ", …" : "")})";
    }

    private static string StageOf(string instance) => instance.Split('@')[0];
}
