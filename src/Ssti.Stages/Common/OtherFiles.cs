using Ssti.Corpus.Chat;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;

namespace Ssti.Stages;

/// <summary>The files of a dataset beside its rows, such as a vocabulary, which a stage that makes a dataset of another passes on.</summary>
internal static class OtherFiles
{
    /// <summary>Copies what stays true of the new dataset: all but rows, the records of splits that were written anew, and what was measured of the old one.</summary>
    public static void PassOn(InputTree tree, DatasetInfo data, IReadOnlyCollection<string> anew, StageContext context)
    {
        var own = data.Splits.Select(split => split.File).Concat(anew.Select(InjectionRecordFile.NameFor))
            .Concat(data.Splits.Select(split => DatasetRewrite.DroppedFile(split.Name)))
            .Concat([DatasetInfo.FileName, MeasureSet.FileName, ChatTranscript.FileName, DatasetRewrite.ExamplesFile]).ToHashSet();
        foreach (var file in tree.Files.Where(file => !own.Contains(file))) File.Copy(tree.PathOf(file), context.Output(file));
    }
}
