using System.Text.Json.Nodes;
using Ssti.Reporting.Metrics;

namespace Ssti.Reporting.Measures;

/// <summary>What a measure gives on one evaluation: a number and what it rests on, or why there is none.</summary>
/// <param name="Value">The number; null where it has no meaning.</param>
/// <param name="Rows">The rows that were counted for it, n; null where no rows could be.</param>
/// <param name="Interval95">Its 95 % interval over those rows; null where none is known.</param>
/// <param name="Reason">Why there is no number; null where there is one.</param>
public sealed record Reading(double? Value, long? Rows = null, Interval? Interval95 = null, string? Reason = null)
{
    /// <summary>A share of rows with its Wilson interval.</summary>
    public static Reading Share(long count, long total, string? otherwise = null)
    {
        if (total == 0) return None(otherwise ?? "no rows to count", 0);
        var share = new Proportion(count, total);
        return new(share.Rate, total, share.Wilson95);
    }

    /// <summary>A ratio of sums over rows with its interval.</summary>
    public static Reading Ratio(RatioOfSums ratio, string otherwise) =>
        ratio.Value is { } value ? new(value, ratio.Rows, ratio.Confidence95) : None(otherwise, ratio.Rows);

    /// <summary>A number without an interval.</summary>
    public static Reading Of(double value, long rows) => new(value, rows);

    /// <summary>No number, and why.</summary>
    public static Reading None(string reason, long? rows = null) => new(null, rows, null, reason);

    /// <summary>Puts its members into an object of a file, and returns that.</summary>
    internal JsonObject AddTo(JsonObject json)
    {
        json["value"] = Value;
        json["n"] = Rows;
        if (Interval95 is { } interval) json["interval95"] = new JsonObject { ["low"] = interval.Low, ["high"] = interval.High };
        if (Reason is { } reason) json["reason"] = reason;
        return json;
    }
}
