using System.ComponentModel;
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
    [Description("linears that get an adapter, by the end of their names; as published")]
    public List<string> TargetModules { get; init; } = new TrainParameters().TargetModules;

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
    [Description("linears of a model of any family, instead of the input 'model'; of such a model adapters are counted, and nothing else")]
    public List<LinearGroup> Linears { get; init; } = [];
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
