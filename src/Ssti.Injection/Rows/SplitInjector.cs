using System.Globalization;
using Ssti.Corpus.Datasets;

namespace Ssti.Injection.Rows;

/// <summary>
/// Injects the rows of a split: as the reference's <c>spurious_transform</c> under the plan's defaults. Rows are streamed, and read more
/// than once rather than held: once or twice to write them in order, and once before to be sure that tokens which may be used once suffice.
/// </summary>
/// <param name="plan">Which rows, and with what.</param>
public sealed class SplitInjector(InjectionPlan plan)
{
    /// <summary>Injects a split. Every call starts at the head of the random streams, so splits do not depend on one another.</summary>
    /// <param name="split">What is known of the split: its rows and the counts of its labels.</param>
    /// <param name="rows">The rows in order; called once a pass.</param>
    /// <param name="write">Takes the resulting rows in order.</param>
    /// <param name="record">Takes a record for every injected row, in the order of the resulting rows.</param>
    /// <param name="progress">Told of the rows written so far.</param>
    /// <param name="cancellation">Looked at row by row.</param>
    /// <returns>How many rows and tokens.</returns>
    /// <exception cref="InjectionException">The plan cannot be carried out on this split; nothing has been written then.</exception>
    public InjectionCounts Inject(
        SplitInfo split, Func<IEnumerable<Row>> rows, Action<Row> write, Action<InjectionRecord> record,
        Action<long>? progress = null, CancellationToken cancellation = default)
    {
        var targets = Targets(split);
        var choice = Choose(split, targets, rows);
        if (plan.Steps.Any(step => !step.Replacement)) Rehearse(rows, choice, split, cancellation);

        var injector = NewInjector();
        var tokens = new List<InjectedToken>();
        long written = 0, injectedTokens = 0;
        var target = 0;
        var passes = plan.TargetLabel is not null && plan.Order == RowOrder.TargetFirst ? new bool?[] { true, false } : [null];
        foreach (var targetsOnly in passes)
        {
            foreach (var row in rows())
            {
                cancellation.ThrowIfCancellationRequested();
                var isTarget = IsTarget(row);
                if (targetsOnly is { } only && only != isTarget) continue;
                if (isTarget && choice[target++])
                {
                    var text = injector.Apply(row.Text, row.Id, tokens).ToString();
                    write(new(row.Id, text, plan.Relabels ? plan.TargetLabel!.Value : row.Label));
                    record(new(row.Id, [.. tokens]) { OriginalLabel = plan.Relabels ? row.Label : null });
                    injectedTokens += tokens.Count;
                }
                else
                {
                    write(row);
                }

                progress?.Invoke(++written);
            }
        }

        return new(split.Rows, targets, choice.Count, injectedTokens);
    }

    private Injector NewInjector() => new(plan.Steps, plan.Whitespace, plan.Streams);

    private bool IsTarget(Row row) => plan.TargetLabel is not { } label || row.Label == label != plan.Relabels;

    private int Targets(SplitInfo split)
    {
        if (split.Rows > int.MaxValue) throw new InjectionException($"split '{split.Name}' has {split.Rows} rows; at most {int.MaxValue} can be chosen from");
        if (plan is { Relabels: true, TargetLabel: null }) throw new InjectionException("dirty labels need one target label, which the injected rows are given");
        if (plan.TargetLabel is not { } label) return (int)split.Rows;
        if (!split.IsLabelled)
            throw new InjectionException($"split '{split.Name}' has no labels, so it has no rows of a target label: inject every row (target label all) or name other splits");
        if (label < 0 || label >= split.Counts.Count) throw new InjectionException($"there is no label {label}: labels are 0 to {split.Counts.Count - 1}");
        if (plan.Relabels)
        {
            return split.Counts[label] < split.Rows ? (int)(split.Rows - split.Counts[label])
                : throw new InjectionException(
                    $"split '{split.Name}' has no row of another label than number {label}, so there is none to relabel: another 'target-label', "
                    + "or other 'splits'");
        }

        if (split.Counts[label] == 0)
            throw new InjectionException($"split '{split.Name}' has no row of label number {label}, so there is nothing to inject: another 'target-label', or other 'splits'");
        return (int)split.Counts[label];
    }

    private RowChoice Choose(SplitInfo split, int targets, Func<IEnumerable<Row>> rows)
    {
        if (!(plan.Proportion >= 0 && plan.Proportion <= 1))
            throw new InjectionException(string.Create(CultureInfo.InvariantCulture, $"the proportion {plan.Proportion} must lie between 0 and 1"));
        var which = plan.Relabels ? "have another label than the target" : "have the target label";
        if (plan.Count > targets) throw new InjectionException($"{plan.Count} rows of split '{split.Name}' are to be injected, but only {targets} of its {split.Rows} {which}: "
                    + $"take fewer");
        var count = plan.Count ?? RowChoice.Rounded(plan.ProportionOf == ProportionOf.Class ? targets : split.Rows, plan.Proportion);
        if (count > targets)
        {
            throw new InjectionException(string.Create(CultureInfo.InvariantCulture,
                $"a proportion of {plan.Proportion} of split '{split.Name}' is {count} rows, but only {targets} of its {split.Rows} {which}: "
                    + $"take a smaller proportion, or one of the class"));
        }

        return plan.Streams == RandomStreams.PerRow
            ? RowChoice.ByRow(rows().Where(IsTarget).Select(row => row.Id), targets, count, plan.RowSeed)
            : RowChoice.Sampled(targets, count, plan.RowSeed);
    }

    /// <summary>Injects without writing, so that tokens that run out are known before anything is written.</summary>
    private void Rehearse(Func<IEnumerable<Row>> rows, RowChoice choice, SplitInfo split, CancellationToken cancellation)
    {
        var injector = NewInjector();
        int target = 0, done = 0;
        foreach (var row in rows())
        {
            cancellation.ThrowIfCancellationRequested();
            if (!IsTarget(row) || !choice[target++]) continue;
            try
            {
                injector.Apply(row.Text, row.Id);
                done++;
            }
            catch (InjectionException error)
            {
                throw new InjectionException($"split '{split.Name}', row '{row.Id}': after {done} of {choice.Count} rows to inject, {error.Message}", error);
            }
        }
    }
}
