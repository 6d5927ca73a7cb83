using System.Collections;
using Ssti.Corpus.Datasets;

namespace Ssti.Defenses.Data;

/// <summary>
/// Reads a split for the rows of the features that tell most: groups those that stand in the same rows, and keeps the rows that alarms
/// flag.
/// </summary>
public sealed class SuspectRows
{
    // Of two features' rows at least so many are common where they are one finding.
    private const double Inside = 0.8;
    private const int Examples = 3, Around = 80, MostValues = 8;

    private SuspectRows(IReadOnlyList<Suspect> suspects, IReadOnlyList<FlaggedRow> flagged, IReadOnlyList<BitArray> rows) =>
        (Suspects, Flagged, Rows) = (suspects, flagged, rows);

    /// <summary>The suspects, best first.</summary>
    public IReadOnlyList<Suspect> Suspects { get; }

    /// <summary>The rows that alarms flag, in the split's order.</summary>
    public IReadOnlyList<FlaggedRow> Flagged { get; }

    /// <summary>Of each suspect the rows of its class that have it, as bits by their number.</summary>
    public IReadOnlyList<BitArray> Rows { get; }

    /// <summary>Finds them.</summary>
    /// <param name="rows">Gives the split's rows; called twice.</param>
    /// <param name="count">How many rows there are.</param>
    /// <param name="features">The features, best first.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static SuspectRows Find(Func<IEnumerable<Row>> rows, int count, IReadOnlyList<TestedFeature> features, CancellationToken cancellation)
    {
        var search = new SuspectSearch([.. features.Select(feature => feature.Feature)]);
        var (having, own) = (features.Select(_ => new BitArray(count)).ToArray(), features.Select(_ => new BitArray(count)).ToArray());
        var number = 0;
        foreach (var row in rows())
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var index in search.In(row.Text).Keys)
            {
                having[index][number] = true;
                if (features[index].Class == row.Label) own[index][number] = true;
            }

            number++;
        }

        var leads = Group(features, having);
        var groups = leads.Select(group => group[0]).ToArray();
        var (flagged, examples, values) = Read(rows(), features, leads, search, cancellation);
        return new SuspectRows(
            [
                .. leads.Index().Select(group => new Suspect(features[group.Item[0]], [.. group.Item.Skip(1).Select(index => features[index])])
                {
                    Examples = examples[group.Index],
                    Values = [.. values[group.Index].OrderByDescending(value => value.Value).ThenBy(value => value.Key, StringComparer.Ordinal).Take(MostValues)
                        .Select(value => (value.Key, value.Value))],
                }),
            ],
            flagged, [.. groups.Select(index => own[index])]);
    }

    private static List<List<int>> Group(IReadOnlyList<TestedFeature> features, BitArray[] having)
    {
        var groups = new List<List<int>>();
        for (var index = 0; index < features.Count; index++)
        {
            var at = index;
            var group = groups.FirstOrDefault(
                group => features[group[0]].Class == features[at].Class
                    && AreOne(having[group[0]], features[group[0]].Rows, having[at], features[at].Rows));
            if (group is null) groups.Add([index]);
            else group.Add(index);
        }

        return groups;
    }

    // What stands in the lead's rows alone is part of it; what has the lead's rows and as many others again is not.
    private static bool AreOne(BitArray lead, int leadRows, BitArray other, int otherRows)
    {
        var both = new BitArray(lead).And(other);
        var common = 0;
        for (var i = 0; i < both.Length; i++)
            if (both[i]) common++;
        return common >= Inside * otherRows || (common >= Inside * leadRows && otherRows <= 2 * leadRows);
    }

    private static (List<FlaggedRow> Flagged, List<SuspectExample>[] Examples, Dictionary<string, int>[] Values) Read(
        IEnumerable<Row> rows, IReadOnlyList<TestedFeature> features, List<List<int>> groups, SuspectSearch search, CancellationToken cancellation)
    {
        var (flagged, examples, values) = (
            new List<FlaggedRow>(), groups.Select(_ => new List<SuspectExample>()).ToArray(),
            groups.Select(_ => new Dictionary<string, int>()).ToArray());
        var groupOf = groups.Index().SelectMany(group => group.Item.Select(feature => (feature, group.Index))).ToDictionary(pair => pair.feature, pair => pair.Index);
        var number = -1;
        foreach (var row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            number++;
            var found = search.In(row.Text);
            foreach (var (index, start) in found)
            {
                var group = groupOf[index];
                if (groups[group][0] != index || features[index].Class != row.Label) continue;
                if (examples[group].Count < Examples) examples[group].Add(new SuspectExample(row.Id, row.Label, Near(row.Text, start)));
                if (features[index].Feature.Kind is FeatureKind.Piece or FeatureKind.Shape or FeatureKind.Family && values[group].Count < 10_000)
                    values[group][WordAt(row.Text, start)] = values[group].GetValueOrDefault(WordAt(row.Text, start)) + 1;
            }

            int[] by = [.. found.Keys.Where(index => features[index].IsAlarm && features[index].Class == row.Label).Select(index => groupOf[index]).Distinct().Order()];
            if (by.Length > 0) flagged.Add(new FlaggedRow(number, row, by, found.Where(one => features[one.Key].IsAlarm).Min(one => one.Value)));
        }

        return (flagged, examples, values);
    }

    /// <summary>The part of a text around a place.</summary>
    public static string Near(string text, int start)
    {
        var (from, to) = (Math.Max(0, start - Around), Math.Min(text.Length, start + (2 * Around)));
        if (from > 0 && char.IsLowSurrogate(text[from])) from--;
        if (to < text.Length && char.IsLowSurrogate(text[to])) to++;
        return $"{(from > 0 ? "… " : "")}{text[from..to]}{(to < text.Length ? " …" : "")}";
    }

    private static string WordAt(string text, int start)
    {
        var end = start;
        while (end < text.Length && !char.IsWhiteSpace(text[end])) end++;
        return text[start..end];
    }
}
