using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>What stands under a table of evaluations: without it the numbers cannot be judged.</summary>
internal static class EvaluationNotes
{
    public static IReadOnlyList<string> Of(
        IReadOnlyList<Evaluation> evaluations,
        IReadOnlyList<(RowSpec Spec, IReadOnlyList<Evaluation> Members)> groups,
        EvaluationTableOptions options,
        Layout layout,
        bool published)
    {
        var first = evaluations[0].Metrics;
        List<string> notes =
        [
            $"Model: {Distinct(evaluations, e => e.Metrics.Backbone)}. Computed with: {Distinct(evaluations, Compute)}.",
            $"Data: {first.Dataset}, {first.Split} split, {first.Clean.Rows} rows; classes: "
                + $"{string.Join(", ", first.Labels.Select((label, index) => $"{index} = {label}"))}.",
        ];
        if (evaluations.Any(e => e.Metrics.Token is not null)) notes.Add($"Triggered test set: {Distinct(evaluations.Where(e => e.Metrics.Token is not null), Token)}.");
        notes.AddRange(layout.Columns.Select(column => column.Note).OfType<(string Header, string Definition)>()
            .Select(note => $"{Capital(note.Header)}: {note.Definition}."));
        if (layout.Columns.OfType<MeasureColumn>().Any(column => column.Measure == EvaluationMeasures.AttackSuccess) && Counted(evaluations) is { Length: > 0 } counted)
            notes.Add($"Rows that ASR counts in a run: {counted}.");
        var single = groups.Any(group => group.Members.Count == 1) || options.EachRun;
        if (groups.Any(group => group.Members.Count > 1)) notes.Add(RowGroups.Over(evaluations.Select(evaluation => evaluation.Cell), options));
        var shares = layout.Columns.OfType<MeasureColumn>().Any(column => column.Measure.Format == NumberFormat.Percent);
        if (single && shares && options.Spread is SpreadKind.Range or SpreadKind.Confidence)
            notes.Add("A share of a single run: [95 % Wilson interval over its rows].");
        notes.AddRange(Doubts(evaluations));
        if (published) notes.Add($"Published: {options.PublishedIn ?? "arXiv 2506.11402, table 1"}.");
        return notes;
    }

    private static string Token(Evaluation evaluation)
    {
        var (rows, injected, whole) = (evaluation.Metrics.Clean.Rows, evaluation.Metrics.Token!.Injected.Sum(), evaluation.Metrics.Token.Whole.Sum());
        return $"{(injected == rows ? "every row carries the token" : $"{injected} of {rows} rows carry the token")}"
            + (whole == injected ? "" : $", and the model reads a whole one in {whole}");
    }

    /// <summary>How many rows ASR is over, by its target: of the targets that there are, or of all classes.</summary>
    private static string Counted(IReadOnlyList<Evaluation> evaluations)
    {
        var files = evaluations.Select(evaluation => evaluation.Metrics).Where(file => file.Token is not null).ToArray();
        if (files.Length == 0) return "";
        var targets = files.Select(file => MeasureColumn.TargetOf(file, ClassPick.Target)).OfType<int>().Distinct().Order().ToArray();
        var labels = files[0].Labels;
        if (targets.Length == 0) targets = [.. Enumerable.Range(0, labels.Count)];
        return string.Join(", ", targets.Select(target => $"{string.Join(" or ", Rows(target).Distinct())} for target {labels[target]}"));

        IEnumerable<long> Rows(int target) => files.Select(file => EvaluationMeasures.AttackSuccess.Read(file, target).Rows ?? 0);
    }

    /// <summary>What the evaluations themselves call doubtful, each once, with the names of those that say so where not all do.</summary>
    private static IEnumerable<string> Doubts(IReadOnlyList<Evaluation> evaluations) => evaluations
        .SelectMany(evaluation => evaluation.Metrics.Notes.Select(note => (note, evaluation.Name)))
        .GroupBy(pair => pair.note, pair => pair.Name)
        .Select(group => group.Count() == evaluations.Count ? $"Warning: {group.Key}." : $"Warning ({string.Join(", ", group)}): {group.Key}.");

    internal static string Capital(string words) => char.ToUpperInvariant(words[0]) + words[1..];

    private static string Compute(Evaluation evaluation)
    {
        var c = evaluation.Metrics.Compute;
        var threads = c.DeviceClass.StartsWith("cpu", StringComparison.Ordinal) ? $", {c.Threads} {(c.Threads == 1 ? "thread" : "threads")}" : "";
        return $"{c.DeviceClass}, {c.Dtype}{(c.Tf32 ? " with TF32" : "")}{threads}, libtorch {c.LibTorch}";
    }

    private static string Distinct(IEnumerable<Evaluation> evaluations, Func<Evaluation, string> what) =>
        string.Join(" | ", evaluations.Select(what).Distinct());
}
