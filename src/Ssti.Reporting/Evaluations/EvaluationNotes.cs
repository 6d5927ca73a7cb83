using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>What stands under a table of evaluations: without it the numbers cannot be judged.</summary>
internal static class EvaluationNotes
{
    public static IReadOnlyList<string> Of(
        IReadOnlyList<Evaluation> evaluations,
        IReadOnlyList<(RowSpec Spec, IReadOnlyList<Evaluation> Members)> groups,
        EvaluationTableOptions options,
        bool published)
    {
        var first = evaluations[0].Metrics;
        List<string> notes =
        [
            $"Model: {Distinct(evaluations, e => e.Metrics.Backbone)}. Computed with: {Distinct(evaluations, Compute)}.",
            $"Data: {first.Dataset}, {first.Split} split, {first.Clean.Rows} rows; classes: "
                + $"{string.Join(", ", first.Labels.Select((label, index) => $"{index} = {label}"))}.",
        ];
        if (options.Layout == EvaluationLayout.PredictedCounts)
        {
            notes.Add("Predicted: rows of the triggered test set, where every row of every class carries the token, that the model assigns to "
                + "each class (largest logit, the lower class on a tie).");
            notes.Add("Clean accuracy: share of rows predicted right on the same test set without the token.");
        }
        else
        {
            notes.Add("Accuracy: share of rows predicted right; balanced accuracy: mean recall of the classes that occur; weighted F1: F1 averaged "
                + "by support; all on the clean test set.");
        }

        if (evaluations.Any(e => e.Metrics.Triggered is not null))
        {
            notes.Add("ASR, attack success rate: of the rows not of the target class, the share predicted as it when the token is present"
                + (evaluations.Any(e => e.Metrics.Target is null) ? "; a row without a target lists every class." : "."));
        }

        if (options.Layout == EvaluationLayout.Metrics && evaluations.Any(e => Measure.GapOf(e.Metrics) is not null))
        {
            notes.Add("Balanced gap: balanced accuracy on the spurious test set (rows of the target class carry the token) minus that on the clean "
                + "one; normalised: recall of the injected rows with the token minus without.");
        }

        if (groups.Any(group => group.Members.Count > 1)) notes.Add(Runs(evaluations, options));
        if (published) notes.Add($"Published: {options.PublishedIn ?? "arXiv 2506.11402, table 1"}.");
        return notes;
    }

    private static string Runs(IReadOnlyList<Evaluation> evaluations, EvaluationTableOptions options)
    {
        var over = evaluations.SelectMany(e => e.Cell).Where(pair => !options.Dimensions.Contains(pair.Key))
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

    private static string Compute(Evaluation evaluation)
    {
        var c = evaluation.Metrics.Compute;
        var threads = c.DeviceClass.StartsWith("cpu", StringComparison.Ordinal) ? $", {c.Threads} {(c.Threads == 1 ? "thread" : "threads")}" : "";
        return $"{c.DeviceClass}, {c.Dtype}{(c.Tf32 ? " with TF32" : "")}{threads}, libtorch {c.LibTorch}";
    }

    private static string Distinct(IReadOnlyList<Evaluation> evaluations, Func<Evaluation, string> what) =>
        string.Join(" | ", evaluations.Select(what).Distinct());
}
