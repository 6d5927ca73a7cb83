using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Models;

/// <summary>A causal trunk with its output matrix: the next token of every position.</summary>
public sealed class CausalLanguageModel : IDisposable
{
    private readonly Tensor? _output;

    private CausalLanguageModel(Trunk trunk, Tensor? output) => (Trunk, _output) = (trunk, output);

    /// <summary>The trunk; owned.</summary>
    public Trunk Trunk { get; }

    /// <summary>A model out of a checkpoint, with the output matrix of its own, or tied to the word table, as its config.json says.</summary>
    /// <exception cref="ModelException">The checkpoint does not fit the shape, or the family is not causal.</exception>
    public static CausalLanguageModel Load(TrunkConfig config, ITensorSource checkpoint, Device device, ScalarType dtype)
    {
        if (!config.IsCausal) throw new ModelException($"a model of type '{config.Family}' sees what comes later, and writes no text");
        if (config.Output is { } name)
        {
            long[] shape = [config.VocabSize, config.HiddenSize];
            if (!checkpoint.Shapes.TryGetValue(name, out var there))
                throw new ModelException($"the weights have no '{name}', and config.json says that the output matrix is one of its own (tie_word_embeddings: false)");
            if (!there.SequenceEqual(shape))
                throw new ModelException($"wrong shape: {name} is [{string.Join(", ", there)}], and config.json says [{string.Join(", ", shape)}]");
        }

        var trunk = config.Build(Weights.Encoder(config, checkpoint, device, dtype));
        return new CausalLanguageModel(trunk, config.Output is null ? null : checkpoint.Take(config.Output, device, dtype));
    }

    /// <summary>Logits of the next token at every position, [rows, length, vocabulary], fp32.</summary>
    /// <param name="ids">Token ids, [rows, length], int64.</param>
    /// <param name="mask">1 for a token and 0 for padding, [rows, length], int64.</param>
    /// <param name="pass">Adapters and what else this pass has.</param>
    public Tensor Logits(Tensor ids, Tensor mask, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        return functional.linear(Trunk.Forward(ids, mask, pass), _output ?? Trunk.WordEmbeddings).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>The tokens that follow, each the likeliest (the first of equals).</summary>
    /// <param name="prompt">The tokens before, at least one.</param>
    /// <param name="count">How many.</param>
    public IEnumerable<int> Greedy(IReadOnlyList<int> prompt, int count)
    {
        if (prompt.Count == 0) throw new ArgumentException("must not be empty: give the token that begins a text", nameof(prompt));
        var ids = prompt.Select(id => (long)id).ToList();
        for (var i = 0; i < count; i++)
        {
            var next = Next(ids);
            ids.Add(next);
            yield return next;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Trunk.Dispose();
        _output?.Dispose();
    }

    private int Next(List<long> ids)
    {
        using var _ = inference_mode();
        using var scope = NewDisposeScope();
        var tokens = tensor(ids.ToArray(), 1, ids.Count, device: Trunk.Device);
        return (int)Logits(tokens, ones_like(tokens), ForwardPass.Plain)[0, ids.Count - 1].argmax().item<long>();
    }
}
