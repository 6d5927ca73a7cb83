using Ssti.Nets.Models;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Evaluation;

/// <summary>Reads how a tuned model represents rows, with dropouts off.</summary>
public static class RepresentationReader
{
    /// <summary>Of each row the mean of the last layer's hidden states over its tokens, padding left out: [rows][hidden], fp32.</summary>
    /// <param name="model">The classifier.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of one pass.</param>
    /// <param name="progress">Called with the rows done; null for nobody.</param>
    /// <param name="cancellation">Stops between passes.</param>
    public static float[][] Read(SequenceClassifier model, TokenizedRows rows, int batchSize, Action<int>? progress, CancellationToken cancellation)
    {
        using var _ = inference_mode();
        var read = new float[rows.Count][];
        for (var at = 0; at < rows.Count; at += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            int[] here = [.. Enumerable.Range(at, Math.Min(batchSize, rows.Count - at))];
            var batch = rows.Batch(here, model.Trunk.Device);
            var hidden = model.Trunk.Forward(batch.Ids, batch.Mask, new ForwardPass(null, model.Adapter?.Begin(model.Trunk.Dtype))).to(ScalarType.Float32);
            var tokens = batch.Mask.to(ScalarType.Float32).unsqueeze(-1);
            var means = hidden.mul(tokens).sum(1).div(tokens.sum(1)).cpu();
            var (width, flat) = ((int)means.shape[1], means.data<float>().ToArray());
            for (var i = 0; i < here.Length; i++) read[at + i] = flat[(i * width)..((i + 1) * width)];
            progress?.Invoke(at + here.Length);
        }

        return read;
    }
}
