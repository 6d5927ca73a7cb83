using System.Globalization;
using Ssti.Corpus.Datasets;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using TorchSharp;

namespace Ssti.Training.Batches;

/// <summary>
/// The ids of a split's rows in a file, without padding: safetensors with <c>ids</c> (of all rows one after the other), <c>starts</c>
/// (where each row begins, and
/// the count of all ids) and <c>cut-at</c> (see <see cref="TokenCount.CutAt"/>), int32 each; the count of rows that were cut stands in its
/// metadata.
/// </summary>
/// <remarks>Texts, labels and names of rows stay in the dataset. Which dataset and which tokenizer a file is of, whoever wrote it has to
/// note beside it.</remarks>
public static class TokenFile
{
    private const string Ids = "ids", Starts = "starts", CutAt = "cut-at", Truncated = "truncated-rows";

    /// <summary>Writes rows; needs no libtorch.</summary>
    /// <returns>How many ids there are.</returns>
    /// <exception cref="SafetensorsException">They are more than 2 GiB.</exception>
    public static long Write(string path, TokenizedRows rows)
    {
        var starts = new int[rows.Count + 1];
        for (var row = 0; row < rows.Count; row++)
        {
            var next = (long)starts[row] + rows.Ids(row).Length;
            if (next > int.MaxValue / sizeof(int))
                throw new SafetensorsException($"{Path.GetFileName(path)}: the rows have more ids than a file of them holds (512 million); tokenise fewer");
            starts[row + 1] = (int)next;
        }

        var ids = new int[starts[^1]];
        for (var row = 0; row < rows.Count; row++) rows.Ids(row).CopyTo(ids.AsSpan(starts[row]));
        SafetensorsFile.WriteIntegers(
            path, new Dictionary<string, int[]> { [Ids] = ids, [Starts] = starts, [CutAt] = [.. rows.CutAt] },
            new Dictionary<string, string> { [Truncated] = rows.Truncated.ToString(CultureInfo.InvariantCulture) });
        return ids.Length;
    }

    /// <summary>Reads the ids of a split's rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">The rows, in order.</param>
    /// <param name="tokenizer">What they were tokenised by.</param>
    /// <param name="maxLength">Tokens kept of a row.</param>
    /// <param name="title">What messages call the file.</param>
    /// <exception cref="SafetensorsException">The file is damaged.</exception>
    /// <exception cref="TrainingException">It holds other rows than these, or ids that the tokenizer does not give.</exception>
    public static TokenizedRows Read(string path, IReadOnlyList<Row> rows, Tokenizer tokenizer, int maxLength, string title)
    {
        using var file = SafetensorsFile.Read(path, title: title);
        var (ids, starts, cutAt) = (Numbers(Ids), Numbers(Starts), Numbers(CutAt));
        if (starts.Length != rows.Count + 1 || cutAt.Length != rows.Count)
            throw new TrainingException($"{title} has {Math.Max(0, starts.Length - 1)} rows, and the split {rows.Count}");
        if (!file.Metadata.TryGetValue(Truncated, out var text) || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var truncated))
            throw new TrainingException($"{title} does not say how many rows were cut; make it anew");
        var split = new int[rows.Count][];
        for (var row = 0; row < split.Length; row++)
        {
            var (from, to) = (starts[row], starts[row + 1]);
            var (isFirst, isLast) = (row == 0, row == split.Length - 1);
            if (from < 0 || to < from || to > ids.Length || to - from > maxLength || (isFirst && from != 0) || (isLast && to != ids.Length))
                throw new TrainingException($"{title}: row {row + 1} has no valid place; make it anew");
            split[row] = ids[from..to];
            if (split[row].AsSpan().ContainsAnyExceptInRange(0, tokenizer.VocabularySize - 1))
                throw new TrainingException($"{title}: row {row + 1} has an id outside of the vocabulary of {tokenizer.VocabularySize}; make it anew");
        }

        return TokenizedRows.Stored(rows, split, cutAt, maxLength, tokenizer.PadId, truncated);

        int[] Numbers(string name) => file.Tensors.TryGetValue(name, out var tensor) && tensor.dtype == torch.ScalarType.Int32 && tensor.dim() == 1
            ? tensor.data<int>().ToArray() : throw new TrainingException($"{title} has no list of whole numbers '{name}'; it is no file of tokenised rows");
    }
}
