using System.Globalization;
using System.Text;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training;

/// <summary>What one update did.</summary>
/// <param name="Step">The update, from 1.</param>
/// <param name="Loss">Mean cross-entropy of the batch, in nats, before the update.</param>
/// <param name="GradientNorm">2-norm of all gradients together, before clipping.</param>
/// <param name="LearningRate">The learning rate used.</param>
public readonly record struct StepRecord(int Step, float Loss, float GradientNorm, double LearningRate);

/// <summary>
/// The records of a training, as JSON lines. Losses stay on the device until a batch of them is fetched, so that the device is not made to wait for
/// the log at every step.
/// </summary>
internal sealed class StepLog : IDisposable
{
    private const int FetchEvery = 16;

    private readonly List<(int Step, Tensor Loss, Tensor Norm, double Rate)> _pending = [];
    private readonly StringBuilder _lines = new();

    /// <summary>The last record that was fetched.</summary>
    public StepRecord Last { get; private set; }

    /// <summary>Adds an update; takes the tensors over.</summary>
    /// <exception cref="TrainingException">A loss or a gradient is no number: the training has diverged.</exception>
    public void Add(int step, Tensor loss, Tensor norm, double rate)
    {
        _pending.Add((step, loss.detach().DetachFromDisposeScope(), norm.DetachFromDisposeScope(), rate));
        // The first at once: who watches a training wants to see a loss before long.
        if (_pending.Count >= FetchEvery || Last.Step == 0) Fetch();
    }

    /// <summary>Every record so far, one JSON object a line.</summary>
    public string Lines()
    {
        Fetch();
        return _lines.ToString();
    }

    /// <summary>Starts from the lines of a checkpoint.</summary>
    public void Restore(string lines) => _lines.Append(lines);

    public void Dispose()
    {
        foreach (var (_, loss, norm, _) in _pending)
        {
            loss.Dispose();
            norm.Dispose();
        }
    }

    private void Fetch()
    {
        if (_pending.Count == 0) return;
        using var scope = NewDisposeScope();
        // All of them in one copy: each wait for the device costs it what it could have begun meanwhile.
        var fetched = stack([.. _pending.SelectMany(pending => new[] { pending.Loss, pending.Norm })]).cpu().data<float>().ToArray();
        for (var i = 0; i < _pending.Count; i++)
        {
            var (step, loss, norm, rate) = _pending[i];
            Last = new StepRecord(step, fetched[2 * i], fetched[(2 * i) + 1], rate);
            loss.Dispose();
            norm.Dispose();
            // A finite loss may have a gradient that is not: then the weights are lost with this update.
            if (!float.IsFinite(Last.Loss) || !float.IsFinite(Last.GradientNorm))
                throw new TrainingException(
                    $"the loss of update {step} is {Last.Loss} and its gradient norm {Last.GradientNorm}: the training has diverged; try a lower learning-rate");
            _lines.Append(CultureInfo.InvariantCulture, $"{{\"step\":{step},\"loss\":{Json(Last.Loss)},\"gradientNorm\":{Json(Last.GradientNorm)},\"learningRate\":{Json(rate)}}}\n");
        }

        _pending.Clear();
    }

    private static string Json<T>(T value) => JsonSerializer.Serialize(value);
}
