using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Pretraining;

/// <summary>Pretrains a BERT by masked language modelling, on batches cut to their longest row.</summary>
public sealed class Pretrainer : IDisposable
{
    // Keeps the streams of parts apart; the steps of a stream have a stride of their own.
    private const long PartStride = 0x5851F42D4C957F2D;

    private readonly PretrainingSettings _settings;
    private readonly TrainingTarget _target;
    private readonly Tokenizer _tokenizer;
    private readonly RandomStream[] _randoms;
    private readonly MaskedLanguageModel _model;
    private readonly AdamW _optimizer;

    /// <summary>A pretraining from random weights drawn from the seed.</summary>
    /// <exception cref="TrainingException">The tokenizer has no mask token.</exception>
    public Pretrainer(BertConfig config, Tokenizer tokenizer, PretrainingSettings settings, TrainingTarget target)
    {
        if (tokenizer.MaskId is null)
            throw new TrainingException($"masked language modelling needs a mask token, and a {tokenizer.Kind} tokenizer has none; take a WordPiece vocabulary");
        (_settings, _target, _tokenizer) = (settings, target, tokenizer);
        var parts = target.Device.type == DeviceType.CPU ? Math.Min(settings.Parts, settings.BatchSize) : 1;
        _randoms = [.. Enumerable.Range(0, parts).Select(part => new RandomStream(unchecked(settings.Seed + (part * PartStride)), target.Device))];
        _model = MaskedLanguageModel.Create(config, _randoms[0], target.Device);
        _optimizer = new AdamW(_model.Parameters, new AdamWOptions { WeightDecay = settings.WeightDecay, DecayMatricesOnly = true });
    }

    /// <summary>Told what a training does besides updates, such as going on from a checkpoint; null for nobody.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>How many numbers are trained.</summary>
    public long TrainableParameters => _model.Parameters.Count;

    /// <summary>The encoder's tensors by their Hugging Face names, fp32, on the CPU.</summary>
    public IReadOnlyDictionary<string, Tensor> EncoderTensors() => _model.EncoderTensors();

    /// <summary>Trains, going on from a checkpoint where there is one.</summary>
    /// <returns>The record of every update, one JSON object a line.</returns>
    public string Run(TokenizedRows rows, string? scratchFolder, Action<StepRecord>? progress, CancellationToken cancellation)
    {
        var schedule = new CosineSchedule(_settings.LearningRate, (int)(_settings.WarmUpShare * _settings.Steps), _settings.Steps);
        var loop = new TrainingLoop(
            _settings.Steps, _settings.BatchSize, _settings.CheckpointEvery, schedule, new RowOrder(rows.Count, _settings.Seed),
            rows.Describe(_settings with { CheckpointEvery = 0 }), Log);
        using var threads = new PartThreads(_randoms.Length);
        return loop.Run(
            [(_model.Parameters, _optimizer)], scratchFolder, (picked, step, rate, log) => Update(rows, picked, step, rate, log, threads), progress,
            cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
        foreach (var random in _randoms) random.Dispose();
    }

    private void Update(TokenizedRows rows, int[] picked, int step, double rate, StepLog log, PartThreads threads)
    {
        using var scope = NewDisposeScope();
        int[] cut = [.. Enumerable.Range(0, threads.Count + 1).Select(part => picked.Length * part / threads.Count)];
        var masked = Masking.Of(rows, picked, _tokenizer, _settings.MaskShare, _settings.Seed, step);
        var masters = _model.Parameters.Masters;
        var results = new (Tensor Loss, Tensor[] Gradients)?[threads.Count];
        threads.Run(part => results[part] = Gradients(masked, cut, part, step, masters));
        // In the order of the parts, whichever ended first: another order is another rounding.
        var summed = default((Tensor Loss, Tensor[] Gradients)?);
        foreach (var result in results)
        {
            if (result is not { } next) continue;
            scope.Attach(next.Loss);
            foreach (var gradient in next.Gradients) scope.Attach(gradient);
            if (summed is not { } before) summed = next;
            else
            {
                before.Loss.add_(next.Loss, Scalars.One);
                foreach (var (sum, addend) in before.Gradients.Zip(next.Gradients)) sum.add_(addend, Scalars.One);
            }
        }

        var (loss, gradients) = summed!.Value;
        var norm = GradientNorm.Clip(gradients, _settings.GradientNormBound);
        _optimizer.Step(gradients, rate);
        log.Add(step + 1, loss, norm, rate);
    }

    // A part's share of the update's loss, and its gradients, of no scope: the part's thread ends its own. Null where the part has nothing to guess.
    private (Tensor Loss, Tensor[] Gradients)? Gradients(Masking whole, int[] cut, int part, int step, IReadOnlyList<Tensor> masters)
    {
        var parts = cut.Length - 1;
        var masked = parts == 1 ? whole : whole.Part(cut[part], cut[part + 1] - cut[part]);
        if (masked.Places.Length == 0) return null;
        using var scope = NewDisposeScope();
        var random = _randoms[part];
        random.Reseed(step + 1);
        using var held = random.Hold();
        var device = _target.Device;
        var ids = tensor(masked.Ids, masked.Rows, masked.Length, device: device);
        var mask = tensor(masked.Mask, masked.Rows, masked.Length, device: device);
        var loss = _model.Loss(ids, mask, tensor(masked.Places, device: device), tensor(masked.Targets, device: device), random, _target.Dtype);
        using var share = ((double)masked.Places.Length / whole.Places.Length).ToScalar();
        if (parts > 1) loss = loss.mul(share);
        var gradients = autograd.grad([loss], [.. masters]).ToArray();
        return (loss.detach().DetachFromDisposeScope(), [.. gradients.Select(gradient => gradient.DetachFromDisposeScope())]);
    }
}
