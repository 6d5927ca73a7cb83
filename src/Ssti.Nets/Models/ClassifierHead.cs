using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>What a head looks at of the hidden states.</summary>
public enum HeadPooling
{
    /// <summary>The mean over ALL positions, padding included, and the LAST position: the published protocol's, [rows, 2·hidden].</summary>
    MeanAndLast,

    /// <summary>The first position, [CLS], as it is, [rows, hidden].</summary>
    First,

    /// <summary>The first position through BERT's pooler, a linear and tanh, [rows, hidden]: BertForSequenceClassification's.</summary>
    Pooler,

    /// <summary>The first position through a linear and ReLU, [rows, hidden]: DistilBertForSequenceClassification's.</summary>
    PreClassifier,

    /// <summary>The last position that is no padding, [rows, hidden]: LlamaForSequenceClassification's.</summary>
    LastToken,

    /// <summary>The mean over the positions that are no padding, [rows, hidden].</summary>
    MaskedMean,
}

/// <summary>A linear from pooled hidden states to the classes.</summary>
/// <remarks>
/// The published protocol's looks at the mean and the last position and stays frozen at its random initialisation; <see cref="Parameters"/> lets it be trained
/// as an option. Heads of others look at the first position, with or without a pooler: which, the names and shapes of the tensors tell.
/// </remarks>
public sealed class ClassifierHead : IDisposable
{
    /// <summary>Name of the weight, [classes, 2·hidden] or [classes, hidden].</summary>
    public const string WeightName = "head.weight";

    /// <summary>Name of the bias, [classes].</summary>
    public const string BiasName = "head.bias";

    /// <summary>Name of the weight in a head on the last token, [classes, hidden]: the name tells it from one on the first.</summary>
    public const string LastTokenWeightName = "last-token.weight";

    /// <summary>Name of the bias in a head on the last token, [classes].</summary>
    public const string LastTokenBiasName = "last-token.bias";

    /// <summary>Name of the weight in a head on the mean without padding, [classes, hidden].</summary>
    public const string MaskedMeanWeightName = "masked-mean.weight";

    /// <summary>Name of the bias in a head on the mean without padding, [classes].</summary>
    public const string MaskedMeanBiasName = "masked-mean.bias";

    /// <summary>Name of the pre-classifier's weight, [hidden, hidden], in a head that has one.</summary>
    public const string PreClassifierWeightName = "pre-classifier.weight";

    /// <summary>Name of the pre-classifier's bias, [hidden], in a head that has one.</summary>
    public const string PreClassifierBiasName = "pre-classifier.bias";

    /// <summary>Name of the pooler's weight, [hidden, hidden], in a head that has one.</summary>
    public const string PoolerWeightName = "pooler.weight";

    /// <summary>Name of the pooler's bias, [hidden], in a head that has one.</summary>
    public const string PoolerBiasName = "pooler.bias";

    // Heads whose names tell what they look at.
    private static readonly (string Weight, string Bias, HeadPooling Pooling)[] Named =
    [
        (LastTokenWeightName, LastTokenBiasName, HeadPooling.LastToken), (MaskedMeanWeightName, MaskedMeanBiasName, HeadPooling.MaskedMean),
    ];

    // Layers between the first position and the head, each with what its presence says.
    private static readonly (string Weight, string Bias, HeadPooling Pooling)[] Between =
    [
        (PoolerWeightName, PoolerBiasName, HeadPooling.Pooler), (PreClassifierWeightName, PreClassifierBiasName, HeadPooling.PreClassifier),
    ];

    /// <summary>The published protocol's head of given tensors: weight [classes, 2·hidden] and bias [classes].</summary>
    public ClassifierHead(Tensor weight, Tensor bias, Device device)
        : this(new Dictionary<string, Tensor> { [WeightName] = weight, [BiasName] = bias }, HeadPooling.MeanAndLast, device)
    {
    }

    private ClassifierHead(IReadOnlyDictionary<string, Tensor> tensors, HeadPooling pooling, Device device) =>
        (Parameters, Pooling) = (new ParameterBank(tensors, device), pooling);

    /// <summary>The weight and the bias, fp32, and the pooler's where there is one.</summary>
    public ParameterBank Parameters { get; }

    /// <summary>What it looks at.</summary>
    public HeadPooling Pooling { get; }

    /// <summary>Whether padding is a part of what it looks at, so that a row's logits depend on the length that it is padded to.</summary>
    public bool ReadsPadding => Pooling == HeadPooling.MeanAndLast;

    /// <summary>Whether padding never reaches it, so that nothing has to be computed of it.</summary>
    public bool DropsPadding => Pooling == HeadPooling.MaskedMean;

    /// <summary>Whether it has to be told which positions are padding.</summary>
    public bool ReadsMask => Pooling is HeadPooling.LastToken or HeadPooling.MaskedMean;

    /// <summary>A head as nn.Linear initialises it: weight and bias uniform within ±1/√width.</summary>
    /// <param name="hidden">Width of the trunk's hidden states.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="random">Where the numbers come from.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="pooling">What it looks at: the published protocol's mean and last position, or the mean without padding.</param>
    public static ClassifierHead Create(int hidden, int classes, RandomStream random, Device device, HeadPooling pooling = HeadPooling.MeanAndLast)
    {
        using var scope = NewDisposeScope();
        var width = pooling switch
        {
            HeadPooling.MeanAndLast => 2 * hidden,
            HeadPooling.MaskedMean => hidden,
            _ => throw new ModelException($"a new head looks at the mean and the last position, or at the mean without padding; not at {pooling}"),
        };
        var bound = 1 / Math.Sqrt(width);
        var (weight, bias) = NamesOf(pooling);
        return new ClassifierHead(
            new Dictionary<string, Tensor> { [weight] = random.Uniform(-bound, bound, classes, width), [bias] = random.Uniform(-bound, bound, classes) }, pooling, device);
    }

    /// <summary>A head of saved tensors, named as <see cref="ParameterBank.Copy"/> of its parameters names them.</summary>
    /// <param name="tensors">The tensors; a pooler's beside the head's make it look through the pooler.</param>
    /// <param name="hidden">Width of the trunk's hidden states.</param>
    /// <param name="classes">How many classes there are.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="ModelException">A tensor is missing, or of another shape.</exception>
    public static ClassifierHead Load(IReadOnlyDictionary<string, Tensor> tensors, int hidden, int classes, Device device)
    {
        var named = Array.Find(Named, head => tensors.ContainsKey(head.Weight));
        var (weightName, biasName) = named.Weight is null ? (WeightName, BiasName) : (named.Weight, named.Bias);
        if (!tensors.TryGetValue(weightName, out var weight) || !tensors.TryGetValue(biasName, out var bias))
            throw new ModelException($"the head needs '{WeightName}' and '{BiasName}'; there are: {string.Join(", ", tensors.Keys)}");
        var between = Array.Find(Between, layer => tensors.ContainsKey(layer.Weight) || tensors.ContainsKey(layer.Bias));
        var mayBeWide = between.Weight is null && named.Weight is null;
        var width = mayBeWide && weight.shape is [_, var columns] && columns == 2L * hidden ? 2L * hidden : hidden;
        Require(weightName, weight, classes, width);
        Require(biasName, bias, classes);
        var taken = new Dictionary<string, Tensor> { [weightName] = weight, [biasName] = bias };
        if (between.Weight is null)
            return new ClassifierHead(taken, named.Weight is not null ? named.Pooling : width == hidden ? HeadPooling.First : HeadPooling.MeanAndLast, device);
        foreach (var (name, shape) in new (string, long[])[] { (between.Weight, [hidden, hidden]), (between.Bias, [hidden]) })
        {
            taken[name] = tensors.GetValueOrDefault(name) ?? throw new ModelException($"the head has a {name[..name.IndexOf('.')]} without '{name}'");
            Require(name, taken[name], shape);
        }

        return new ClassifierHead(taken, between.Pooling, device);

        void Require(string name, Tensor tensor, params long[] shape)
        {
            if (tensor.shape.SequenceEqual(shape)) return;
            throw new ModelException(
                $"the head's '{name}' is [{string.Join(", ", tensor.shape)}], and {classes} classes on hidden states of {hidden} want [{string.Join(", ", shape)}]"
                + (name == WeightName && mayBeWide ? $" (or [{classes}, {2 * hidden}] for the mean and the last position)" : ""));
        }
    }

    /// <summary>Logits [rows, classes], fp32.</summary>
    /// <param name="hidden">Hidden states [rows, length, hidden].</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length]; for a head that <see cref="ReadsMask"/>.</param>
    public Tensor Forward(Tensor hidden, Tensor? mask = null)
    {
        var parameters = Parameters.Views(ScalarType.Float32);
        var (weight, bias) = NamesOf(Pooling);
        return functional.linear(Pooled(hidden, mask, parameters), parameters[weight], parameters[bias]);
    }

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    private static (string Weight, string Bias) NamesOf(HeadPooling pooling) =>
        Array.Find(Named, head => head.Pooling == pooling) is { Weight: not null } named ? (named.Weight, named.Bias) : (WeightName, BiasName);

    private Tensor Pooled(Tensor hidden, Tensor? mask, IReadOnlyDictionary<string, Tensor> parameters)
    {
        if (Pooling == HeadPooling.MeanAndLast)
        {
            var mean = hidden.mean([1], false, ScalarType.Float32);
            var last = hidden.select(1, hidden.shape[1] - 1).to(ScalarType.Float32);
            return cat([mean, last], -1);
        }

        if (Pooling == HeadPooling.LastToken) return LastToken(hidden, mask ?? throw new ArgumentNullException(nameof(mask)));
        if (Pooling == HeadPooling.MaskedMean) return MaskedMean(hidden, mask ?? throw new ArgumentNullException(nameof(mask)));
        var first = hidden.select(1, 0).to(ScalarType.Float32);
        return Pooling switch
        {
            HeadPooling.Pooler => functional.linear(first, parameters[PoolerWeightName], parameters[PoolerBiasName]).tanh(),
            HeadPooling.PreClassifier => functional.linear(first, parameters[PreClassifierWeightName], parameters[PreClassifierBiasName]).relu(),
            _ => first,
        };
    }

    // Of a row without tokens zeros.
    private static Tensor MaskedMean(Tensor hidden, Tensor mask)
    {
        var weights = mask.to(ScalarType.Float32).unsqueeze(-1);
        return hidden.to(ScalarType.Float32).mul(weights).sum(1).div(weights.sum(1).clamp_min_(Scalars.One));
    }

    // The rightmost token, as transformers finds it: the first position at which all of the row's have been counted. Of a row of padding alone the first.
    private static Tensor LastToken(Tensor hidden, Tensor mask)
    {
        var (rows, width) = (hidden.shape[0], hidden.shape[2]);
        var places = mask.to(ScalarType.Int64).cumsum(-1).argmax(-1).view(rows, 1, 1).expand(rows, 1, width);
        return hidden.gather(1, places).squeeze(1).to(ScalarType.Float32);
    }
}
