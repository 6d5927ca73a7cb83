using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Pretraining;

/// <summary>Pretrains a BERT by masked language modelling.</summary>
public sealed class Pretrainer : IDisposable
{
    private readonly PretrainingSettings _settings;
    private readonly TrainingTarget _target;
    private readonly WordPieceTokenizer _tokenizer;
    private readonly RandomStream _random;
    private readonly MaskedLanguageModel _model;
    private readonly AdamW _optimizer;

    /// <summary>A pretraining from random weights drawn from the seed.</summary>
    public Pretrainer(BertConfig config, WordPieceTokenizer tokenizer, PretrainingSettings settings, TrainingTarget target)
    {
        (_settings, _target, _tokenizer) = (settings, target, tokenizer);
        _random = new RandomStream(settings.Seed, target.Device);
        _model = MaskedLanguageModel.Create(config, _random, target.Device);
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
        return loop.Run(
            [(_model.Parameters, _optimizer)], scratchFolder, (picked, step, rate, log) => Update(rows, picked, step, rate, log), progress, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
        _random.Dispose();
    }

    private void Update(TokenizedRows rows, int[] picked, int step, double rate, StepLog log)
    {
        using var scope = NewDisposeScope();
        _random.Reseed(step + 1);
        var masked = Masking.Of(rows, picked, _tokenizer, _settings.MaskShare, _settings.Seed, step);
        var ids = tensor(masked.Ids, picked.Length, rows.MaxLength, device: _target.Device);
        var mask = tensor(masked.Mask, picked.Length, rows.MaxLength, device: _target.Device);
        var loss = _model.Loss(ids, mask, tensor(masked.Places, device: _target.Device), tensor(masked.Targets, device: _target.Device), _random, _target.Dtype);
        var gradients = autograd.grad([loss], [.. _model.Parameters.Masters]).ToArray();
        var norm = GradientNorm.Clip(gradients, _settings.GradientNormBound);
        _optimizer.Step(gradients, rate);
        log.Add(step + 1, loss, norm, rate);
    }
}
