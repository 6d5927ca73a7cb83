using System.Globalization;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Records;

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
        if (several.Count > 1) throw Ambiguous(name, several);
        if (several.Count == 1) throw new UserException($"the journal of run {several[0]} in {store.Workspace.Runs} cannot be read");
        var there = history.Ids;
        throw new UserException(there.Count == 0 ? $"no run '{name}': nothing was run yet in {store.Workspace.Root}"
            : $"no run '{name}' in {store.Workspace.Root}; there are {Some(there)}");
    }

    /// <summary>The run of a name in a bucket. A run of this machine will do whose results somebody pushed there without its journal.</summary>
    /// <param name="there">The bucket's runs.</param>
    /// <param name="here">This machine's runs.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="UserException">There is none, or there are several.</exception>
    public static async Task<PastRun> FindAsync(SharedRuns there, RunHistory here, string name, CancellationToken cancellation)
    {
        // A whole name is a question of its own; for part of one, all are looked at.
        if (await there.ReadAsync(name, cancellation) is { } exactly) return exactly;
        var ids = await there.IdsAsync(cancellation);
        var named = Back(name) is { } back ? [.. ids.Skip(back).Take(1)] : RunHistory.Named(ids, name);
        if (named.Count > 1) throw Ambiguous(name, named);
        if (named.Count == 1)
        {
            return await there.ReadAsync(named[0], cancellation)
                ?? throw new UserException($"the journal of run {named[0]} in {there.Location} cannot be read");
        }

        return TryFind(here, name, out _) ?? throw new UserException($"no run '{name}' in {there.Location}; "
            + (ids.Count == 0 ? "none was pushed there ('ssti push <bucket> --run <run>')" : $"there are {Some(ids)}"));
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

    private static UserException Ambiguous(string name, IReadOnlyList<string> several) => new($"'{name}' may be any of {Some(several)}; write more of the name");

    private static string Some(IReadOnlyList<string> names) => names.Count <= 6
        ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Count - 5} more";
}
