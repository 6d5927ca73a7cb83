using System.Text;
using Ssti.Engine.Records;
using Ssti.Reporting.Tables;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>A table that differs between two runs.</summary>
/// <param name="Stage">The stage that made it.</param>
/// <param name="Title">Its title.</param>
/// <param name="Cells">What differs.</param>
internal sealed record TableDifferences(string Stage, string Title, IReadOnlyList<CellDifference> Cells)
{
    /// <summary>The tables that two runs made and that differ. One that was collected since counts as not there.</summary>
    public static async Task<IReadOnlyList<TableDifferences>> OfAsync(IArtifactStore store, PastRun before, PastRun after, CancellationToken cancellation)
    {
        var found = new List<TableDifferences>();
        foreach (var name in Tables(after).Union(Tables(before)))
        {
            var (old, now) = (Tree(before, name), Tree(after, name));
            if (old == now) continue;
            var (a, b) = (await ReadAsync(store, old, cancellation), await ReadAsync(store, now, cancellation));
            if (TableComparison.Compare(a, b) is [_, ..] cells) found.Add(new(name, (b ?? a)!.Title, cells));
        }

        return found;
    }

    private static IEnumerable<string> Tables(PastRun run) => run.Stages.Where(stage => stage.Uses == "table").Select(stage => stage.Stage);

    private static Digest? Tree(PastRun run, string stage) => run.Stages.FirstOrDefault(candidate => candidate.Stage == stage)?.Tree;

    private static async Task<Table?> ReadAsync(IArtifactStore store, Digest? digest, CancellationToken cancellation)
    {
        if (digest is not { } known || (await store.SizesAsync([known], cancellation))[0] < 0) return null;
        try
        {
            var tree = await store.TreeAsync(known, cancellation);
            if (tree.Files.FirstOrDefault(file => file.Path == TableStage.JsonFile) is not { Path: not null } file) return null;
            using var reader = new StreamReader(await store.OpenReadAsync(file.Digest, cancellation), Encoding.UTF8);
            return Table.FromJson(await reader.ReadToEndAsync(cancellation));
        }
        catch (Exception error) when (error is FormatException or StoreException)
        {
            return null;
        }
    }
}
