using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;

namespace Ssti.Stages;

/// <summary>A dataset without some rows of a split, with the injection's records of the rows that stay.</summary>
internal static class CleanedDataset
{
    /// <summary>Writes it into the stage's output.</summary>
    /// <param name="context">The stage.</param>
    /// <param name="data">Its dataset.</param>
    /// <param name="split">The split that rows are left out of.</param>
    /// <param name="left">The rows, by their number in the split.</param>
    /// <param name="stage">What the provenance says did it.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static void Write(StageContext context, DatasetReader data, string split, IReadOnlySet<int> left, string stage, CancellationToken cancellation)
    {
        var tree = context.Input("data");
        using var writer = new DatasetWriter(context.OutputFolder, data.Info.Name, data.Info.Labels);
        var kept = new HashSet<string>();
        foreach (var info in data.Info.Splits)
        {
            using var rows = writer.OpenSplit(info.Name);
            foreach (var (number, row) in data.Read(info.Name).Index())
            {
                cancellation.ThrowIfCancellationRequested();
                if (info.Name == split && left.Contains(number)) continue;
                rows.Write(row);
                if (info.Name == split) kept.Add(row.Id);
            }
        }

        if (tree.Has(InjectionRecordFile.NameFor(split)))
        {
            using var records = new InjectionRecordWriter(context.Output(InjectionRecordFile.NameFor(split)));
            foreach (var record in InjectionRecordFile.Read(tree.PathOf(InjectionRecordFile.NameFor(split))).Where(record => kept.Contains(record.RowId))) records.Write(record);
        }

        writer.Complete(new JsonObject
        {
            ["stage"] = stage, ["splits"] = new JsonObject { [split] = new JsonObject { ["left-out"] = left.Count } }, ["of"] = data.Info.Provenance.DeepClone(),
        });
        OtherFiles.PassOn(tree, data.Info, [split], context);
    }
}
