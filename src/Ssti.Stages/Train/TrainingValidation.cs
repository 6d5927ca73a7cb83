using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>What a training with a validation or with class weights leaves beside the rest.</summary>
internal static class TrainingValidation
{
    /// <summary>What every look saw, a line each.</summary>
    public const string File = "validation.jsonl";

    /// <summary>What a row of each class counts for, so that every class weighs the same in all; 0 for a class without training rows.</summary>
    public static IReadOnlyList<double> Balanced(DatasetInfo dataset, string split, StageContext context)
    {
        var counts = dataset.Split(split)?.Counts ?? [];
        var present = counts.Count(count => count > 0);
        double[] weights = [.. counts.Select(count => count == 0 ? 0 : (double)counts.Sum() / (present * count))];
        context.Log("a row counts by its class: "
            + string.Join(", ", dataset.Labels.Zip(weights, (label, weight) => string.Create(CultureInfo.InvariantCulture, $"{label} {weight:0.###}"))));
        return weights;
    }

    /// <summary>Writes the looks, and says which state was kept.</summary>
    public static JsonObject Describe(TrainParameters parameters, TokenizedRows rows, FineTuner tuner, string steps, StageContext context)
    {
        System.IO.File.WriteAllText(context.Output(File), tuner.ValidationLines);
        var best = tuner.ValidationLines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Last(look => (bool)look["best"]!);
        var updates = steps.Count(c => c == '\n');
        context.Log(string.Create(CultureInfo.InvariantCulture,
            $"the state after update {best["step"]} is kept: validation loss {(double)best["loss"]!:0.0000}, {100 * (double)best["accuracy"]!:0.0} % right; ")
            + (updates < parameters.Steps ? $"stopped early, after {updates} of {parameters.Steps} updates" : $"all {updates} updates were made"));
        context.Metrics["validationLoss"] = best["loss"]!.DeepClone();
        context.Metrics["validationAccuracy"] = best["accuracy"]!.DeepClone();
        context.Metrics["updates"] = updates;
        return new()
        {
            ["split"] = parameters.Validation!.Split,
            ["rows"] = rows.Count,
            ["truncatedRows"] = rows.Truncated,
            ["updates"] = updates,
            ["stoppedEarly"] = updates < parameters.Steps,
            ["best"] = best.DeepClone(),
        };
    }
}
