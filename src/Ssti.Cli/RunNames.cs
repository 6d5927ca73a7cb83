using System.Globalization;
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
        if (several.Count > 1) throw new UserException($"'{name}' may be any of {Some(several)}; write more of the name");
        if (several.Count == 1) throw new UserException($"the journal of run {several[0]} in {store.Workspace.Runs} cannot be read");
        var there = history.Ids;
        throw new UserException(there.Count == 0 ? $"no run '{name}': nothing was run yet in {store.Workspace.Root}"
            : $"no run '{name}' in {store.Workspace.Root}; there are {Some(there)}");
    }

    /// <summary>The same, or null; <paramref name="several"/> are the runs that the name may mean.</summary>
    public static PastRun? TryFind(RunHistory history, string name, out IReadOnlyList<string> several)
    {
        several = [];
        if (name == "last") return history.Before(0);
        if (name.StartsWith("last~", StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var back)) return history.Before(back);
        several = history.Named(name);
        return several is [var only] ? history.Read(only) : null;
    }

    private static string Some(IReadOnlyList<string> names) => names.Count <= 6
        ? string.Join(", ", names) : $"{string.Join(", ", names.Take(5))} and {names.Count - 5} more";
}
