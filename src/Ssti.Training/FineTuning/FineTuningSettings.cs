using System.Text.Json.Serialization;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;

namespace Ssti.Training.FineTuning;

/// <summary>What of the model is trained.</summary>
public enum TrainedPart
{
    /// <summary>A LoRA (or DoRA) adapter; the base stays frozen.</summary>
    Adapter,

    /// <summary>The head alone, on a frozen base.</summary>
    Head,

    /// <summary>Every weight of the base (the paper's rank 0).</summary>
    Everything,
}

/// <summary>Which optimiser moves the weights.</summary>
public enum OptimizerKind
{
    /// <summary>Adafactor, as in the published protocol.</summary>
    Adafactor,

    /// <summary>AdamW.</summary>
    AdamW,
}

/// <summary>A fine-tuning run. The defaults are the published protocol's (paper, "Protocol").</summary>
public sealed record FineTuningSettings
{
    /// <summary>What is trained.</summary>
    public TrainedPart Train { get; init; } = TrainedPart.Adapter;

    /// <summary>The adapter; used when an adapter is trained.</summary>
    public LoraConfig Lora { get; init; } = new(64, 64, 0.05, ["q_proj", "k_proj", "v_proj", "dense"]);

    /// <summary>Whether the head is trained too. The published protocol leaves it at its random initialisation.</summary>
    public bool TrainHead { get; init; }

    /// <summary>Classes of the head.</summary>
    public required int Classes { get; init; }

    /// <summary>Updates.</summary>
    public int Steps { get; init; } = 500;

    /// <summary>Rows of an update.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Rows of one pass through the model; 0 for all rows of the update at once. An update of several passes sums gradients over its true row count.</summary>
    public int MicroBatchSize { get; init; }

    /// <summary>The optimiser.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adafactor;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Decoupled weight decay, times the learning rate.</summary>
    public double WeightDecay { get; init; } = 1e-5;

    /// <summary>Share of the updates in which the learning rate rises from 0: int(share·steps).</summary>
    public double WarmUpShare { get; init; } = 0.05;

    /// <summary>Bound of the 2-norm of all gradients together.</summary>
    public double GradientNormBound { get; init; } = 1.0;

    /// <summary>Whether dropouts are on in training.</summary>
    public bool Dropouts { get; init; } = true;

    /// <summary>What a row of each class counts for in the loss, in the order of the classes; null for 1 each.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // A checkpoint is recognised by this text: those of trainings without stay good.
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>
    /// What the head looks at, <see cref="HeadPooling.MeanAndLast"/> (null, as published) or <see cref="HeadPooling.MaskedMean"/>; nothing is computed of padding
    /// then: the rows of an update go through the model in several passes, each of rows of about one length.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public HeadPooling? Pooling { get; init; }

    /// <summary>How rows that are not trained on are looked at meanwhile; null for not at all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ValidationSettings? Validation { get; init; }

    /// <summary>Seed of the initial weights, of the order of the rows and of the dropouts.</summary>
    public required long Seed { get; init; }

    /// <summary>Updates between checkpoints; 0 for none.</summary>
    public int CheckpointEvery { get; init; } = 50;

    /// <summary>int(share·steps).</summary>
    public int WarmUpSteps => (int)(WarmUpShare * Steps);
}
