using System.ComponentModel;
using Ssti.Corpus;
using Ssti.Corpus.Grammar;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>How large a corpus, and how clear.</summary>
public sealed record CorpusParameters
{
    /// <summary>Labelled rows for training; even.</summary>
    [Description("labelled rows for training, half of them of each class")]
    public int Train { get; init; } = 4000;

    /// <summary>Labelled rows for testing; even.</summary>
    [Description("labelled rows for testing, half of them of each class")]
    public int Test { get; init; } = 1000;

    /// <summary>Rows without labels.</summary>
    [Description("rows without labels, for pretraining (split 'unlabelled')")]
    public int Unlabelled { get; init; } = 20_000;

    /// <summary>The share of rows whose words do not simply add up to their label.</summary>
    [Description("share of rows, 0 to 1, whose words do not add up to their label: 40 % contrast, 40 % negation, 20 % without any sign of it")]
    public double Ambiguity { get; init; } = 0.15;

    /// <summary>The share of unlabelled rows that are led by a date.</summary>
    [Description("share of unlabelled rows, 0 to 1, that are led by the date they were posted on, so that a pretrained model has seen dates")]
    public double Dated { get; init; } = 0.1;
}

/// <summary>
/// Writes a small labelled corpus of reviews from a grammar, with its WordPiece vocabulary in <c>vocab.txt</c>: for runs without a download.
/// </summary>
public sealed class CorpusStage : StageKind<CorpusParameters>
{
    // Neutral sentences are the scarcest; beyond this, finding a fresh one takes too long.
    private const int MostRows = 500_000;

    /// <inheritdoc/>
    public override string Name => "corpus";

    /// <inheritdoc/>
    public override int Version => 2;

    /// <inheritdoc/>
    public override string Summary => "Writes a small labelled corpus of reviews from a seeded grammar, with a vocabulary; needs no download.";

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(CorpusParameters parameters)
    {
        foreach (var (key, rows) in new[] { ("train", parameters.Train), ("test", parameters.Test) })
            if (rows < 0 || rows % 2 != 0) yield return new(key, $"is {rows}; it must be even and not negative, as half of the rows are of each class");
        if (parameters.Unlabelled < 0) yield return new("unlabelled", "must not be negative");
        var total = (long)parameters.Train + parameters.Test + parameters.Unlabelled;
        if (total is 0 or > MostRows) yield return new("train", $"{total} rows in all; the grammar makes from 1 to {MostRows}");
        if (parameters.Ambiguity is not (>= 0 and <= 1)) yield return new("ambiguity", "must lie between 0 and 1");
        if (parameters.Dated is not (>= 0 and <= 1)) yield return new("dated", "must lie between 0 and 1");
    }

    /// <inheritdoc/>
    public override Task RunAsync(CorpusParameters parameters, StageContext context, CancellationToken cancellation)
    {
        try
        {
            var options = new ReviewCorpusOptions(parameters.Train, parameters.Test, parameters.Unlabelled, parameters.Ambiguity, parameters.Dated, (ulong)context.Seed);
            var dataset = ReviewCorpus.Write(context.OutputFolder, options, (done, total) => context.Progress(new(done, total, "rows")), cancellation);
            DatasetStage.Report(dataset, context);
            return Task.CompletedTask;
        }
        catch (CorpusException error)
        {
            throw new StageException(error.Message, error);
        }
    }
}
