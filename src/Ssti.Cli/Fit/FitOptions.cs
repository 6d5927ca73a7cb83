using System.CommandLine;
using Ssti.Cli.Commands;
using Ssti.Cli.Display;

namespace Ssti.Cli.Fit;

/// <summary>What 'fit' is told of the training; what is not told is chosen by the data (<see cref="FitChoice"/>).</summary>
internal static class FitOptions
{
    public static Option<string?> Folder { get; } = new("--output", "-o")
    {
        Description = "The model's folder, made whole or not at all (default: the data's name and '-model', in the working folder). The pipeline "
            + "is written beside it.",
        HelpName = "folder",
    };

    public static Option<bool> Overwrite { get; } = new("--force", "-f") { Description = "Replace a model's folder that is there." };

    public static Option<string?> Train { get; } = Among("--train", "What is trained (default: adapter).", "adapter", "head", "everything");

    public static Option<int?> Rank { get; } = WholeNumber.Option("--rank", null, 1, $"LoRA's rank (default: {FitChoice.UsualRank}).");

    public static Option<double?> LearningRate { get; } = RealNumber.Option(
        "--learning-rate", "rate", $"Peak learning rate (default: {FitChoice.UsualRate}; with --train everything {FitChoice.UsualFullRate}).", rate => rate > 0, "above 0");

    public static Option<double?> Epochs { get; } = RealNumber.Option(
        "--epochs", "n", "Passes over the training rows at most (default: by their number); validation ends a training earlier.", epochs => epochs > 0, "above 0");

    public static Option<int?> BatchSize { get; } = WholeNumber.Option("--batch-size", null, 1, $"Rows of an update (default: {FitChoice.UsualBatch}).");

    public static Option<int?> MaxLength { get; } =
        WholeNumber.Option("--max-length", null, 3, "Tokens of a row; longer ones are cut (default: what 95 % of the training rows need, at most 256).");

    public static Option<double?> Validation { get; } = RealNumber.Option(
        "--validation", "share", "Share of the training rows that is looked at meanwhile, to stop in time and keep the best state (default: 0.15).", Share, "above 0 and below 1");

    public static Option<double?> Test { get; } = RealNumber.Option(
        "--test", "share", "Share of the rows that is held out to measure the result on, where the data have no test split (default: 0.15).", Share, "above 0 and below 1");

    public static Option<int?> Patience { get; } = WholeNumber.Option(
        "--patience", null, 0, $"Looks at the validation rows without a lower loss after which the training ends; 0 for never (default: {FitChoice.UsualPatience}).");

    public static Option<string?> ClassWeights { get; } = Among(
        "--class-weights",
        "What a row counts for: the same in every class, or so that classes weigh the same (default: balanced when the largest class is over "
        + "twice the smallest).",
        "equal", "balanced");

    public static Option<int?> Seed { get; } = WholeNumber.Option("--seed", null, 0, "Seed of what is held out, of initial weights, order and dropouts (default: 1).");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } =
        [Folder, Overwrite, Train, Rank, LearningRate, Epochs, BatchSize, MaxLength, Validation, Test, Patience, ClassWeights, AdapterAudit.Labels, Seed];

    /// <summary>The classes that are named; empty where none is.</summary>
    public static IReadOnlyList<string> LabelsOf(ParseResult parsed) =>
        [.. (parsed.GetValue(AdapterAudit.Labels) ?? []).SelectMany(names => names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    private static bool Share(double share) => share is > 0 and < 1;

    private static Option<string?> Among(string name, string description, params string[] values)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', values) };
        option.CompletionSources.Add(values);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var given, ..] && !values.Contains(given.Value))
                result.AddError($"{name}: '{given.Value}' is none of {string.Join(", ", values)}{Words.Meant(given.Value, values)}.");
        });
        return option;
    }
}
