using Ssti.Nets.Optimizers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>
/// BERT with its masked-language-model head (BertForMaskedLM), every weight trained: dense, GELU, layer norm, and a decoder tied to the word embeddings.
/// </summary>
public sealed class MaskedLanguageModel : IDisposable
{
    private const string Head = "cls.predictions";

    private readonly BertConfig _config;

    private MaskedLanguageModel(BertConfig config, ParameterBank parameters) => (_config, Parameters) = (config, parameters);

    /// <summary>Every weight of encoder and head.</summary>
    public ParameterBank Parameters { get; }

    /// <summary>A model with random initial weights, as BERT's.</summary>
    public static MaskedLanguageModel Create(BertConfig config, RandomStream random, Device device)
    {
        using var scope = NewDisposeScope();
        (string, long[])[] head =
        [
            ($"{Head}.transform.dense.weight", [config.HiddenSize, config.HiddenSize]),
            ($"{Head}.transform.dense.bias", [config.HiddenSize]),
            ($"{Head}.transform.LayerNorm.weight", [config.HiddenSize]),
            ($"{Head}.transform.LayerNorm.bias", [config.HiddenSize]),
            ($"{Head}.bias", [config.VocabSize]),
        ];
        return new MaskedLanguageModel(config, new ParameterBank(Weights.Initial(config.Tensors().Concat(head), random), device));
    }

    /// <summary>The mean cross-entropy, in nats, of the tokens to be guessed.</summary>
    /// <param name="ids">Token ids with some masked, [rows, length].</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length].</param>
    /// <param name="places">Indices into the flattened [rows·length] of the tokens to be guessed, [n].</param>
    /// <param name="targets">Their true ids, [n].</param>
    /// <param name="dropout">The randomness of dropouts.</param>
    /// <param name="dtype">The precision to compute in.</param>
    public Tensor Loss(Tensor ids, Tensor mask, Tensor places, Tensor targets, RandomStream? dropout, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var weights = Parameters.Views(dtype);
        using var trunk = new BertTrunk(_config, weights, ownsWeights: false);
        var hidden = trunk.Forward(ids, mask, new ForwardPass(dropout)).view(-1, _config.HiddenSize).index_select(0, places);
        var transformed = functional.layer_norm(
            functional.gelu(functional.linear(hidden, weights[$"{Head}.transform.dense.weight"], weights[$"{Head}.transform.dense.bias"])),
            [_config.HiddenSize], weights[$"{Head}.transform.LayerNorm.weight"], weights[$"{Head}.transform.LayerNorm.bias"], _config.LayerNormEps);
        var logits = functional.linear(transformed, trunk.WordEmbeddings, weights[$"{Head}.bias"]);
        return functional.cross_entropy(logits.to(ScalarType.Float32), targets).MoveToOuterDisposeScope();
    }

    /// <summary>Copies of the encoder's tensors by their Hugging Face names, without the head; fp32, on the CPU.</summary>
    public IReadOnlyDictionary<string, Tensor> EncoderTensors() =>
        Parameters.Copy().Where(tensor => !tensor.Key.StartsWith(Head, StringComparison.Ordinal)).ToDictionary();

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();
}
