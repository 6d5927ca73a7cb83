using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;

namespace Ssti.Corpus.Sources;

/// <summary>What makes a dataset doubtful though it can be made. Each is a sentence with its numbers; what leaves nothing meaningful is refused.</summary>
internal static class DatasetDoubts
{
    /// <summary>Rows that were left out because they have no label.</summary>
    /// <exception cref="CorpusException">They would have been the second class.</exception>
    public static IEnumerable<string> OfRows(SourceSplit split, ImportOptions options)
    {
        if (split.Empty > 0) yield return $"{split.Name}: {split.Empty} of {Amount.Rows(split.Rows)} {(split.Empty == 1 ? "has" : "have")} an empty text";
        if (split.Quoted is { Rows: > 0 } quoted && (quoted.Doubled > 0 || quoted.Rows == split.Rows))
        {
            yield return $"{split.Name}: the text of {quoted.Rows} of {Amount.Rows(split.Rows)} stands in quotes, which are taken as part of it; " +
                "where they only hold the field together say 'quotes: true', else 'quotes: false'";
        }

        if (split.NoLabels.Count == 0) yield break;
        var numbers = split.NoLabels.Keys.Where(LabelForm.IsBelowZero).OrderBy(LabelForm.Number).ToList();
        var all = string.Join(", ", numbers.Concat(split.Labels.Keys.Order(StringComparer.Ordinal).Take(20)).Select(label => $"\"{label}\""));
        if (split.Name == "train" && split.Labels.Count == 1 && numbers.Count > 0 && options.Labels.Count == 0)
        {
            throw new CorpusException(
                $"'{split.Name}' has the label {split.Labels.Keys.Single()} and, on {numbers.Sum(number => split.NoLabels[number])} of {Amount.Rows(split.Rows)}, " +
                $"{string.Join(" and ", numbers)}, which means 'no label'. " +
                $"If it is a class, list the classes: labels: [{all}]");
        }

        yield return $"{split.Name}: {split.Rows - split.Labelled} of {Amount.Rows(split.Rows)} "
            + $"{(split.Rows - split.Labelled == 1 ? "has no label and is" : "have no label and are")} left out ({split.Dropped})" +
            (numbers.Count > 0 ? $"; a number below 0 is no label unless it is listed: labels: [{all}]" : "");
    }

    /// <summary>Classes that are missing where they are needed.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="heldOut">Whether test was held out of train, so that both write labels in one way.</param>
    /// <exception cref="CorpusException">Train and test have no class in common.</exception>
    public static IEnumerable<string> OfClasses(DatasetInfo dataset, bool heldOut)
    {
        foreach (var alike in dataset.Labels.GroupBy(Loosely, StringComparer.Ordinal).Where(alike => alike.Count() > 1))
            yield return $"the classes {Quoted([.. alike])} differ in case or white space only: if they are one, write the labels in one way";
        var nothing = dataset.Labels.Where(Nothings.Contains).ToList();
        if (nothing.Count > 0)
            yield return $"{Quoted(nothing)} {(nothing.Count == 1 ? "counts as a class" : "count as classes")}: if that means that a row has no label, leave the field empty";
        var train = dataset.Split("train");
        var test = dataset.Split("test");
        if (train is { IsLabelled: true })
        {
            var present = Classes(train, dataset.Labels);
            if (present.Count == 1) yield return $"train has one class only ('{present[0]}'): there is nothing to tell apart";
            var missing = dataset.Labels.Except(present).Except(test is { IsLabelled: true } ? Classes(test, dataset.Labels) : []).ToList();
            if (missing.Count > 0)
                yield return $"no row of train or test is of class {Quoted(missing)}, which counts as a class all the same because 'labels' or the source names it";
            if (train.Rows > 20 && present.Count == train.Rows)
                yield return $"every row of train has a label of its own ({present.Count} classes): is the label's field the right one? Name it with 'fields: {{ label: … }}'";
        }

        if (train is not { IsLabelled: true } || test is not { IsLabelled: true }) yield break;
        var (known, asked) = (Classes(train, dataset.Labels), Classes(test, dataset.Labels));
        if (!heldOut && !asked.Intersect(known).Any())
        {
            throw new CorpusException($"no class of test ({string.Join(", ", asked.Take(20))}) is one that train has ({string.Join(", ", known.Take(20))}): " +
                "write the labels of both in one way");
        }

        var strange = asked.Except(known).ToList();
        if (strange.Count > 0)
        {
            var rows = dataset.Labels.Zip(test.Counts).Where(label => strange.Contains(label.First)).Sum(label => label.Second);
            yield return $"test has {Amount.Rows(rows)} of class {Quoted(strange)}, which no row of train is of: no model can get them right";
        }

        var untested = known.Except(asked).ToList();
        if (untested.Count > 0) yield return $"no row of test is of class {Quoted(untested)}: nothing is measured for it";
    }

    /// <summary>Texts that stand in two splits, more than once in one, or under two labels.</summary>
    /// <param name="ledger">The texts.</param>
    /// <param name="splits">The splits, in the ledger's order.</param>
    /// <param name="labels">The label names.</param>
    public static IEnumerable<string> OfTexts(TextLedger ledger, IReadOnlyList<string> splits, IReadOnlyList<string> labels)
    {
        for (var second = 1; second < splits.Count; second++)
            for (var first = 0; first < second; first++)
                if (ledger.Shared(first, second) is > 0 and var shared)
                    yield return $"{shared} text{(shared == 1 ? " stands" : "s stand")} in '{splits[first]}' and in '{splits[second]}'";
        for (var split = 0; split < splits.Count; split++)
        {
            if (ledger.Repeated(split) is not { Rows: > 0 } repeated) continue;
            var conflict = repeated.OtherLabel == 0 ? "all under the same label"
                : $"{repeated.OtherLabel} of them under another label than that one";
            yield return $"{splits[split]}: {Amount.Rows(repeated.Rows)} repeat{(repeated.Rows == 1 ? "s" : "")} the text of a row before, {conflict}";
        }

        if (ledger.Example is var (one, other))
        {
            yield return $"{ledger.TwoLabels} text{(ledger.TwoLabels == 1 ? " stands" : "s stand")} under two labels, " +
                $"such as row {one.Row + 1} of {splits[one.Split]} ('{labels[one.Label]}') and row {other.Row + 1} of {splits[other.Split]} ('{labels[other.Label]}')";
        }
    }

    // What programs write for a value that is not there, in the form that no class is likely to have.
    private static readonly HashSet<string> Nothings = new(StringComparer.Ordinal) { "NULL", "null", "N/A", "n/a", "#N/A", "NA", "<NA>", "None", "NAN" };

    // Upper and lower case, and kinds and numbers of blanks, are what people do not see.
    private static string Loosely(string label) => string.Join(' ', label.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static List<string> Classes(SplitInfo split, IReadOnlyList<string> labels) => [.. labels.Where((_, number) => split.Counts[number] > 0)];

    private static string Quoted(List<string> labels) =>
        string.Join(", ", labels.Take(10).Select(label => $"'{label}'")) + (labels.Count > 10 ? $" and {labels.Count - 10} more" : "");
}
