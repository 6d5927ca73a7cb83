using Ssti.Engine.Planning;

namespace Ssti.Cli.Display;

/// <summary>Reasons on one line.</summary>
internal static class ReasonText
{
    private const int MostUpstream = 2;

    /// <summary>All reasons; of many stages upstream only the first are named, and the others counted.</summary>
    public static string Join(IReadOnlyList<Reason> reasons)
    {
        var own = reasons.Where(reason => reason.Kind != ReasonKind.UpstreamStale).Select(reason => reason.ToString()).ToList();
        var upstream = reasons.Where(reason => reason.Kind == ReasonKind.UpstreamStale).ToList();
        if (upstream.Count > 0)
        {
            var more = upstream.Count > MostUpstream ? $" and {upstream.Count - MostUpstream} more" : "";
            var names = string.Join(", ", upstream.Take(MostUpstream).Select(reason => reason.Field));
            own.Add($"upstream {names}{more} {(upstream.Count == 1 ? "is" : "are")} stale");
        }

        return string.Join("; ", own);
    }
}
