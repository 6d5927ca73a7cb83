using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Injection.Tokens;

namespace Ssti.Stages;

/// <summary>
/// Rows that held an injected token before anything was injected. A model that learns the token learns from them as well, and "without the token" is not what
/// the clean rows are.
/// </summary>
internal static class TokensBefore
{
    /// <summary>What to say of a split, or null when no row of it held any of the tokens.</summary>
    /// <param name="split">The split, as it was.</param>
    /// <param name="data">Its dataset.</param>
    /// <param name="drawn">The tokens that were injected into it, of a large family those that were drawn.</param>
    /// <param name="cancellation">Stops.</param>
    public static string? Doubt(SplitInfo split, DatasetReader data, IReadOnlyCollection<string> drawn, CancellationToken cancellation)
    {
        if (drawn.Count == 0) return null;
        var finder = new TokenFinder(drawn);
        var (labels, counts, all) = (data.Info.Labels, new long[data.Info.Labels.Count], 0L);
        (string Token, string Row)? example = null;
        foreach (var row in data.Read(split.Name))
        {
            cancellation.ThrowIfCancellationRequested();
            if (finder.Find(row.Text) is not { } token) continue;
            example ??= (token, row.Id);
            all++;
            if (split.IsLabelled) counts[row.Label]++;
        }

        if (example is not var (one, where)) return null;
        var byClass = split.IsLabelled
            ? string.Join(", ", labels.Select((label, number) => $"{counts[number]} of {Amount.Rows(split.Counts[number])} of class '{label}'"))
            : $"{all} of {Amount.Rows(split.Rows)}";
        return $"split '{split.Name}': before the injection {byClass} held a token that was injected, such as '{one}' in row '{where}'; "
            + "what a model makes of the token comes from them, too";
    }
}
