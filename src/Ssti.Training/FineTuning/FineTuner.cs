using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using Ssti.Training.Banks;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.FineTuning;

/// <summary>Fine-tunes a pretrained model to classify rows: an adapter on a frozen base, the head alone, or everything.</summary>
public sealed class FineTuner : IDisposable
{
    // Rows of a pass when nothing is trained; part of the numerics, and so no setting.
    private const int PredictedAtOnce = 128;

    // Rows of a pass where padding is dropped: few enough that rows of one pass are of about one length, and so many that a GPU is not kept waiting for launches.
    private const int AlikeOnCpu = 8, AlikeOnGpu = 64;

    private readonly FineTuningSettings _settings;
    private readonly TrainingTarget _target;
    private readonly TrunkConfig _config;
    private readonly Trunk _trunk;
    private readonly RandomStream _random;
    private readonly ParameterBank? _everything;
    private readonly Tensor? _classWeights;
    private readonly BankSeat? _seat;
    private FusedEncoder? _fused;
    private int _refreshed = -1;
    private readonly List<(ParameterBank Bank, Optimizer Optimizer)> _trained = [];

    /// <summary>A fine-tuning of a model, with a fresh adapter and head drawn from the seed.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="checkpoint">Its tensors by Hugging Face name; copied.</param>
    /// <param name="settings">The run.</param>
    /// <param name="target">Where to compute.</param>
    public FineTuner(TrunkConfig config, IReadOnlyDictionary<string, Tensor> checkpoint, FineTuningSettings settings, TrainingTarget target)
        : this(config, Weights.InMemory(checkpoint), settings, target)
    {
    }

    /// <summary>A fine-tuning of a model, whose tensors are taken from where they lie one by one.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="checkpoint">Its tensors by Hugging Face name.</param>
    /// <param name="settings">The run.</param>
    /// <param name="target">Where to compute.</param>
    /// <param name="seat">A place in a bank of trainings on this very model, where it is trained beside others; not owned.</param>
    public FineTuner(TrunkConfig config, ITensorSource checkpoint, FineTuningSettings settings, TrainingTarget target, BankSeat? seat = null)
    {
        (_config, _settings, _target, _seat) = (config, settings, target, settings.Train == TrainedPart.Adapter ? seat : null);
        _random = new RandomStream(settings.Seed, target.Device);
        _trunk = _seat is null ? Build() : _seat.Share(Build);
        Head = ClassifierHead.Create(config.HiddenSize, settings.Classes, _random, target.Device, settings.Pooling ?? HeadPooling.MeanAndLast);
        if (settings.Train == TrainedPart.Adapter) _trained.Add(WithOptimizer((Adapter = LoraAdapter.Create(settings.Lora, _trunk, _random)).Parameters));
        if (settings.Train == TrainedPart.Everything) _trained.Add(WithOptimizer(_everything = BankOf(config, checkpoint, target.Device)));
        if (settings.TrainHead || settings.Train == TrainedPart.Head) _trained.Add(WithOptimizer(Head.Parameters));
        _classWeights = settings.ClassWeights is { } weights ? tensor([.. weights.Select(weight => (float)weight)], device: target.Device).DetachFromDisposeScope() : null;

        Trunk Build() => config.Build(Weights.Encoder(config, checkpoint, target.Device, target.Dtype));
    }

    /// <summary>The adapter; null when none is trained.</summary>
    public LoraAdapter? Adapter { get; }

    /// <summary>Every linear of the encoder that an adapter may attach to.</summary>
    public IReadOnlyList<LinearShape> Linears => _trunk.Linears;

    /// <summary>The head.</summary>
    public ClassifierHead Head { get; }

    /// <summary>
    /// The model as far as it is trained, to look at it between updates; null where the base is trained, whose weights are made anew each time. Not the
    /// caller's to dispose.
    /// </summary>
    public SequenceClassifier? Classifier => _everything is null ? new(_trunk, Adapter, Head) : null;

    /// <summary>Told what a training does besides updates, such as going on from a checkpoint; null for nobody.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Told after each look at the validation rows; null for nobody.</summary>
    public Action<ValidationRecord>? Validated { get; init; }

    /// <summary>The record of every look at the validation rows, one JSON object a line; empty without them.</summary>
    public string ValidationLines { get; private set; } = "";

    /// <summary>The encoder whose passes are written out, null where the plain one is to compute: for comparisons of the two, and for tests on the CPU.</summary>
    internal Func<Trunk, LoraAdapter, FusedEncoder?> WrittenOut { get; init; } = FusedEncoder.For;

    /// <summary>See <see cref="Checkpoint.Beside"/>: for tests where there is no GPU.</summary>
    internal bool? CheckpointsBeside { get; init; }

    /// <summary>How many numbers are trained.</summary>
    public long TrainableParameters => _trained.Sum(part => part.Bank.Count);

    /// <summary>The encoder's tensors after full fine-tuning, fp32, on the CPU; null when the base stayed frozen.</summary>
    public IReadOnlyDictionary<string, Tensor>? EncoderTensors() => _everything?.Copy();

    /// <summary>Trains, going on from a checkpoint where there is one.</summary>
    /// <param name="rows">The training rows.</param>
    /// <param name="scratchFolder">Where checkpoints go; null for none.</param>
    /// <param name="progress">Called after updates, with the last record that has been fetched.</param>
    /// <param name="cancellation">Stops after the update at hand, leaving a checkpoint.</param>
    /// <param name="validation">Rows to look at meanwhile, tokenised as those trained on; wanted where the settings have a validation, and nowhere else.</param>
    /// <returns>The record of every update, one JSON object a line.</returns>
    /// <exception cref="TrainingException">The loss is no number, or the rows do not fit the model.</exception>
    public string Run(
        TokenizedRows rows, string? scratchFolder, Action<StepRecord>? progress, CancellationToken cancellation, TokenizedRows? validation = null)
    {
        foreach (var label in rows.Labels.Concat(validation?.Labels ?? []))
        {
            if (label < 0 || label >= _settings.Classes) throw new TrainingException($"a row has label {label}, and the head has {_settings.Classes} classes");
        }

        var schedule = new CosineSchedule(_settings.LearningRate, _settings.WarmUpSteps, _settings.Steps);
        var described = rows.Describe(_settings with { CheckpointEvery = 0 }) + (validation is null ? "" : validation.Describe("validation"));
        using var looks = _settings.Validation is { } how
            ? new Validation(how, _settings.Steps, validation ?? throw new ArgumentNullException(nameof(validation)), _settings.ClassWeights,
                [.. _trained.Select(part => part.Bank)], stop => Logits(validation, stop)) { Told = Validated }
            : null;
        var loop = new TrainingLoop(
            _settings.Steps, _settings.BatchSize, _settings.CheckpointEvery, schedule, new RowOrder(rows.Count, _settings.Seed), described, Log)
        {
            Validation = looks, CheckpointsBeside = CheckpointsBeside,
        };
        using var fused = _settings.Train == TrainedPart.Adapter ? WrittenOut(_trunk, Adapter!) : null;
        (_fused, _refreshed) = (fused, -1);
        var lines = loop.Run(_trained, scratchFolder, (picked, step, rate, log) => Update(rows, picked, step, rate, log), progress, cancellation);
        ValidationLines = looks?.Lines() ?? "";
        return lines;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, optimizer) in _trained) optimizer.Dispose();
        Adapter?.Dispose();
        _everything?.Dispose();
        Head.Dispose();
        _classWeights?.Dispose();
        if (_seat is null) _trunk.Dispose();
        else _seat.Release();
        _random.Dispose();
    }

    private void Update(TokenizedRows rows, ReadOnlySpan<int> picked, int step, double rate, StepLog log)
    {
        using var scope = NewDisposeScope();
        var (loss, gradients) = Passes(rows, picked, step, scope);
        var norm = GradientNorm.Clip(gradients, _settings.GradientNormBound);
        var taken = 0;
        foreach (var (bank, optimizer) in _trained)
        {
            var count = bank.Masters.Count;
            optimizer.Step(gradients[taken..(taken + count)], rate);
            taken += count;
        }

        log.Add(step + 1, loss, norm, rate);
    }

    private (Tensor Loss, Tensor[] Gradients) Passes(TokenizedRows rows, ReadOnlySpan<int> picked, int step, DisposeScope scope)
    {
        _random.Reseed(step + 1);
        // Of a GPU that is shared nobody else draws meanwhile. Passes that are written out see to that themselves.
        using var held = _settings.Dropouts && _fused is null ? _random.Hold() : null;
        var masters = _trained.SelectMany(part => part.Bank.Masters).ToArray();
        var size = _settings.MicroBatchSize > 0 ? _settings.MicroBatchSize : picked.Length;
        if (Head.DropsPadding)
        {
            picked = rows.ByLength(picked.ToArray());
            size = Math.Min(size, _target.Device.type == DeviceType.CUDA ? AlikeOnGpu : AlikeOnCpu);
        }

        Tensor[]? gradients = null;
        Tensor? loss = null;
        for (var at = 0; at < picked.Length; at += size)
        {
            var here = picked.Slice(at, Math.Min(size, picked.Length - at));
            var length = Head.DropsPadding ? rows.Longest(here) : rows.MaxLength;
            var (part, partial) = _fused is null
                ? Plain(rows.Batch(here, _target.Device, length), picked.Length, step, masters, scope)
                : Fused(_fused, rows.Ragged(here, _target.Device, length), picked.Length, step, masters, scope);
            loss = loss is null ? part.detach() : loss.add(part.detach(), Scalars.One);
            if (gradients is null) gradients = partial;
            else foreach (var (sum, addend) in gradients.Zip(partial)) sum.add_(addend, Scalars.One);
        }

        return (loss!, gradients!);
    }

    private (Tensor Loss, Tensor[] Gradients) Plain(Batch batch, int rows, int step, Tensor[] masters, DisposeScope scope)
    {
        // Who draws from the GPU's only generator can go nowhere together with others.
        if (_seat is null || (_settings.Dropouts && _random.OwnsDevice)) return Alone();
        return Together(_seat, new PlainRows(batch), step, masters, hidden => Loss(Head.Forward(hidden, batch.Mask), batch.Labels, rows), Alone, scope);

        (Tensor Loss, Tensor[] Gradients) Alone()
        {
            var loss = Loss(Forward(batch), batch.Labels, rows);
            return (loss, [.. autograd.grad([loss], masters)]);
        }
    }

    // The head by autograd, the encoder by hand.
    private (Tensor Loss, Tensor[] Gradients) Fused(FusedEncoder encoder, RaggedBatch batch, int rows, int step, Tensor[] masters, DisposeScope scope)
    {
        return _seat is null ? Alone() : Together(_seat, new FusedRows(encoder, batch.Tokens), step, masters, LossOf, Alone, scope);

        Tensor LossOf(Tensor hidden) => Loss(Head.Forward(hidden, Head.ReadsMask ? batch.Tokens.Mask() : null), batch.Labels, rows);

        (Tensor Loss, Tensor[] Gradients) Alone()
        {
            if (_refreshed != step) encoder.Refresh();
            _refreshed = step;
            using var tape = new EncoderTape();
            var hidden = encoder.Forward(batch.Tokens, _settings.Dropouts ? _random : null, tape).requires_grad_(true);
            var loss = LossOf(hidden);
            var gradients = autograd.grad([loss], [hidden, .. masters.Skip(Adapter!.Parameters.Masters.Count)]);
            return (loss, [.. encoder.Backward(tape, gradients[0])[0], .. gradients.Skip(1)]);
        }
    }

    private (Tensor Loss, Tensor[] Gradients) Together(
        BankSeat seat, PassRows rows, int step, Tensor[] masters, Func<Tensor, Tensor> lossOf, Func<(Tensor Loss, Tensor[] Gradients)> alone, DisposeScope scope)
    {
        var result = seat.Pass(new BankCell
        {
            Update = step,
            Trunk = _trunk,
            Adapter = Adapter!,
            Rows = rows,
            Random = _random,
            Dropouts = _settings.Dropouts,
            Masters = masters,
            LossOf = lossOf,
            Compute = () =>
            {
                using var inner = NewDisposeScope();
                var (loss, gradients) = alone();
                return new PassResult(loss.detach(), gradients).Detached();
            },
        });
        scope.Attach(result.Loss);
        foreach (var gradient in result.Gradients) scope.Attach(gradient);
        return (result.Loss, result.Gradients);
    }

    // A part of the whole update's mean: parts of unequal size then add up to the same gradient. Divided by rows also where they are weighted, so that a row counts
    // the same whatever it is in a batch with.
    private Tensor Loss(Tensor logits, Tensor labels, int rows) =>
        nn.functional.cross_entropy(logits, labels, _classWeights, reduction: nn.Reduction.Sum).div(Scalars.Kept(rows));

    private float[][] Logits(TokenizedRows rows, CancellationToken cancellation)
    {
        using var _ = inference_mode();
        using var scope = NewDisposeScope();
        using var tuned = _everything is null ? null : _config.Build(_everything.Views(_target.Dtype), ownsWeights: false);
        return Predictor.Logits(new SequenceClassifier(tuned ?? _trunk, Adapter, Head), rows, PredictedAtOnce, progress: null, cancellation);
    }

    private Tensor Forward(Batch batch)
    {
        var dropout = _settings.Dropouts ? _random : null;
        if (_everything is null) return new SequenceClassifier(_trunk, Adapter, Head).Forward(batch.Ids, batch.Mask, dropout);
        using var trunk = _config.Build(_everything.Views(_target.Dtype), ownsWeights: false);
        return new SequenceClassifier(trunk, null, Head).Forward(batch.Ids, batch.Mask, dropout);
    }

    private static ParameterBank BankOf(TrunkConfig config, ITensorSource checkpoint, Device device)
    {
        // The bank copies them, and they belong to no scope.
        var tensors = Weights.Encoder(config, checkpoint, CPU, ScalarType.Float32);
        try
        {
            return new ParameterBank(tensors, device);
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    private (ParameterBank, Optimizer) WithOptimizer(ParameterBank bank) => (bank, _settings.Optimizer switch
    {
        OptimizerKind.AdamW => new AdamW(bank, new AdamWOptions { WeightDecay = _settings.WeightDecay }),
        _ => new Adafactor(bank, new AdafactorOptions { WeightDecay = _settings.WeightDecay }),
    });
}
