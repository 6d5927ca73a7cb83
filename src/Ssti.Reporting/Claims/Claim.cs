using System.Text.Json.Serialization;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Claims;

/// <summary>A sentence of the paper beside what was measured: held, did not hold, or not decidable at this size. A claim that does not hold is a result.</summary>
/// <param name="Sentence">The claim in one sentence.</param>
/// <param name="Measure">What it is about.</param>
/// <param name="Unit">The measure's unit.</param>
/// <param name="Definition">The measure's definition.</param>
/// <param name="Cases">What it says of each case, with a verdict of its own.</param>
/// <param name="Test">The test that decided, in words.</param>
/// <param name="Source">Where the claim stands.</param>
public sealed record Claim(string Sentence, string Measure, string Unit, string Definition, IReadOnlyList<ClaimCase> Cases, string Test, string? Source)
{
    /// <summary>The profile it was measured with; null without one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Profile { get; init; }

    /// <summary>Of all cases: held when each did, did not hold when one did not, else not decidable.</summary>
    public Verdict Verdict => Cases.Any(one => one.Verdict == Verdict.DidNotHold) ? Verdict.DidNotHold
        : Cases.All(one => one.Verdict == Verdict.Held) ? Verdict.Held : Verdict.NotDecidable;
}

/// <summary>One case of a claim.</summary>
/// <param name="Name">Which, such as <c>proportion 50</c>.</param>
/// <param name="Published">The published numbers, as they were given; null without.</param>
/// <param name="Left">Ours on the left side: mean over runs.</param>
/// <param name="Right">Ours on the right side: mean over runs, or the threshold.</param>
/// <param name="Runs">Runs compared.</param>
/// <param name="Difference">Left minus right, mean over runs.</param>
/// <param name="Low">Lower end of the difference's 95 % interval; null for a single run that is not judged by its own.</param>
/// <param name="High">Upper end; null where that is.</param>
/// <param name="Verdict">What follows.</param>
public sealed record ClaimCase(
    string Name, string? Published, double Left, double Right, int Runs, double Difference, double? Low, double? High, Verdict Verdict)
{
    /// <summary>The smallest and the largest of the left side's runs; null for a single run.</summary>
    public Interval? LeftRange { get; init; }

    /// <summary>The same of the right side; null also for a threshold.</summary>
    public Interval? RightRange { get; init; }
}

/// <summary>What the measurements say of a claim.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
public enum Verdict
{
    /// <summary>The difference's 95 % interval lies on the claimed side.</summary>
    Held,

    /// <summary>It lies on the other side.</summary>
    DidNotHold,

    /// <summary>It reaches over both, or there is a single run and no interval of its own to judge it by: more runs or rows would be needed.</summary>
    NotDecidable,
}
