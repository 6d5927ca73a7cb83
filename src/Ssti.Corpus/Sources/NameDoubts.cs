namespace Ssti.Corpus.Sources;

/// <summary>
/// Names that nearly tell a split. A test split that is not seen as one is trained on, or lost: where only a hair keeps a name from telling it,
/// it is said.
/// </summary>
internal static class NameDoubts
{
    /// <summary>What is doubtful in a plan that was made from names alone.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="names">All files of the source.</param>
    public static IEnumerable<string> Of(SourcePlan plan, IReadOnlyList<string> names)
    {
        foreach (var name in plan.LeftOut.Where(FileKinds.IsUnreadData))
        {
            if (SplitNames.Of(name) is { } split && !plan.Splits.ContainsKey(split))
            {
                yield return $"'{name}' is left out, though its name says '{split}': it is not of a format that is read. " +
                    "Save its rows as CSV, JSON lines or Parquet";
            }
        }

        var leftOut = plan.LeftOut.ToHashSet();
        foreach (var name in names.Where(name => FileKinds.FormatOf(name) is not null && !FileKinds.IsAside(name) && SplitNames.Of(name) is null))
        {
            if (SplitNames.Nearly(FileKinds.Stem(name)) is not { } split) continue;
            if (leftOut.Contains(name) ? plan.Splits.ContainsKey(split) : split == "train") continue;
            yield return $"'{name}' {(leftOut.Contains(name) ? "is left out" : "is taken as train")}, though it may be '{split}': " +
                $"a split's name is a word of its own, as in '{split}.csv' or 'my_{split}.csv'. Rename it, or say with 'files' and 'split' what is what";
        }
    }
}
