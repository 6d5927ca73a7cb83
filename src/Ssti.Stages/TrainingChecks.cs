using System.Text.Json;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What the stages that train have in common.</summary>
internal static class TrainingChecks
{
    /// <summary>JSON for people and for bytes that never change.</summary>
    public static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>What is wrong with a schedule.</summary>
    public static IEnumerable<ParameterError> Schedule(int steps, int batchSize, int maxLength, double learningRate, double warmUpShare)
    {
        if (steps < 1) yield return new("steps", "must be at least 1");
        if (batchSize < 1) yield return new("batch-size", "must be at least 1");
        if (maxLength < 3) yield return new("max-length", "must be at least 3: [CLS], one token and [SEP]");
        if (!(learningRate > 0)) yield return new("learning-rate", "must be positive");
        if (warmUpShare is not (>= 0 and <= 1)) yield return new("warm-up-share", "must lie between 0 and 1");
    }
}
