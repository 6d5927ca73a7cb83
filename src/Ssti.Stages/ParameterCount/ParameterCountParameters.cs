using System.ComponentModel;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>What is counted. The settings are those of <c>train</c>, with its defaults.</summary>
public sealed record ParameterCountParameters
{
    /// <summary>What would be trained.</summary>
    [Description("what would be trained: adapter (LoRA), head (the head alone) or everything (full fine-tuning)")]
    public TrainedPart Train { get; init; } = TrainedPart.Adapter;

    /// <summary>LoRA's r.</summary>
    [Description("LoRA rank r")]
    public int Rank { get; init; } = 64;

    /// <summary>Which linears get an adapter.</summary>
    [Description("linears that get an adapter, by the end of their names, or all-linear; as published")]
    public List<string> TargetModules { get; init; } = new TrainParameters().TargetModules;

    /// <summary>Which linears, by a pattern.</summary>
    [AddedLater, Description("a regular expression that the whole name of a linear must match to get an adapter, instead of target-modules")]
    public string? TargetPattern { get; init; }

    /// <summary>Ranks of their own.</summary>
    [AddedLater, Description("ranks of some modules (PEFT's rank_pattern): a list of modules, a regular expression for the end of a name, and rank; the first that matches counts")]
    public List<RankOfModules>? RankPattern { get; init; }

    /// <summary>Biases trained beside.</summary>
    [AddedLater, Description("biases of the model that are trained beside the adapter: none (default), all, or lora-only (those of the adapted linears)")]
    public LoraBias? Bias { get; init; }

    /// <summary>Modules trained whole.</summary>
    [AddedLater, Description("modules of the model that are trained whole beside the adapter, by the ends of their names, such as word_embeddings; the head is train-head")]
    public List<string>? ModulesToSave { get; init; }

    /// <summary>DoRA instead of LoRA.</summary>
    [Description("a magnitude a row as well (DoRA)")]
    public bool Dora { get; init; }

    /// <summary>Train the head too.</summary>
    [Description("train the head too")]
    public bool TrainHead { get; init; }

    /// <summary>The head's classes.</summary>
    [Description("classes of the head")]
    public int Classes { get; init; } = 2;

    /// <summary>What the model is called where there is none as an input.</summary>
    [Description("what the model is called, where its shape is written here")]
    public string? Name { get; init; }

    /// <summary>A BERT's shape.</summary>
    [Description("shape of a BERT, instead of the input 'model'")]
    public EncoderShape? Shape { get; init; }

    /// <summary>The linears of a model of another family.</summary>
    [Description("linears of a model of any family, instead of the input 'model', named 0.name, 1.name and so on; of such a model adapters are counted, and nothing else")]
    public List<LinearGroup> Linears { get; init; } = [];

    /// <summary>The same settings, as a training has them.</summary>
    internal TrainParameters AsTraining() => new()
    {
        Train = Train, Rank = Rank, TargetModules = TargetModules, TargetPattern = TargetPattern, RankPattern = RankPattern, Bias = Bias, ModulesToSave = ModulesToSave,
        Dora = Dora, TrainHead = TrainHead,
    };
}

/// <summary>The shape of a BERT, as its <c>config.json</c> has it.</summary>
public sealed record EncoderShape
{
    /// <summary>Layers.</summary>
    [Description("layers (num_hidden_layers)")]
    public required int Layers { get; init; }

    /// <summary>Width of a hidden state.</summary>
    [Description("width of a hidden state (hidden_size)")]
    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    [Description("width of the feed-forward layer (intermediate_size)")]
    public required int IntermediateSize { get; init; }

    /// <summary>Rows of the word table.</summary>
    [Description("rows of the word table (vocab_size)")]
    public int VocabSize { get; init; } = 30522;

    /// <summary>Rows of the position table.</summary>
    [Description("rows of the position table (max_position_embeddings)")]
    public int MaxPositions { get; init; } = 512;
}

/// <summary>Linears of one name and shape.</summary>
public sealed record LinearGroup
{
    /// <summary>The end of the name.</summary>
    [Description("end of the name, such as q_proj")]
    public required string Name { get; init; }

    /// <summary>Width of the input.</summary>
    [Description("width of the input")]
    public required int In { get; init; }

    /// <summary>Width of the output.</summary>
    [Description("width of the output")]
    public required int Out { get; init; }

    /// <summary>How many there are: one a layer.</summary>
    [Description("how many there are, mostly one a layer")]
    public required int Number { get; init; }
}
