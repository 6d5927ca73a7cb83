using System.ComponentModel;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>How a model is fine-tuned. The defaults are the published protocol's.</summary>
public sealed record TrainParameters
{
    /// <summary>What is trained.</summary>
    [Description("what is trained: adapter (LoRA), head (the head alone) or everything (full fine-tuning, the paper's rank 0)")]
    public TrainedPart Train { get; init; } = TrainedPart.Adapter;

    /// <summary>LoRA's r.</summary>
    [Description("LoRA rank r")]
    public int Rank { get; init; } = 64;

    /// <summary>LoRA's alpha.</summary>
    [Description("LoRA alpha; by default the rank, as published")]
    public double? Alpha { get; init; }

    /// <summary>LoRA's dropout.</summary>
    [Description("LoRA dropout, 0 to 1")]
    public double LoraDropout { get; init; } = 0.05;

    /// <summary>Which linears get an adapter.</summary>
    [Description("linears that get an adapter, by the end of their names, or all-linear; as published, which on BERT is the three 'dense' of a layer")]
    public List<string> TargetModules { get; init; } = ["q_proj", "k_proj", "v_proj", "dense"];

    /// <summary>Which linears, by a pattern.</summary>
    [AddedLater, Description("a regular expression that the whole name of a linear must match to get an adapter, instead of target-modules")]
    public string? TargetPattern { get; init; }

    /// <summary>Ranks of their own.</summary>
    [AddedLater, Description("ranks of some modules (PEFT's rank_pattern): a list of modules, a regular expression for the end of a name, and rank; the first that matches counts")]
    public List<RankOfModules>? RankPattern { get; init; }

    /// <summary>Alphas of their own.</summary>
    [AddedLater, Description("alphas of some modules (PEFT's alpha_pattern): a list of modules and alpha")]
    public List<AlphaOfModules>? AlphaPattern { get; init; }

    /// <summary>Scaled by the root of the rank.</summary>
    [AddedLater, Description("scale by alpha / √rank instead of alpha / rank (rslora; default false)")]
    public bool? Rslora { get; init; }

    /// <summary>How the matrices begin.</summary>
    [AddedLater, Description("how A and B begin: kaiming (PEFT's true, the default), gaussian, or random (PEFT's false: B is not zero, and the model starts changed)")]
    public LoraStart? Init { get; init; }

    /// <summary>Biases trained beside.</summary>
    [AddedLater, Description("biases of the model that are trained beside the adapter: none (default), all, or lora-only (those of the adapted linears)")]
    public LoraBias? Bias { get; init; }

    /// <summary>Modules trained whole.</summary>
    [AddedLater, Description("modules of the model that are trained whole beside the adapter, by the ends of their names, such as word_embeddings; the head is train-head")]
    public List<string>? ModulesToSave { get; init; }

    /// <summary>DoRA instead of LoRA.</summary>
    [Description("train a magnitude a row as well (DoRA)")]
    public bool Dora { get; init; }

    /// <summary>Train the head too.</summary>
    [Description("train the head too; as published it stays frozen at its random initialisation")]
    public bool TrainHead { get; init; }

    /// <summary>The split to train on.</summary>
    [Description("split to train on")]
    public string Split { get; init; } = "train";

    /// <summary>Tokens of a row.</summary>
    [Description("tokens of a row: longer rows are cut, shorter ones padded on the right")]
    public int MaxLength { get; init; } = 512;

    /// <summary>Updates.</summary>
    [Description("updates")]
    public int Steps { get; init; } = 500;

    /// <summary>Rows of an update.</summary>
    [Description("rows of an update")]
    public int BatchSize { get; init; } = 128;

    /// <summary>Rows of one pass.</summary>
    [Description("rows of one pass through the model, where memory is short; 0 for all rows of the update at once")]
    public int MicroBatchSize { get; init; }

    /// <summary>The optimiser.</summary>
    [Description("adafactor or adam-w")]
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adafactor;

    /// <summary>Peak learning rate.</summary>
    [Description("peak learning rate of the cosine schedule")]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Weight decay.</summary>
    [Description("decoupled weight decay, times the learning rate")]
    public double WeightDecay { get; init; } = 1e-5;

    /// <summary>Warm-up.</summary>
    [Description("share of the updates in which the learning rate rises from 0")]
    public double WarmUpShare { get; init; } = 0.05;

    /// <summary>Clipping.</summary>
    [Description("bound of the 2-norm of all gradients together")]
    public double GradientNormBound { get; init; } = 1.0;

    /// <summary>Dropouts in training.</summary>
    [Description("whether the model's and LoRA's dropouts are on in training")]
    public bool Dropouts { get; init; } = true;

    /// <summary>What the head looks at; null: as published.</summary>
    [AddedLater, Description("what the head looks at: mean-and-last (default, as published: the mean over all positions, padding included, and the last position), or masked-mean: "
        + "the mean over a row's tokens alone, and nothing is computed of padding")]
    public TrainedPooling? Pooling { get; init; }

    /// <summary>What a row counts for by its class; null: 1 each.</summary>
    [AddedLater, Description("what a row counts for in the loss: equal (1), or balanced: rows / (classes · rows of its class), so that every class weighs the same in all "
        + "(default equal)")]
    public ClassWeighting? ClassWeights { get; init; }

    /// <summary>A look at rows that are not trained on, to keep the best state and to stop in time; null: none.</summary>
    [AddedLater, Description("look at a split that is not trained on, keep the state in which its loss is lowest, and perhaps stop early (default: the last state is kept)")]
    public ValidationParameters? Validation { get; init; }
}
