using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>What a fine-tuning leaves: its records, and the bytes of whatever it may have trained.</summary>
internal sealed record Tuned(string Steps, SortedDictionary<string, byte[]> Adapter, SortedDictionary<string, byte[]> Head, SortedDictionary<string, byte[]> Encoder)
{
    private static readonly SortedDictionary<string, byte[]> Nothing = [];

    /// <summary>Trains from the start, or from what an earlier attempt left in the folder.</summary>
    public static Tuned By(
        FineTuningSettings settings, TokenizedRows rows, string? folder = null, Action<StepRecord>? progress = null, CancellationToken cancellation = default,
        Action<string>? tell = null, bool beside = false)
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), settings, Toy.Target) { Log = tell, CheckpointsBeside = beside };
        return Of(tuner, tuner.Run(rows, folder, progress, cancellation));
    }

    public static Tuned Of(FineTuner tuner, string steps) => new(
        steps, tuner.Adapter is { } adapter ? Toy.Bytes(adapter.Parameters.Copy()) : Nothing, Toy.Bytes(tuner.Head.Parameters.Copy()),
        tuner.EncoderTensors() is { } tensors ? Toy.Bytes(tensors) : Nothing);

    public static void Same(Tuned expected, Tuned actual)
    {
        Assert.Equal(expected.Steps, actual.Steps);
        Assert.Equal(expected.Adapter, actual.Adapter);
        Assert.Equal(expected.Head, actual.Head);
        Assert.Equal(expected.Encoder, actual.Encoder);
    }
}
