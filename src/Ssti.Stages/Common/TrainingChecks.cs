using System.Text.Json;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What the stages that train have in common.</summary>
internal static class TrainingChecks
{
    // A killed training loses at most this share of its updates.
    private const int Checkpoints = 10;

    /// <summary>The largest rate or decay: their product still is a number in fp32, and far less is of no use.</summary>
    public const double Largest = 1e6;

    /// <summary>JSON for people and for bytes that never change.</summary>
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Updates between checkpoints. No parameter, as it changes no byte of the result.</summary>
    public static int CheckpointEvery(int steps) => Math.Max(1, steps / Checkpoints);

    /// <summary>What is wrong with a schedule.</summary>
    public static IEnumerable<ParameterError> Schedule(int steps, int batchSize, int maxLength, double learningRate, double warmUpShare)
    {
        if (steps < 1) yield return new("steps", "must be at least 1");
        if (batchSize < 1) yield return new("batch-size", "must be at least 1");
        if (maxLength < 3) yield return new("max-length", "must be at least 3: [CLS], one token and [SEP]");
        if (learningRate is not (> 0 and <= Largest)) yield return new("learning-rate", "must be more than 0, and at most 1000000");
        if (warmUpShare is not (>= 0 and <= 1)) yield return new("warm-up-share", "must lie between 0 and 1");
    }
}
