using Ssti.Nets.Models;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Evaluation;

/// <summary>Classifies rows with dropouts off.</summary>
public static class Predictor
{
    /// <summary>The logits of every row, in order: [rows][classes], fp32.</summary>
    /// <param name="model">The classifier.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of one pass. Part of the numerics: another size may change last digits.</param>
    /// <param name="progress">Called with the rows done.</param>
    /// <param name="cancellation">Stops between passes.</param>
    /// <exception cref="TrainingException">A logit is no finite number; names the row.</exception>
    public static float[][] Logits(SequenceClassifier model, TokenizedRows rows, int batchSize, Action<int>? progress, CancellationToken cancellation)
    {
        using var _ = inference_mode();
        var logits = new float[rows.Count][];
        for (var at = 0; at < rows.Count; at += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var picked = Enumerable.Range(at, Math.Min(batchSize, rows.Count - at)).ToArray();
            var batch = rows.Batch(picked, model.Trunk.Device);
            var values = model.Forward(batch.Ids, batch.Mask).cpu();
            var classes = (int)values.shape[1];
            var flat = values.data<float>().ToArray();
            if (Array.FindIndex(flat, logit => !float.IsFinite(logit)) is >= 0 and var bad)
            {
                throw new TrainingException(
                    $"the model's logits of row '{rows.RowIds[picked[bad / classes]]}' are no finite numbers, so that it has no prediction: its training has diverged, "
                    + "or its weights are damaged");
            }

            for (var i = 0; i < picked.Length; i++) logits[at + i] = flat[(i * classes)..((i + 1) * classes)];
            progress?.Invoke(at + picked.Length);
        }

        return logits;
    }
}
