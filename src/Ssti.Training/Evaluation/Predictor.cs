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
        SequenceClassifier model, IReadOnlyList<TokenizedRows> sets, int batchSize, Action<int, long, long>? progress, CancellationToken cancellation) =>
        LogitsOfEach([model], sets, batchSize, progress, cancellation)[0];

    /// <summary>The logits of several classifiers on one trunk: [classifiers][sets][rows][classes], fp32, each as if it were alone, to the bit.</summary>
    /// <remarks>
    /// A batch is made once for all of them, and what the trunk computes before the first linear that an adapter of theirs changes is computed once
    /// (<see cref="SharedStart"/>; not on CUDA in bf16, where a pass is one piece). Memory is that of one classifier and two hidden states more.
    /// </remarks>
    /// <param name="models">The classifiers; all have the same trunk.</param>
    /// <param name="sets">The sets, tokenised alike.</param>
    /// <param name="batchSize">Rows of one pass. Part of the numerics: another size may change last digits.</param>
    /// <param name="progress">Called with the set at hand, and the rows done and to be done of all sets.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <exception cref="TrainingException">A logit is no finite number; names the row.</exception>
    public static float[][][][] LogitsOfEach(
        IReadOnlyList<SequenceClassifier> models, IReadOnlyList<TokenizedRows> sets, int batchSize, Action<int, long, long>? progress, CancellationToken cancellation)
    {
        if (models.Any(model => model.Trunk != models[0].Trunk)) throw new ArgumentException("classifiers that are asked together have one trunk", nameof(models));
        using var _ = inference_mode();
        if (Fused(models, sets, batchSize, progress, cancellation) is { } fused) return fused;
        // Heads that want padding and heads that drop it read batches of other shapes.
        if (models.Select(model => model.Head.DropsPadding).Distinct().Count() > 1)
            return [.. models.Select(model => LogitsOfEach([model], sets, batchSize, progress, cancellation)[0])];
        var total = sets.Sum(set => (long)set.Count);
        var before = 0L;
        var logits = models.Select(_ => new float[sets.Count][][]).ToArray();
        for (var set = 0; set < sets.Count; set++)
        {
            var here = Passes(sets[set], models, batchSize, 1, Plain, done => progress?.Invoke(set, before + done, total), models[0].Head.DropsPadding, cancellation);
            for (var model = 0; model < models.Count; model++) logits[model][set] = here[model];
            before += sets[set].Count;
        }

        return logits;

        Tensor[] Plain(TokenizedRows rows, int[] picked)
        {
            var batch = rows.Batch(picked, models[0].Trunk.Device, Length(models[0], rows, picked));
            using var start = SharedStart.Of(models[0].Trunk, [.. models.Select(model => model.Adapter)]);
            return [.. models.Select(model => model.Forward(batch.Ids, batch.Mask, start: start))];
        }
    }

    /// <summary>
    /// The logits of every row, in order: [rows][classes], fp32. Rows of like length share a pass, and a pass ends with its longest row: padding up to the length
    /// of the training is not computed.
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
        return Passes(rows, [model], batchSize, 1, Cut, static _ => { }, byLength: true, cancellation)[0];

        Tensor[] Cut(TokenizedRows rows, int[] picked)
        {
            var batch = rows.Batch(picked, model.Trunk.Device, rows.Longest(picked));
            return [model.Forward(batch.Ids, batch.Mask)];
        }
    }

    // Null where there are no passes that are written out for every one of them.
    private static float[][][][]? Fused(
        IReadOnlyList<SequenceClassifier> models, IReadOnlyList<TokenizedRows> sets, int batchSize, Action<int, long, long>? progress, CancellationToken cancellation)
    {
        var encoders = new List<FusedEncoder>();
        try
        {
            foreach (var model in models)
            {
                if (FusedEncoder.For(model.Trunk, model.Adapter) is not { } encoder) return null;
                encoders.Add(encoder);
            }

            var distinct = TokenizedRows.Distinct(sets, out var places);
            return [.. models.Zip(encoders, (model, encoder) =>
            {
                var all = Passes(
                    distinct, [model], batchSize, FetchEvery, (rows, picked) => [Pass(model, encoder, rows, picked)],
                    done => progress?.Invoke(0, done, distinct.Count), model.Head.DropsPadding, cancellation)[0];
                return places.Select(set => Array.ConvertAll(set, place => all[place])).ToArray();
            })];
        }
        finally
        {
            encoders.ForEach(encoder => encoder.Dispose());
        }

        static Tensor Pass(SequenceClassifier model, FusedEncoder encoder, TokenizedRows rows, int[] picked)
        {
            var batch = rows.Ragged(picked, model.Trunk.Device, Length(model, rows, picked)).Tokens;
            return model.Head.Forward(encoder.Forward(batch), model.Head.ReadsMask ? batch.Mask() : null);
        }
    }

    private static int Length(SequenceClassifier model, TokenizedRows rows, int[] picked) => model.Head.DropsPadding ? rows.Longest(picked) : rows.MaxLength;

    private static float[][][] Passes(
        TokenizedRows rows, IReadOnlyList<SequenceClassifier> models, int batchSize, int fetchEvery, Func<TokenizedRows, int[], Tensor[]> pass, Action<int> progress,
        bool byLength, CancellationToken cancellation)
    {
        int[] order = [.. Enumerable.Range(0, rows.Count)];
        // Rows of one length together: nothing is computed of padding.
        if (byLength) order = rows.ByLength(order);
        var logits = models.Select(_ => new float[rows.Count][]).ToArray();
        for (var at = 0; at < rows.Count;)
        {
            using var scope = NewDisposeScope();
            var (from, results) = (at, models.Select(_ => new List<Tensor>()).ToArray());
            for (; at < rows.Count && results[0].Count < fetchEvery; at += batchSize)
            {
                cancellation.ThrowIfCancellationRequested();
                using var inner = NewDisposeScope();
                foreach (var (model, result) in pass(rows, order[at..Math.Min(at + batchSize, rows.Count)]).Index()) results[model].Add(result.MoveToOuterDisposeScope());
            }

            for (var model = 0; model < models.Count; model++)
                Fetch(results[model].Count == 1 ? results[model][0] : cat(results[model], 0), rows, logits[model], order.AsSpan(from..Math.Min(at, rows.Count)));
            progress(Math.Min(at, rows.Count));
        }

        return logits;
    }

    private static void Fetch(Tensor results, TokenizedRows rows, float[][] logits, ReadOnlySpan<int> places)
    {
        var classes = (int)results.shape[1];
        var flat = results.cpu().data<float>().ToArray();
        if (Array.FindIndex(flat, logit => !float.IsFinite(logit)) is >= 0 and var bad)
        {
            throw new TrainingException(
                $"the model's logits of row '{rows.RowIds[places[bad / classes]]}' are no finite numbers, so that it has no prediction: its training has diverged, "
                + "or its weights are damaged");
        }

        for (var i = 0; i < flat.Length / classes; i++) logits[places[i]] = flat[(i * classes)..((i + 1) * classes)];
    }
}
