using Ssti.Corpus.Datasets;
using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests;

/// <summary>A training small enough to be done dozens of times a test: an encoder of random weights, and rows whose words tell their label.</summary>
internal static class Toy
{
    public const int Length = 12;

    public static readonly TrainingTarget Target = new(CPU, ScalarType.Float32);

    public static readonly WordPieceTokenizer Tokenizer =
        WordPieceTokenizer.FromPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Enumerable.Range(0, 45).Select(i => $"w{i}")]);

    /// <summary>With dropouts, as the trunks of the protocol have them.</summary>
    public static readonly BertConfig Config = new(VocabSize: 50, HiddenSize: 16, Layers: 2, Heads: 4, IntermediateSize: 32, MaxPositions: Length);

    /// <summary>Six updates of five rows each with a checkpoint after every second.</summary>
    public static readonly FineTuningSettings Settings = new()
    {
        Lora = new LoraConfig(4, 4, 0.05, ["dense"]), Classes = 2, Steps = 6, BatchSize = 5, LearningRate = 1e-2, Seed = 40, CheckpointEvery = 2,
    };

    /// <summary>An encoder's tensors, the same for every call; they belong to the caller's dispose scope.</summary>
    public static IReadOnlyDictionary<string, Tensor> Encoder()
    {
        using var random = new RandomStream(1, CPU);
        return Weights.Initial(Config.Tensors(), random, 0.2);
    }

    /// <summary>Rows of 3 to 14 words; those of class 0 are of the vocabulary's first half.</summary>
    public static IEnumerable<Row> Rows(int count, int classes = 2) => Enumerable.Range(0, count).Select(i =>
    {
        var label = i % classes;
        var words = Enumerable.Range(0, 3 + (i * 5 % 12)).Select(t => $"w{(label * 22) + ((i * 7) + (t * 3)) % 22}");
        return new Row($"r{i}", string.Join(' ', words), label);
    });

    public static TokenizedRows Tokens(int count, int classes = 2) => TokenizedRows.Of(Rows(count, classes), Tokenizer, Length, 2, CancellationToken.None);

    /// <summary>The bytes of tensors by name: what must be equal to the last bit.</summary>
    public static SortedDictionary<string, byte[]> Bytes(IReadOnlyDictionary<string, Tensor> tensors) =>
        new(tensors.ToDictionary(pair => pair.Key, pair => pair.Value.cpu().contiguous().bytes.ToArray()), StringComparer.Ordinal);
}
