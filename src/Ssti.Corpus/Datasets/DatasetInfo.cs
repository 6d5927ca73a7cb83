using System.Text.Json.Nodes;

namespace Ssti.Corpus.Datasets;

/// <summary>
/// What <c>dataset.json</c> says of a dataset: a folder with that file and one JSON-lines file a split, each line
/// <c>{"id": …, "text": …, "label": …}</c>.
/// </summary>
/// <param name="Name">The name of the data, such as <c>imdb</c>.</param>
/// <param name="Labels">The label names, in the order of their numbers.</param>
/// <param name="Splits">The splits, in order.</param>
/// <param name="Provenance">Where it came from: source, format, resolved revision, digests, and what was done to it.</param>
public sealed record DatasetInfo(string Name, IReadOnlyList<string> Labels, IReadOnlyList<SplitInfo> Splits, JsonObject Provenance)
{
    /// <summary>The name of the file that holds this.</summary>
    public const string FileName = "dataset.json";

    /// <summary>A split by its name, or null.</summary>
    public SplitInfo? Split(string name) => Splits.FirstOrDefault(split => split.Name == name);
}

/// <summary>A split of a dataset.</summary>
/// <param name="Name">Such as <c>train</c> or <c>test</c>.</param>
/// <param name="File">The file of its rows, relative to the dataset's folder.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Counts">Rows of each label, in the order of the labels; all zero in a split without labels.</param>
public sealed record SplitInfo(string Name, string File, long Rows, IReadOnlyList<long> Counts)
{
    /// <summary>Whether its rows have labels: all of them have, or none.</summary>
    public bool IsLabelled => Rows == Counts.Sum();
}
