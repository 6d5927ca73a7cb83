using Ssti.Nets.Models;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Evaluation;

/// <summary>What a model makes of rows before its head, with dropouts off.</summary>
public static class HiddenStates
{
    /// <summary>The mean of the last layer over the tokens of each row, padding left out: [rows][hidden], fp32.</summary>
    /// <param name="model">The classifier.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of one pass.</param>
    /// <param name="cancellation">Stops between passes.</param>
    public static float[][] Means(SequenceClassifier model, TokenizedRows rows, int batchSize, CancellationToken cancellation)
    {
        using var _ = inference_mode();
        var states = new float[rows.Count][];
        for (var at = 0; at < rows.Count; at += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = rows.Batch([.. Enumerable.Range(at, Math.Min(batchSize, rows.Count - at))], model.Trunk.Device);
            var hidden = model.Trunk.Forward(batch.Ids, batch.Mask, new ForwardPass(null, model.Adapter?.Begin(model.Trunk.Dtype))).to(ScalarType.Float32);
            var mask = batch.Mask.to(ScalarType.Float32).unsqueeze(-1);
            var means = hidden.mul(mask).sum(1).div(mask.sum(1)).cpu();
            var width = (int)means.shape[1];
            var flat = means.data<float>().ToArray();
            for (var row = 0; row < flat.Length / width; row++) states[at + row] = flat[(row * width)..((row + 1) * width)];
        }

        return states;
    }
}
