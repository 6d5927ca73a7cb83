using Ssti.Nets.Fused;
using Ssti.Nets.Models;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Evaluation;

/// <summary>Classifies rows with dropouts off.</summary>
public static class Predictor
{
    // Passes of which the results are fetched together: a device that is asked after each of them has nothing to do meanwhile.
    private const int FetchEvery = 32;

    /// <summary>The logits of every row, in order: [rows][classes], fp32.</summary>
    /// <param name="model">The classifier.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of one pass. Part of the numerics: another size may change last digits.</param>
    /// <param name="progress">Called with the rows done.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <exception cref="TrainingException">A logit is no finite number; names the row.</exception>
    public static float[][] Logits(SequenceClassifier model, TokenizedRows rows, int batchSize, Action<int>? progress, CancellationToken cancellation) =>
        Logits(model, [rows], batchSize, (_, done, _) => progress?.Invoke((int)done), cancellation)[0];

    /// <summary>The logits of every row of several sets: [sets][rows][classes], fp32.</summary>
    /// <remarks>
    /// On CUDA in bf16 a row that stands in several sets is predicted once. On the CPU each set is predicted as if alone: which rows share a pass may change last digits.
    /// </remarks>
    /// <param name="model">The classifier.</param>
    /// <param name="sets">The sets, tokenised alike.</param>
    /// <param name="batchSize">Rows of one pass. Part of the numerics: another size may change last digits.</param>
    /// <param name="progress">Called with the set at hand, and the rows done and to be done of all sets.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <exception cref="TrainingException">A logit is no finite number; names the row.</exception>
    public static float[][][] Logits(
        SequenceClassifier model, IReadOnlyList<TokenizedRows> sets, int batchSize, Action<int, long, long>? progress, CancellationToken cancellation)
    {
        using var _ = inference_mode();
        using var fused = FusedEncoder.For(model.Trunk, model.Adapter);
        if (fused is not null)
        {
            var distinct = TokenizedRows.Distinct(sets, out var places);
            var all = Passes(distinct, batchSize, FetchEvery, Fused, done => progress?.Invoke(0, done, distinct.Count), cancellation);
            return [.. places.Select(set => Array.ConvertAll(set, place => all[place]))];
        }

        var total = sets.Sum(set => (long)set.Count);
        var before = 0L;
        var logits = new float[sets.Count][][];
        for (var set = 0; set < sets.Count; set++)
        {
            logits[set] = Passes(sets[set], batchSize, 1, Plain, done => progress?.Invoke(set, before + done, total), cancellation);
            before += sets[set].Count;
        }

        return logits;

        Tensor Plain(TokenizedRows rows, int[] picked)
        {
            var batch = rows.Batch(picked, model.Trunk.Device);
            return model.Forward(batch.Ids, batch.Mask);
        }

        Tensor Fused(TokenizedRows rows, int[] picked) => model.Head.Forward(fused.Forward(rows.Ragged(picked, model.Trunk.Device).Tokens));
    }

    /// <summary>
    /// The logits of every row, in order: [rows][classes], fp32. Rows of like length share a pass, and a pass ends with its longest row: much less work where rows
    /// are short.
    /// </summary>
    /// <param name="model">The classifier, whose head reads no padding.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of one pass. Part of the numerics, as are the rows beside it: both may change last digits.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <exception cref="ArgumentException">The head reads padding.</exception>
    /// <exception cref="TrainingException">A logit is no finite number; names the row.</exception>
    public static float[][] LogitsByLength(SequenceClassifier model, TokenizedRows rows, int batchSize, CancellationToken cancellation)
    {
        if (model.Head.ReadsPadding) throw new ArgumentException("the head reads padding: rows must be as long as in the training", nameof(model));
        using var _ = inference_mode();
        var sorted = rows.ByLength(out var places);
        var found = Passes(sorted, batchSize, 1, Cut, static _ => { }, cancellation);
        var logits = new float[rows.Count][];
        for (var i = 0; i < places.Length; i++) logits[places[i]] = found[i];
        return logits;

        Tensor Cut(TokenizedRows rows, int[] picked)
        {
            var batch = rows.Batch(picked, model.Trunk.Device, cut: true);
            return model.Forward(batch.Ids, batch.Mask);
        }
    }

    private static float[][] Passes(
        TokenizedRows rows, int batchSize, int fetchEvery, Func<TokenizedRows, int[], Tensor> pass, Action<int> progress, CancellationToken cancellation)
    {
        var logits = new float[rows.Count][];
        for (var at = 0; at < rows.Count;)
        {
            using var scope = NewDisposeScope();
            var (from, results) = (at, new List<Tensor>());
            for (; at < rows.Count && results.Count < fetchEvery; at += batchSize)
            {
                cancellation.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                results.Add(pass(rows, [.. Enumerable.Range(at, Math.Min(batchSize, rows.Count - at))]).MoveToOuterDisposeScope());
            }

            Fetch(results.Count == 1 ? results[0] : cat(results, 0), rows, logits, from);
            progress(Math.Min(at, rows.Count));
        }

        return logits;
    }

    private static void Fetch(Tensor results, TokenizedRows rows, float[][] logits, int from)
    {
        var classes = (int)results.shape[1];
        var flat = results.cpu().data<float>().ToArray();
        if (Array.FindIndex(flat, logit => !float.IsFinite(logit)) is >= 0 and var bad)
        {
            throw new TrainingException(
                $"the model's logits of row '{rows.RowIds[from + (bad / classes)]}' are no finite numbers, so that it has no prediction: its training has diverged, "
                + "or its weights are damaged");
        }

        for (var i = 0; i < flat.Length / classes; i++) logits[from + i] = flat[(i * classes)..((i + 1) * classes)];
    }
}
