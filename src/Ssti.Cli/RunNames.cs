using System.Globalization;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Records;
using Ssti.Store.Files;

namespace Ssti.Cli;

/// <summary>Finds the run that the command line means.</summary>
internal static class RunNames
{
    /// <summary>The run of a name: <c>last</c>, <c>last~2</c>, a number, a name or the beginning of one.</summary>
    /// <exception cref="UserException">There is none, or there are several.</exception>
    public static PastRun Find(OpenStore store, string name)
    {
        var history = new RunHistory(store.Workspace);
        var found = TryFind(history, name, out var several);
        if (found is not null) return found;
        if (several.Count > 1) throw new UserException($"'{name}' may be any of {Some(several)}; write more of the name");
        if (several.Count == 1) throw new UserException($"the journal of run {several[0]} in {store.Workspace.Runs} cannot be read");
        var there = history.Ids;
        throw new UserException(there.Count == 0 ? $"no run '{name}': nothing was run yet in {store.Workspace.Root}"
            : $"no run '{name}' in {store.Workspace.Root}; there are {Some(there)}");
    }

    /// <summary>The run of a name in a bucket, its journal brought into a workspace, and whether it is new there.</summary>
    /// <exception cref="UserException">There is none, or there are several.</exception>
    public static async Task<(PastRun Run, bool IsNew)> FetchAsync(OpenStore from, Workspace here, string name, CancellationToken cancellation)
    {
        var shared = new SharedRuns(from.Artifacts);
        // A whole name is a question of its own; for part of one, all are looked at.
        var (run, isNew) = (name, await shared.FetchAsync(name, here, cancellation));
        if (isNew is null)
        {
            var there = await shared.IdsAsync(cancellation);
            var named = Back(name) is { } back ? [.. there.Skip(back).Take(1)] : RunHistory.Named(there, name);
            if (named.Count > 1) throw new UserException($"'{name}' may be any of {Some(named)}; write more of the name");
            if (named.Count == 0)
            {
                // A run of this machine whose results somebody pushed.
                if (TryFind(new RunHistory(here), name, out _) is { } known) return (known, false);
                throw new UserException($"no run '{name}' in {from.Artifacts.Location}; "
                    + (there.Count == 0 ? "none was pushed there ('ssti push <bucket> --run <run>')" : $"there are {Some(there)}"));
            }

            run = named[0];
            isNew = await shared.FetchAsync(run, here, cancellation);
        }

        var journal = new RunHistory(here).Read(run) ?? throw new UserException($"the journal of run {run} in {from.Artifacts.Location} cannot be read");
        return (journal, isNew == true);
    }

    /// <summary>The same, or null; <paramref name="several"/> are the runs that the name may mean.</summary>
    public static PastRun? TryFind(RunHistory history, string name, out IReadOnlyList<string> several)
    {
        several = [];
        if (Back(name) is { } back) return history.Before(back);
        several = history.Named(name);
        return several is [var only] ? history.Read(only) : null;
    }

    // How far 'last' and 'last~2' go back; null for other names.
    private static int? Back(string name) => name == "last" ? 0
        : name.StartsWith("last~", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var back) ? back : null;

    private static string Some(IReadOnlyList<string> names) => names.Count <= 6
        ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Count - 5} more";
}
