using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What a training of somebody's own rows has to know of them before it is planned: how many there are of each class, and how long they are.</summary>
/// <param name="Labels">The classes.</param>
/// <param name="Counts">Rows of each split, by class.</param>
/// <param name="TestFrom">The source's split that the test rows are; null when they were held out or there are none.</param>
/// <param name="Lengths">Tokens of the training rows looked at, [CLS] and [SEP] included, in rising order; no row counts for more than <paramref name="MaxPositions"/>.</param>
/// <param name="MaxPositions">The longest row that the model reads.</param>
public sealed record TrainingSurvey(
    IReadOnlyList<string> Labels, IReadOnlyDictionary<string, IReadOnlyList<long>> Counts, string? TestFrom, IReadOnlyList<int> Lengths, int MaxPositions)
{
    // Enough to know how long rows are to a percent; a million need not be tokenised twice for it.
    private const int MostRows = 20_000;

    /// <summary>Looks at a dataset and a model, both outputs of stages.</summary>
    /// <param name="data">The dataset.</param>
    /// <param name="model">The model.</param>
    /// <param name="scratch">A folder for what is made on the way; the caller deletes it.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StageException">One of them is not what it is to be.</exception>
    public static TrainingSurvey Of(InputTree data, InputTree model, string scratch, CancellationToken cancellation)
    {
        var dataset = DatasetReader.Open(data.PathOf);
        var encoder = EncoderInput.Open(model, new StageContext
        {
            StageName = model.StageName, Seed = 0, Compute = new ComputeSettings("cpu", "cpu", 1, "fp32", false, ""), OutputFolder = scratch, ScratchFolder = scratch,
            Inputs = new Dictionary<string, IReadOnlyList<InputTree>>(), Progress = _ => { }, Log = _ => { },
        });
        var (tokenizer, most) = (encoder.Tokenizer(), encoder.Config.MaxPositions);
        int[] lengths = [.. dataset.Read("train").Take(MostRows).AsParallel().WithCancellation(cancellation).Select(row => tokenizer.Encode(row.Text, new int[most]).Kept)];
        Array.Sort(lengths);
        return new(
            dataset.Info.Labels, dataset.Info.Splits.ToDictionary(split => split.Name, split => split.Counts), TestFromOf(dataset.Info), lengths, most);
    }

    /// <summary>The length that a share of the training rows fits into.</summary>
    /// <param name="share">The share.</param>
    public int LengthOf(double share) => Lengths[Math.Clamp((int)Math.Ceiling(share * Lengths.Count) - 1, 0, Lengths.Count - 1)];

    private static string? TestFromOf(DatasetInfo info)
    {
        var origin = InjectionNote.OriginOf(info.Provenance);
        return (string?)origin["test"]?["from"] is { } from && origin["test"]!["fraction"] is null ? from : null;
    }
}
