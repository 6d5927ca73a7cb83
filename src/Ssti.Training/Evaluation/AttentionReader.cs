using Ssti.Nets.Models;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Evaluation;

/// <summary>How the attention of a layer becomes one weight a token.</summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Head">The head, from 0; null for the mean over heads.</param>
/// <param name="PadQueries">Whether positions of padding count as queries, as in the authors' picture; they never count as keys.</param>
public sealed record AttentionPooling(int Layer, int? Head, bool PadQueries);

/// <summary>Reads what a model attends to, with dropouts off.</summary>
public static class AttentionReader
{
    /// <summary>For every row the weights of its tokens (no padding), averaged over queries and divided by their sum.</summary>
    /// <param name="model">The classifier.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="picked">Which of them.</param>
    /// <param name="pooling">Layer, head and queries.</param>
    /// <param name="batchSize">Rows of one pass: attention takes rows × heads × length² numbers.</param>
    /// <param name="progress">Called with the rows done.</param>
    /// <param name="cancellation">Stops between passes.</param>
    public static IEnumerable<double[]> Read(
        SequenceClassifier model, TokenizedRows rows, IReadOnlyList<int> picked, AttentionPooling pooling, int batchSize, Action<int>? progress, CancellationToken cancellation)
    {
        for (var at = 0; at < picked.Count; at += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            int[] here = [.. picked.Skip(at).Take(batchSize)];
            var weights = Pass(model, rows.Batch(here, model.Trunk.Device), pooling);
            for (var i = 0; i < here.Length; i++)
            {
                var tokens = rows.Ids(here[i]).Length;
                var own = weights.AsSpan(i * rows.MaxLength, tokens).ToArray();
                var sum = own.Sum(weight => (double)weight);
                yield return Array.ConvertAll(own, weight => weight / sum);
            }

            progress?.Invoke(at + here.Length);
        }
    }

    private static float[] Pass(SequenceClassifier model, Batch batch, AttentionPooling pooling)
    {
        using var _ = inference_mode();
        using var scope = NewDisposeScope();
        scope.Attach([batch.Ids, batch.Mask, batch.Labels]);
        Tensor? pooled = null;
        model.Trunk.Forward(batch.Ids, batch.Mask, new ForwardPass(null, model.Adapter?.Begin(model.Trunk.Dtype), (layer, weights) =>
        {
            if (layer != pooling.Layer) return;
            var head = (pooling.Head is { } one ? weights.select(1, one) : weights.mean([1])).to(ScalarType.Float32);
            if (pooling.PadQueries)
            {
                pooled = head.mean([1]);
                return;
            }

            var queries = batch.Mask.to(ScalarType.Float32);
            pooled = matmul(queries.unsqueeze(1), head).squeeze(1).div(queries.sum(1, keepdim: true));
        }));
        return pooled!.cpu().data<float>().ToArray();
    }
}
