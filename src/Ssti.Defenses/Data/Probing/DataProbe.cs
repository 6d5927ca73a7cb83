using Ssti.Corpus.Datasets;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;

namespace Ssti.Defenses.Data.Probing;

/// <summary>How a probe is made and what is asked of it.</summary>
public sealed record DataProbeOptions
{
    /// <summary>Most tokens of a row; fewer are taken where nineteen of twenty rows are shorter (<see cref="DataProbe.Length"/>).</summary>
    public required int MaxLength { get; init; }

    /// <summary>Rows of one pass in evaluation.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Times in training, evenly spaced, at which the watched rows' losses are taken.</summary>
    public int Checks { get; init; } = 5;

    /// <summary>Training rows whose losses and hidden states are looked at: up to half of them flagged ones.</summary>
    public int Watched { get; init; } = 400;

    /// <summary>Held-out rows that suspects are put into.</summary>
    public int HeldOut { get; init; } = 300;

    /// <summary>Suspects that are tried.</summary>
    public int Suspects { get; init; } = 12;
}

/// <summary>What a probe said.</summary>
/// <param name="Effects">Of the suspects that were tried, the strongest first; those that nobody knows how to put into a text are left out.</param>
/// <param name="Watched">Training rows.</param>
/// <param name="Clusters">The two groups of each class's watched rows; null for a class of too few.</param>
/// <param name="Right">Held-out rows that the probe gets right.</param>
/// <param name="HeldOut">Held-out rows.</param>
/// <param name="Length">Tokens of a row.</param>
public sealed record DataProbeResult(
    IReadOnlyList<SuspectEffect> Effects, IReadOnlyList<WatchedRow> Watched, IReadOnlyList<ActivationClusters?> Clusters, int Right, int HeldOut, int Length);

/// <summary>Trains a small adapter on a set to see which of its suspects a model takes up, and which rows made it do so.</summary>
public static class DataProbe
{
    private const double Whole = 0.95;
    private const int Eight = 8, MostHaving = 100;

    /// <summary>Trains and asks.</summary>
    /// <param name="tuner">The training, not yet begun.</param>
    /// <param name="steps">Its updates.</param>
    /// <param name="train">The rows that it is trained on.</param>
    /// <param name="heldOut">Rows that it is not trained on.</param>
    /// <param name="audit">What the audit without a model said of the training rows.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="options">What is asked.</param>
    /// <param name="progress">Called after updates.</param>
    /// <param name="cancellation">Stops.</param>
    public static DataProbeResult Run(
        FineTuner tuner, int steps, IReadOnlyList<Row> train, IReadOnlyList<Row> heldOut, SuspectRows audit, Tokenizer tokenizer, DataProbeOptions options,
        Action<Ssti.Training.StepRecord>? progress, CancellationToken cancellation)
    {
        var model = tuner.Classifier ?? throw new DefenseException("a probe is an adapter on a frozen model");
        var length = Length(train, tokenizer, options.MaxLength, cancellation);
        var watched = Pick(train.Count, audit.Flagged, options.Watched);
        var watchedRows = Tokenized([.. watched.Select(row => train[row])]);
        List<double>[] losses = [.. watched.Select(_ => new List<double>())];
        Check();
        var checks = Enumerable.Range(1, options.Checks).Select(check => Math.Max(1, check * steps / options.Checks)).Distinct().ToHashSet();
        tuner.Run(Tokenized(train), null, record =>
        {
            if (checks.Contains(record.Step)) Check();
            progress?.Invoke(record);
        }, cancellation);

        var before = Predicted([.. heldOut.Select(row => row.Text)]);
        var effects = audit.Suspects.Index().Take(options.Suspects).Select(suspect => Effect(suspect.Index, suspect.Item)).OfType<SuspectEffect>()
            .OrderByDescending(effect => effect.Lift ?? double.MinValue).ThenBy(effect => effect.Rank).ToArray();
        var flagged = audit.Flagged.Select(row => row.Number).ToHashSet();
        var rows = watched.Select((row, index) => new WatchedRow(train[row].Id, train[row].Label, flagged.Contains(row), losses[index])).ToArray();
        var clusters = Represent(rows, HiddenStates.Means(model, watchedRows, options.BatchSize, cancellation));
        return new DataProbeResult(effects, rows, clusters, heldOut.Index().Count(row => before[row.Index] == row.Item.Label), heldOut.Count, length);

        TokenizedRows Tokenized(IReadOnlyList<Row> some) => TokenizedRows.Of(some, tokenizer, length, 1, cancellation);

        void Check()
        {
            var logits = Predictor.Logits(model, watchedRows, options.BatchSize, null, cancellation);
            for (var row = 0; row < logits.Length; row++) losses[row].Add(Loss(logits[row], watchedRows.Labels[row]));
        }

        int[] Predicted(IReadOnlyList<string> texts) => texts.Count == 0 ? [] :
            [.. Predictor.Logits(model, Tokenized([.. texts.Select((text, number) => new Row($"{number}", text, 0))]), options.BatchSize, null, cancellation)
                .Select(logits => Array.IndexOf(logits, logits.Max()))];

        SuspectEffect? Effect(int rank, Suspect suspect)
        {
            cancellation.ThrowIfCancellationRequested();
            string?[] texts = [.. heldOut.Select((row, number) => SuspectInsertion.Into(row.Text, suspect, number))];
            if (texts.Length == 0 || texts[0] is null) return null;
            var after = Predicted(texts!);
            var label = suspect.Lead.Class;
            int Count(Func<Row, int, bool> which) => heldOut.Index().Count(row => which(row.Item, row.Index));
            Row[] having = [.. Having(rank).Take(Math.Min(MostHaving, options.HeldOut)).Select(row => train[row])];
            return new SuspectEffect(
                rank, label, heldOut.Count, Count((row, at) => before[at] == row.Label), Count((row, at) => after[at] == row.Label),
                Count((row, _) => row.Label != label), Count((row, at) => row.Label != label && before[at] == label), Count((row, at) => row.Label != label && after[at] == label),
                Count((row, _) => row.Label == label), Count((row, at) => row.Label == label && before[at] == label), Count((row, at) => row.Label == label && after[at] == label),
                having.Length, Predicted([.. having.Select(row => row.Text)]).Count(predicted => predicted == label),
                Predicted([.. having.Select(row => SuspectSearch.Without(row.Text, suspect.Lead.Feature))]).Count(predicted => predicted == label));
        }

        IEnumerable<int> Having(int rank)
        {
            if (audit.Suspects[rank].Lead.Feature.Kind == FeatureKind.Form) yield break;
            for (var row = 0; row < audit.Rows[rank].Length && row < train.Count; row++)
                if (audit.Rows[rank][row]) yield return row;
        }
    }

    /// <summary>
    /// Tokens of a row that hold nineteen of twenty rows whole, in eights. Every row is padded to it, so that a probe of short rows costs a
    /// third of one of the full length; what stands behind it in the longest rows is not read.
    /// </summary>
    public static int Length(IReadOnlyList<Row> rows, Tokenizer tokenizer, int most, CancellationToken cancellation)
    {
        var (lengths, ids) = (new int[rows.Count], new int[most]);
        foreach (var (at, row) in rows.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            lengths[at] = tokenizer.Encode(row.Text, ids).Kept;
        }

        Array.Sort(lengths);
        return Math.Min(most, (lengths[(int)(Whole * (rows.Count - 1))] + Eight - 1) / Eight * Eight);
    }

    /// <summary>At most so many of a list, in equal steps from its first on.</summary>
    public static T[] Evenly<T>(T[] all, int most)
    {
        var count = Math.Min(most, all.Length);
        return [.. Enumerable.Range(0, count).Select(index => all[(int)((long)index * all.Length / count)])];
    }

    // Flagged ones for half of the places, the others evenly out of all.
    private static int[] Pick(int rows, IReadOnlyList<FlaggedRow> flagged, int most)
    {
        HashSet<int> chosen = [.. flagged.Where(row => row.Number < rows).Take(most / 2).Select(row => row.Number)];
        var none = flagged.Select(row => row.Number).ToHashSet();
        int[] others = [.. Enumerable.Range(0, rows).Where(row => !none.Contains(row))];
        return [.. chosen.Concat(Evenly(others, most - chosen.Count)).Order()];
    }

    private static ActivationClusters?[] Represent(WatchedRow[] rows, float[][] states)
    {
        var clusters = new ActivationClusters?[rows.Max(row => row.Label) + 1];
        foreach (var group in Enumerable.Range(0, rows.Length).GroupBy(row => rows[row].Label).ToArray())
        {
            int[] own = [.. group];
            float[][] of = [.. own.Select(row => states[row])];
            var (spectral, cluster) = (SpectralSignature.Scores(of), ActivationClusters.Of(of));
            clusters[group.Key] = cluster;
            foreach (var (at, row) in own.Index()) rows[row] = rows[row] with { Spectral = spectral[at], InSmallerGroup = cluster?.Smaller[at] ?? false };
        }

        return clusters;
    }

    // Cross-entropy, without the overflow of a plain exponential.
    private static double Loss(float[] logits, int label)
    {
        double most = logits.Max();
        return most + Math.Log(logits.Sum(logit => Math.Exp(logit - most))) - logits[label];
    }
}
