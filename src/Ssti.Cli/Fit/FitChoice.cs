using System.CommandLine;
using System.Globalization;
using Ssti.Stages;

namespace Ssti.Cli.Fit;

/// <summary>How a user's rows are trained on: what the command line says, and for the rest what suits the data. docs/your-data.md says what was tried.</summary>
internal sealed record FitChoice
{
    public const int UsualRank = 8, UsualBatch = 16, UsualPatience = 4;

    public const int UsualSeed = 1;

    public const double UsualShare = 0.15;

    public const string UsualRate = "1e-3", UsualFullRate = "3e-4";

    // Shorter rows gain no time worth a cut; longer ones cost more than they tell, unless somebody says so.
    private const int Shortest = 16, Longest = 256;

    // Classes of which the largest has more than so many times the rows of the smallest are weighted.
    private const double Unbalanced = 2;

    private const int UsualEpochs = 3, LeastSteps = 120, MostSteps = 3000, LooksEachEpoch = 3;

    public required string Train { get; init; }

    public required int Rank { get; init; }

    public required string LearningRate { get; init; }

    public required int Steps { get; init; }

    public required int BatchSize { get; init; }

    public required int MaxLength { get; init; }

    public required int Every { get; init; }

    public required int Patience { get; init; }

    public required bool Balanced { get; init; }

    /// <summary>What was chosen by the data, and why, in a line each.</summary>
    public required IReadOnlyList<string> Told { get; init; }

    /// <summary>Chooses.</summary>
    public static FitChoice Of(ParseResult parsed, TrainingSurvey survey)
    {
        var counts = survey.Counts["train"];
        var rows = counts.Sum();
        var train = parsed.GetValue(FitOptions.Train) ?? "adapter";
        var batch = (int)Math.Min(rows, parsed.GetValue(FitOptions.BatchSize) ?? UsualBatch);
        var epoch = (double)rows / batch;
        var steps = parsed.GetValue(FitOptions.Epochs) is { } epochs ? Math.Clamp(epochs * epoch, 1, 1e6)
            : Math.Clamp(UsualEpochs * epoch, LeastSteps, MostSteps);
        var (largest, smallest) = (counts.Max(), counts.Where(count => count > 0).Min());
        var balanced = parsed.GetValue(FitOptions.ClassWeights) is { } weights ? weights == "balanced" : largest > Unbalanced * smallest;
        var length = Math.Min(survey.MaxPositions, parsed.GetValue(FitOptions.MaxLength) ?? Math.Clamp((survey.LengthOf(0.95) + 7) / 8 * 8, Shortest, Longest));
        var told = new List<string>();
        if (balanced && parsed.GetValue(FitOptions.ClassWeights) is null)
        {
            told.Add($"classes are unbalanced (from {smallest} to {largest} training rows): rows count by their class, so that each class weighs the same "
                + "(--class-weights equal: not)");
        }

        var cut = survey.Lengths.Count(tokens => tokens > length);
        if (cut > 0)
        {
            told.Add(string.Create(CultureInfo.InvariantCulture,
                $"rows are read up to {length} tokens, which {100.0 * (survey.Lengths.Count - cut) / survey.Lengths.Count:0.#} % of the training "
                + $"rows fit into (--max-length: more)"));
        }

        return new FitChoice
        {
            Train = train,
            Rank = parsed.GetValue(FitOptions.Rank) ?? UsualRank,
            LearningRate = parsed.GetValue(FitOptions.LearningRate)?.ToString("R", CultureInfo.InvariantCulture) ?? (train == "everything" ? UsualFullRate : UsualRate),
            Steps = (int)Math.Ceiling(steps),
            BatchSize = batch,
            MaxLength = length,
            Every = (int)Math.Clamp(Math.Round(epoch / LooksEachEpoch), 1, Math.Max(1, steps / 8)),
            Patience = parsed.GetValue(FitOptions.Patience) ?? UsualPatience,
            Balanced = balanced,
            Told = told,
        };
    }
}
