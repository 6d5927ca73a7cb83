using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What an adapter's head looks at.</summary>
public enum AdapterPooling
{
    /// <summary>As its width says: twice the hidden size is the mean and the last position, the hidden size what the family's classifier in transformers looks at.</summary>
    Auto,

    /// <summary>The mean over all positions, padding included, and the last position: what `train` trains.</summary>
    MeanAndLast,

    /// <summary>The first position through the model's pooler: BertForSequenceClassification.</summary>
    Pooler,

    /// <summary>The first position as it is.</summary>
    First,

    /// <summary>The first position through a linear and ReLU: DistilBertForSequenceClassification.</summary>
    PreClassifier,

    /// <summary>The last position that is no padding: LlamaForSequenceClassification.</summary>
    LastToken,
}

/// <summary>Which adapter.</summary>
public sealed record AdapterParameters
{
    /// <summary>A local folder, or <c>hf://owner/name[@revision]</c>.</summary>
    [Description("a local folder that PEFT's save_pretrained (or `ssti export` of a training) wrote, or hf://owner/name or hf://owner/name@revision on the Hugging Face Hub")]
    public required SourcePath Source { get; init; }

    /// <summary>The classes' names.</summary>
    [Description("names of the head's classes in the order of its outputs; by default those of the input 'data'")]
    public List<string>? Labels { get; init; }

    /// <summary>What the head looks at.</summary>
    [Description("what the head looks at: auto (by its width), mean-and-last (as train), pooler (BertForSequenceClassification), "
        + "pre-classifier (DistilBertForSequenceClassification), last-token (LlamaForSequenceClassification) or first (the first position as it is)")]
    public AdapterPooling Pooling { get; init; }

    /// <summary>Tokens of a row.</summary>
    [Description("tokens of a row in an evaluation: longer rows are cut, shorter ones padded on the right")]
    public int MaxLength { get; init; } = 512;

    /// <summary>The split it was trained on.</summary>
    [Description("split of 'data' that it was trained on")]
    public string Split { get; init; } = "train";
}
