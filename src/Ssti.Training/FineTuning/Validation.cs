using System.Globalization;
using System.Text;
using System.Text.Json;
using Ssti.Nets.Optimizers;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.FineTuning;

/// <summary>
/// Looks at rows that are not trained on, keeps the state in which their loss was lowest, and says when to stop. The loss decides and not the accuracy: a few
/// hundred rows make steps of accuracy too coarse to choose by.
/// </summary>
/// <param name="settings">How often, and how patiently.</param>
/// <param name="steps">Updates of the training.</param>
/// <param name="rows">The rows.</param>
/// <param name="weights">What a row of each class counts for; null for 1 each.</param>
/// <param name="banks">What is trained.</param>
/// <param name="logits">Predicts the rows as the model is now.</param>
internal sealed class Validation(
    ValidationSettings settings, int steps, TokenizedRows rows, IReadOnlyList<double>? weights, IReadOnlyList<ParameterBank> banks,
    Func<CancellationToken, float[][]> logits) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly List<ValidationRecord> _seen = [];
    private readonly Dictionary<string, Tensor> _best = [];

    /// <summary>Told of every look; null for nobody.</summary>
    public Action<ValidationRecord>? Told { get; init; }

    /// <summary>Whether the training is to end: nothing better came for too long.</summary>
    public bool IsOver => settings.Patience > 0 && _seen.Count > 0 && _seen.Count - 1 - _seen.FindLastIndex(record => record.Best) >= settings.Patience;

    /// <summary>The best state, by the names of the banks; these tensors themselves.</summary>
    public IReadOnlyDictionary<string, Tensor> Best => _best;

    /// <summary>Looks, where it is time to and that was not done yet.</summary>
    public void Look(int step, CancellationToken cancellation)
    {
        if (step == 0 || (step % settings.Every != 0 && step != steps) || (_seen.Count > 0 && _seen[^1].Step >= step)) return;
        var (loss, accuracy, balanced) = Measure(logits(cancellation));
        var record = new ValidationRecord(step, loss, accuracy, balanced, _seen.TrueForAll(before => loss < before.Loss));
        if (record.Best) Keep(banks.SelectMany((bank, i) => bank.State().Select(pair => KeyValuePair.Create($"{i}.{pair.Key}", pair.Value))));
        _seen.Add(record);
        Told?.Invoke(record);
    }

    /// <summary>Puts the best state back into the banks.</summary>
    public void TakeBest()
    {
        for (var i = 0; i < banks.Count; i++)
        {
            banks[i].Load(_best.Where(pair => pair.Key.StartsWith($"{i}.", StringComparison.Ordinal))
                .ToDictionary(pair => pair.Key[(pair.Key.IndexOf('.', StringComparison.Ordinal) + 1)..], pair => pair.Value));
        }
    }

    /// <summary>The record of every look, one JSON object a line.</summary>
    public string Lines()
    {
        var lines = new StringBuilder();
        foreach (var record in _seen) lines.Append(CultureInfo.InvariantCulture, $"{JsonSerializer.Serialize(record, Json)}\n");
        return lines.ToString();
    }

    /// <summary>Starts from what a checkpoint holds.</summary>
    public void Restore(string lines, IReadOnlyDictionary<string, Tensor> best)
    {
        _seen.Clear();
        _seen.AddRange(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<ValidationRecord>(line, Json)));
        Keep(best);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _best.Values) tensor.Dispose();
        _best.Clear();
    }

    private void Keep(IEnumerable<KeyValuePair<string, Tensor>> state)
    {
        using var _ = no_grad();
        Dispose();
        foreach (var (name, tensor) in state) _best[name] = tensor.detach().clone().DetachFromDisposeScope();
    }

    private (float Loss, double Accuracy, double Balanced) Measure(float[][] predicted)
    {
        var losses = Losses(predicted);
        var (loss, mass) = (0.0, 0.0);
        var (right, support) = (new long[predicted[0].Length], new long[predicted[0].Length]);
        for (var row = 0; row < predicted.Length; row++)
        {
            var label = rows.Labels[row];
            var weight = weights?[label] ?? 1;
            loss += weight * losses[row];
            mass += weight;
            support[label]++;
            if (Array.IndexOf(predicted[row], predicted[row].Max()) == label) right[label]++;
        }

        if (mass == 0) throw new TrainingException("no row of the validation split is of a class that training rows are of; give it some");
        var recalls = right.Zip(support).Where(pair => pair.Second > 0).Select(pair => (double)pair.First / pair.Second).ToArray();
        return ((float)(loss / mass), (double)right.Sum() / predicted.Length, recalls.Average());
    }

    // By libtorch, whose instruction set is pinned, and not by the C library's logarithm.
    private float[] Losses(float[][] predicted)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var all = tensor([.. predicted.SelectMany(row => row)], predicted.Length, predicted[0].Length);
        return nn.functional.cross_entropy(all, tensor([.. rows.Labels.Select(label => (long)label)]), reduction: nn.Reduction.None).data<float>().ToArray();
    }
}
