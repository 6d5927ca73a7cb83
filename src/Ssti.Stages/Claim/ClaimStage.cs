using System.Globalization;
using System.Text;
using Ssti.Engine.Stages;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>
/// Holds a sentence of the paper to what was measured: <c>claim.json</c>, and <c>claim.md</c> for people. A claim that does not hold is a result, not a failure.
/// </summary>
public sealed class ClaimStage : StageKind<ClaimParameters>
{
    /// <summary>The file for programs.</summary>
    public const string JsonFile = "claim.json";

    /// <inheritdoc/>
    public override string Name => "claim";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Holds a sentence to what was measured: held, did not hold, or not decidable at this size.";

    /// <inheritdoc/>
    public override bool UsesSeed(ClaimParameters parameters) => false;

    /// <inheritdoc/>
    public override bool TellsProfile => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("measures", "What was measured (uses: evaluate, attention …)", Many: true)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ClaimParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Sentence)) yield return new("sentence", "is empty; say what is claimed");
        if (parameters.Cases.Count == 0) yield return new("cases", "is empty; give at least one");
        foreach (var (index, one) in parameters.Cases.Index())
        {
            var key = $"cases[{index}]";
            var sides = (one.Right.Count > 0 ? 1 : 0) + (one.AtLeast is null ? 0 : 1) + (one.Below is null ? 0 : 1);
            if (sides != 1) yield return new(key, "needs one of 'right', 'at-least' and 'below'");
            if (parameters.ByInterval == true && one.Right.Count > 0)
                yield return new(key, "has a right side, and 'by-interval' judges one value by itself: give 'at-least' or 'below', or leave it out");
            if (one.Margin is not null && one.Right.Count == 0) yield return new(key, "has a 'margin' and nothing on the right that it could be a margin to");
            if (one.Left.Concat(one.Right).FirstOrDefault(pair => pair.IndexOf('=') is < 1) is { } odd) yield return new(key, $"'{odd}' is not dimension=value, such as rank=16");
            foreach (var (side, pairs) in new[] { ("left", one.Left), ("right", one.Right) })
            {
                if (pairs.GroupBy(pair => pair.Split('=')[0].Trim()).FirstOrDefault(group => group.Count() > 1) is { } twice)
                    yield return new($"{key}.{side}", $"names the dimension '{twice.Key}' twice; a side is the cells of one value of it");
            }
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(ClaimParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        var cells = inputs("measures");
        foreach (var (index, one) in parameters.Cases.Index())
        {
            var (left, right) = (CellCheck.Matching(cells, Where(one.Left)), CellCheck.Matching(cells, Where(one.Right)));
            if (left.Count == 0) yield return new($"cases.{index}.left", CellCheck.None(cells, Where(one.Left)));
            else if (one.Right.Count > 0 && right.Count == 0) yield return new($"cases.{index}.right", CellCheck.None(cells, Where(one.Right)));
            else if (one.Right.Count > 0 && CellCheck.Unpaired(left, Where(one.Left), right, Where(one.Right)) is { } alone)
                yield return new($"cases.{index}", $"'{alone}' has no partner on the other side; both sides need the same runs of what they leave open, such as seeds");
        }
    }

    /// <inheritdoc/>
    public override async Task RunAsync(ClaimParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var grid = new MeasureGrid(MeasureInput.Read(context.Inputs["measures"]), parameters.Measure, parameters.Class);
            var described = grid.Described;
            var claim = new Claim(
                parameters.Sentence, parameters.Measure, described.Unit, described.Definition,
                [.. parameters.Cases.Select(one => Decide(one, grid, parameters.ByInterval == true))],
                parameters.ByInterval == true ? ClaimTest.IntervalWords : ClaimTest.Words, parameters.Source) { Profile = context.Profile };
            context.Log($"{claim.Verdict}: {claim.Sentence}");
            context.Metrics["verdict"] = claim.Verdict.ToString();
            await File.WriteAllTextAsync(context.Output(JsonFile), ClaimText.ToJson(claim), new UTF8Encoding(false), cancellation);
            await File.WriteAllTextAsync(context.Output("claim.md"), ClaimText.ToMarkdown(claim), new UTF8Encoding(false), cancellation);
        }
        catch (ArgumentException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static ClaimCase Decide(ClaimCaseParameters one, MeasureGrid grid, bool byInterval)
    {
        var (left, name) = (Where(one.Left), one.Left.Count > 0 ? MeasureGrid.Show(Where(one.Left)) : "all runs");
        if (byInterval) return ClaimTest.ByInterval(name, grid.Pick(left), (one.AtLeast ?? one.Below)!.Value, one.Below is not null, one.Published);
        if (one.AtLeast is { } least) return ClaimTest.AtLeast(name, grid.Pick(left), least, one.Published);
        if (one.Below is { } bound) return ClaimTest.Below(name, grid.Pick(left), bound, one.Published);
        var right = Where(one.Right);
        var margin = one.Margin ?? 0;
        var beyond = margin == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {(margin < 0 ? '−' : '+')} {Math.Abs(margin)}");
        return ClaimTest.Greater($"{name} > {MeasureGrid.Show(right)}{beyond}", grid.Pick(left), grid.Pick(right), one.Published, margin);
    }

    private static Dictionary<string, string> Where(List<string> pairs) => pairs.Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0].Trim(), pair => pair[1].Trim());
}
