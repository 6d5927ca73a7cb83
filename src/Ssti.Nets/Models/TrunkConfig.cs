using System.Text.Json;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Models;

/// <summary>The shape of a pretrained model, as its <c>config.json</c> tells it, and all that a family adds: names, shapes and the trunk made of them.</summary>
/// <remarks>
/// Names are those of the family's class without a head (<c>BertModel</c>, <c>LlamaModel</c> …); where a checkpoint has another class's, <see cref="EncoderTensors"/>
/// finds them behind its prefix.
/// </remarks>
public abstract record TrunkConfig
{
    /// <summary>What to do about a model that cannot be used.</summary>
    internal const string Advice = "choose an encoder such as Snowflake/snowflake-arctic-embed-xs, or another BERT, DistilBERT, Llama or OpenELM";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>model_type, such as <c>bert</c>.</summary>
    public abstract string Family { get; }

    /// <summary>Rows of the word embedding table.</summary>
    public abstract int VocabSize { get; init; }

    /// <summary>Width of a hidden state.</summary>
    public abstract int HiddenSize { get; init; }

    /// <summary>Layers.</summary>
    public abstract int Layers { get; init; }

    /// <summary>The longest input in tokens.</summary>
    public abstract int MaxPositions { get; init; }

    /// <summary>Whether a position sees only itself and those before it.</summary>
    public virtual bool IsCausal => false;

    /// <summary>The name of the word embedding table: by it a checkpoint's prefix is found.</summary>
    internal abstract string Words { get; }

    /// <summary>What the names of the trunk's tensors begin with.</summary>
    internal abstract IReadOnlyList<string> Roots { get; }

    /// <summary>The output matrix of the language model around the trunk, [vocabulary, hidden]; null when it is the word table (tied).</summary>
    internal virtual string? Output => null;

    /// <summary>Reads a config.json of any family.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="ModelException">The family is not known, a key is missing, or a setting asks for what is not offered here.</exception>
    public static TrunkConfig Read(string path, string? title = null) => Families.Of(ConfigFile.Read(path, title));

    /// <summary>Attention heads (queries') of a layer.</summary>
    public abstract int HeadsOf(int layer);

    /// <summary>Every tensor of the trunk by its Hugging Face name, with its shape.</summary>
    public abstract IEnumerable<(string Name, long[] Shape)> Tensors();

    /// <summary>The linears of a layer, in the order they are computed.</summary>
    public abstract IEnumerable<LinearShape> Linears(int layer);

    /// <summary>The linears of all layers.</summary>
    public IEnumerable<LinearShape> Linears() => Enumerable.Range(0, Layers).SelectMany(Linears);

    /// <summary>The config.json of this shape, as Hugging Face reads it.</summary>
    public string ToJson() => Settings().ToJsonString(Indented) + "\n";

    /// <summary>The trunk over tensors by name, as <see cref="Weights.Encoder(TrunkConfig, ITensorSource, Device, ScalarType)"/> gives them.</summary>
    /// <param name="weights">Every tensor of <see cref="Tensors"/>.</param>
    /// <param name="ownsWeights">Whether disposing the trunk disposes the weights.</param>
    public abstract Trunk Build(IReadOnlyDictionary<string, Tensor> weights, bool ownsWeights = true);

    /// <summary>What the config.json of this shape says.</summary>
    private protected abstract JsonObject Settings();

    /// <summary>The names under which a checkpoint may have a tensor, without prefix.</summary>
    internal virtual IEnumerable<string> Spellings(string name) => [name];

    /// <summary>Whether a name, without prefix, is a buffer that is made anew: no weight.</summary>
    internal virtual bool IsBuffer(string name) => false;
}

/// <summary>A linear layer that an adapter may attach to.</summary>
/// <param name="Name">Its Hugging Face module name, such as <c>encoder.layer.0.output.dense</c>.</param>
/// <param name="In">Width of its input.</param>
/// <param name="Out">Width of its output.</param>
public sealed record LinearShape(string Name, long In, long Out);
