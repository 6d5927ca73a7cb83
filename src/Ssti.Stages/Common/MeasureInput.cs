using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;

namespace Ssti.Stages;

/// <summary>The measures of an input, whichever kind of stage took them.</summary>
internal static class MeasureInput
{
    /// <summary>Reads what each tree measured.</summary>
    /// <exception cref="StageException">One measured nothing.</exception>
    public static IReadOnlyList<MeasureSet> Read(IEnumerable<InputTree> trees) => [.. trees.Select(tree =>
    {
        var file = tree.Has(MeasureSet.FileName) ? MeasureSet.FileName : tree.Has(MetricsFile.FileName) ? MetricsFile.FileName
            : throw new StageException($"'{tree.StageName}' (uses: {tree.Uses}) measures nothing: it left neither {MetricsFile.FileName} nor {MeasureSet.FileName}");
        try
        {
            return MeasureSet.Parse(tree.StageName, tree.Cell, File.ReadAllText(tree.PathOf(file)));
        }
        catch (FormatException error)
        {
            throw new StageException($"the {file} of '{tree.StageName}': {error.Message}", error);
        }
    })];
}
