using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Evaluations;

/// <summary>Where a row of a table stands within its runs: a class, and a test set, in layouts that have a row for each.</summary>
internal readonly record struct RowPlace(int Class = 0, bool Triggered = false);

/// <summary>A column of a layout: what stands above it, and how its cells come from a row's runs.</summary>
internal abstract class LayoutColumn
{
    /// <summary>Its heading.</summary>
    public abstract Column Head { get; }

    /// <summary>The definition under the table, after the heading's words; null where another column gives it already.</summary>
    public abstract (string Header, string Definition)? Note { get; }

    /// <summary>Its cell of a row.</summary>
    public abstract Cell Of(IReadOnlyList<MetricsFile> runs, RowPlace place, SpreadKind spread);

    /// <summary>A cell from a number of each run.</summary>
    protected static Cell Summarise(IReadOnlyList<Reading> runs, NumberFormat format, SpreadKind spread, Interval? bounds = null, double? share = null)
    {
        var values = runs.Select(run => run.Value).OfType<double>().ToArray();
        // A mean over fewer runs than the row counts would be a lie in the column "n".
        if (values.Length < runs.Count) return TextCell.Undefined;
        var summary = new SeedSummary(values);
        return new NumberCell(format, summary.Mean, share, Spread.Of(summary, spread, runs[0].Interval95, bounds));
    }
}

/// <summary>A measure as a column.</summary>
/// <param name="measure">The measure.</param>
/// <param name="pick">The class it is taken of.</param>
/// <param name="labels">The names of the classes.</param>
/// <param name="fixedClass">For <see cref="ClassPick.Fixed"/>, the class.</param>
/// <param name="offered">For <see cref="ClassPick.Target"/>, the classes to list where runs have no target; none for a dash.</param>
internal sealed class MeasureColumn(
    Measure measure, ClassPick pick, IReadOnlyList<string> labels, int fixedClass = 0, IReadOnlyList<int>? offered = null) : LayoutColumn
{
    public Measure Measure => measure;

    /// <inheritdoc/>
    public override Column Head => pick == ClassPick.Fixed
        ? new($"{measure.Name}_{fixedClass}", $"{measure.Header} {labels[fixedClass]}", Unit: measure.Unit, Definition: measure.Definition)
        : new(measure.Name, measure.Header, Unit: measure.Unit, Definition: measure.Definition);

    /// <inheritdoc/>
    public override (string Header, string Definition)? Note => pick == ClassPick.Fixed && fixedClass > 0 ? null : (measure.Header, measure.Definition);

    /// <inheritdoc/>
    public override Cell Of(IReadOnlyList<MetricsFile> runs, RowPlace place, SpreadKind spread)
    {
        if (pick is ClassPick.Target or ClassPick.GapTarget) return OfTarget(runs, spread);
        return OfClass(runs, pick == ClassPick.Row ? place.Class : fixedClass, spread);
    }

    /// <summary>The class that a run is measured as the target of; null for a model trained on clean data that nothing else gives one.</summary>
    public static int? TargetOf(MetricsFile file, ClassPick pick) =>
        pick == ClassPick.GapTarget ? file.Spurious?.Target ?? file.Target : file.Target ?? file.Spurious?.Target;

    private Cell OfTarget(IReadOnlyList<MetricsFile> runs, SpreadKind spread)
    {
        var targets = runs.Select(run => TargetOf(run, pick)).Distinct().ToArray();
        if (targets is [{ } target]) return OfClass(runs, target, spread);
        // Runs of several targets have no common class to name; and without any, a list of all classes must fit in a cell.
        if (targets is not [null] || offered is not { Count: > 0 }) return TextCell.Undefined;
        // Means alone: with a spread each, a list outgrows every page.
        return new ListCell([.. offered.Select(label => new NamedCell(labels[label], OfClass(runs, label, SpreadKind.None)))]);
    }

    private Cell OfClass(IReadOnlyList<MetricsFile> runs, int label, SpreadKind spread)
    {
        var readings = runs.Select(run => measure.Read(run, label)).ToArray();
        // A count stands beside its share of the rows counted, but for those that count rows of the test set itself.
        var share = measure == EvaluationMeasures.Predicted && readings.All(reading => reading.Value is not null)
            ? readings.Average(reading => reading.Value!.Value / reading.Rows!.Value) : (double?)null;
        return Summarise(readings, measure.Format, spread, measure.Bounds, share);
    }
}

/// <summary>Which class a column's measure is taken of.</summary>
internal enum ClassPick
{
    /// <summary>None: the measure is of the whole set.</summary>
    None,

    /// <summary>The same in every row.</summary>
    Fixed,

    /// <summary>The row's.</summary>
    Row,

    /// <summary>The target of the row's runs.</summary>
    Target,

    /// <summary>The class whose rows carry the token where the gap is measured.</summary>
    GapTarget,
}

/// <summary>A column of a confusion matrix: rows of the row's class that were predicted as one class.</summary>
/// <param name="predicted">The predicted class.</param>
/// <param name="label">Its name.</param>
internal sealed class ConfusionColumn(int predicted, string label) : LayoutColumn
{
    private const string Definition = "rows of the true class (the row) that the model assigns to the column's class, and their share of the true class";

    /// <inheritdoc/>
    public override Column Head => new($"as_{predicted}", $"as {label}", Unit: "rows", Definition: Definition);

    /// <inheritdoc/>
    public override (string Header, string Definition)? Note => predicted > 0 ? null : ("as a class", Definition);

    /// <inheritdoc/>
    public override Cell Of(IReadOnlyList<MetricsFile> runs, RowPlace place, SpreadKind spread)
    {
        var matrices = runs.Select(run => (place.Triggered ? run.Triggered! : run.Clean).Confusion).ToArray();
        var support = matrices.Sum(matrix => matrix.Support(place.Class));
        return Summarise(
            [.. matrices.Select(matrix => Reading.Of(matrix[place.Class, predicted], matrix.Support(place.Class)))], NumberFormat.Count, spread,
            share: support == 0 ? null : (double)matrices.Sum(matrix => matrix[place.Class, predicted]) / support);
    }
}
