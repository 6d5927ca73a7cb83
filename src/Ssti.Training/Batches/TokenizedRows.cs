using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Ssti.Corpus.Datasets;
using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Batches;

/// <summary>A split as token ids: cut to a maximum length, and padded to it on the right when a batch is made.</summary>
/// <remarks>
/// The published protocol pads every row to the same length, and its head averages over the padding too (paper, "Head"), so the length is part
/// of the experiment and <see cref="Batch(ReadOnlySpan{int}, Device)"/> never trims to the longest row. Pretraining and a head on the mean without padding trim.
/// </remarks>
public sealed class TokenizedRows
{
    private readonly int[][] _ids;
    private readonly int _padId;

    private TokenizedRows(int[][] ids, string[] rowIds, int[] labels, int[] cutAt, int maxLength, int padId, long truncated) =>
        (_ids, RowIds, Labels, CutAt, MaxLength, _padId, Truncated) = (ids, rowIds, labels, cutAt, maxLength, padId, truncated);

    /// <summary>The ids of the rows, in order.</summary>
    public IReadOnlyList<string> RowIds { get; }

    /// <summary>The labels of the rows, in order.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>Where each row's text was cut, in order: see <see cref="TokenCount.CutAt"/>.</summary>
    public IReadOnlyList<int> CutAt { get; }

    /// <summary>Tokens of every padded row.</summary>
    public int MaxLength { get; }

    /// <summary>How many rows were cut.</summary>
    public long Truncated { get; }

    /// <summary>How many rows.</summary>
    public int Count => _ids.Length;

    /// <summary>Tokenises rows.</summary>
    /// <param name="rows">The rows; read once, in order.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="maxLength">Tokens kept of a row, those before and behind its text included.</param>
    /// <param name="threads">How many rows are tokenised at once.</param>
    /// <param name="cancellation">Stops between rows.</param>
    /// <exception cref="TrainingException">There are no rows.</exception>
    public static TokenizedRows Of(IEnumerable<Row> rows, Tokenizer tokenizer, int maxLength, int threads, CancellationToken cancellation)
    {
        var encoded = rows
            .AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Max(1, threads)).WithCancellation(cancellation)
            .Select(row =>
            {
                var ids = new int[maxLength];
                var count = tokenizer.Encode(row.Text, ids);
                return (Ids: ids[..count.Kept], row.Id, row.Label, count.CutAt, count.Truncated);
            })
            .ToArray();
        if (encoded.Length == 0) throw new TrainingException("the split has no rows");
        return new TokenizedRows(
            [.. encoded.Select(row => row.Ids)], [.. encoded.Select(row => row.Id)], [.. encoded.Select(row => row.Label)], [.. encoded.Select(row => row.CutAt)],
            maxLength, tokenizer.PadId, encoded.Count(row => row.Truncated));
    }

    /// <summary>Rows that were tokenised before.</summary>
    internal static TokenizedRows Stored(IReadOnlyList<Row> rows, int[][] ids, int[] cutAt, int maxLength, int padId, long truncated) =>
        rows.Count == 0 ? throw new TrainingException("the split has no rows")
        : new TokenizedRows(ids, [.. rows.Select(row => row.Id)], [.. rows.Select(row => row.Label)], cutAt, maxLength, padId, truncated);

    /// <summary>Tokenises texts that are rows of no dataset: named by their places, of no class in particular.</summary>
    /// <inheritdoc cref="Of"/>
    public static TokenizedRows OfTexts(IEnumerable<string> texts, Tokenizer tokenizer, int maxLength, int threads, CancellationToken cancellation) =>
        Of(texts.Select((text, index) => new Row($"text {index}", text, 0)), tokenizer, maxLength, threads, cancellation);

    /// <summary>The rows of several splits that differ in their ids, each once, named and labelled as where it stands first.</summary>
    /// <param name="sets">The splits, tokenised alike.</param>
    /// <param name="places">Where each row of each split stands among them.</param>
    public static TokenizedRows Distinct(IReadOnlyList<TokenizedRows> sets, out int[][] places)
    {
        var found = new Dictionary<int[], int>(new SameIds());
        var firsts = new List<(TokenizedRows Set, int Row)>();
        places = [.. sets.Select(set => new int[set.Count])];
        for (var s = 0; s < sets.Count; s++)
        {
            for (var row = 0; row < sets[s].Count; row++)
            {
                if (found.TryAdd(sets[s]._ids[row], firsts.Count)) firsts.Add((sets[s], row));
                places[s][row] = found[sets[s]._ids[row]];
            }
        }

        return new TokenizedRows(
            [.. firsts.Select(row => row.Set._ids[row.Row])], [.. firsts.Select(row => row.Set.RowIds[row.Row])], [.. firsts.Select(row => row.Set.Labels[row.Row])],
            [.. firsts.Select(row => row.Set.CutAt[row.Row])], sets[0].MaxLength, sets[0]._padId, sets.Sum(set => set.Truncated));
    }

    /// <summary>The token ids of a row, without padding.</summary>
    public ReadOnlySpan<int> Ids(int row) => _ids[row];

    /// <summary>What a training on these rows depends on besides the model, as text: its settings and a digest of ids and labels.</summary>
    internal string Describe<TSettings>(TSettings settings)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.AsBytes<int>([.. Labels]));
        foreach (var row in _ids)
        {
            hash.AppendData(MemoryMarshal.AsBytes<int>([row.Length]));
            hash.AppendData(MemoryMarshal.AsBytes<int>(row));
        }

        return JsonSerializer.Serialize(new { settings, Count, MaxLength, Rows = Convert.ToHexStringLower(hash.GetHashAndReset()) });
    }

    /// <summary>Tokens of the longest of some rows, at least one.</summary>
    public int Longest(ReadOnlySpan<int> rows)
    {
        var longest = 1;
        foreach (var row in rows) longest = Math.Max(longest, _ids[row].Length);
        return longest;
    }

    /// <summary>Some rows in order of their lengths; of one length in the order given.</summary>
    public int[] ByLength(IEnumerable<int> rows) => [.. rows.OrderBy(row => _ids[row].Length)];

    /// <summary>Some rows as tensors on a device, in the caller's dispose scope.</summary>
    public Batch Batch(ReadOnlySpan<int> rows, Device device) => Batch(rows, device, MaxLength);

    /// <summary>Some rows as tensors, padded to a length that none of them exceeds.</summary>
    public Batch Batch(ReadOnlySpan<int> rows, Device device, int length)
    {
        // Written where libtorch reads it: what is made for every batch is no work for the garbage collector.
        var (ids, mask) = (empty(rows.Length, length, ScalarType.Int64), zeros(rows.Length, length, ScalarType.Int64));
        var labels = empty(rows.Length, ScalarType.Int64);
        var places = Numbers(ids);
        var tokens = Numbers(mask);
        var numbers = Numbers(labels);
        places.Fill(_padId);
        for (var i = 0; i < rows.Length; i++)
        {
            var row = _ids[rows[i]];
            for (var t = 0; t < row.Length; t++) places[(i * length) + t] = row[t];
            tokens.Slice(i * length, row.Length).Fill(1);
            numbers[i] = Labels[rows[i]];
        }

        return new Batch(HostTensors.Send(ids, device), HostTensors.Send(mask, device), HostTensors.Send(labels, device));

        static Span<long> Numbers(Tensor tensor) => MemoryMarshal.Cast<byte, long>(tensor.bytes);
    }

    /// <inheritdoc cref="Ragged(ReadOnlySpan{int}, Device, int)"/>
    internal RaggedBatch Ragged(ReadOnlySpan<int> rows, Device device) => Ragged(rows, device, MaxLength);

    /// <summary>
    /// Some rows for <see cref="FusedEncoder"/>, padded to a length that none of them exceeds, in the caller's dispose scope. Made in pinned memory and
    /// copied in one piece: nothing waits for the device.
    /// </summary>
    internal RaggedBatch Ragged(ReadOnlySpan<int> rows, Device device, int length)
    {
        var (count, cells) = (rows.Length, rows.Length * length);
        // Ids, then labels, then where tokens and padded rows begin.
        var here = empty(cells + count + (2L * (count + 1)), ScalarType.Int32);
        var all = MemoryMarshal.Cast<byte, int>(here.bytes);
        var ids = all[..cells];
        var labels = all.Slice(cells, count);
        var starts = all.Slice(cells + count, count + 1);
        var padded = all.Slice(cells + (2 * count) + 1, count + 1);
        ids.Fill(_padId);
        (starts[0], padded[0]) = (0, 0);
        var longest = 0;
        for (var i = 0; i < count; i++)
        {
            var row = _ids[rows[i]];
            row.CopyTo(ids[(i * length)..]);
            labels[i] = Labels[rows[i]];
            starts[i + 1] = starts[i] + row.Length;
            padded[i + 1] = padded[i] + length;
            longest = Math.Max(longest, row.Length);
        }

        var there = HostTensors.Send(here, device);
        var tokens = new TokenBatch(
            there.narrow(0, 0, cells).view(count, length), there.narrow(0, cells + count, count + 1), there.narrow(0, cells + (2 * count) + 1, count + 1),
            starts[count], longest);
        return new RaggedBatch(tokens, there.narrow(0, cells, count).to(ScalarType.Int64));
    }

    private sealed class SameIds : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? left, int[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(int[] ids)
        {
            var hash = default(HashCode);
            hash.AddBytes(MemoryMarshal.AsBytes<int>(ids));
            return hash.ToHashCode();
        }
    }
}

/// <summary>Rows as <see cref="FusedEncoder"/> takes them.</summary>
/// <param name="Tokens">The tokens.</param>
/// <param name="Labels">[rows], int64.</param>
internal sealed record RaggedBatch(TokenBatch Tokens, Tensor Labels);

/// <summary>Rows as tensors.</summary>
/// <param name="Ids">Token ids, [rows, length], int64.</param>
/// <param name="Mask">1 for a token and 0 for padding, [rows, length], int64.</param>
/// <param name="Labels">[rows], int64.</param>
public sealed record Batch(Tensor Ids, Tensor Mask, Tensor Labels);
