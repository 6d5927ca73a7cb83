using Ssti.Nets.Optimizers;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using static TorchSharp.torch;

namespace Ssti.Training;

/// <summary>The loop every training shares: rows in order, updates, checkpoints, a clean stop when it is cancelled.</summary>
/// <param name="Steps">Updates.</param>
/// <param name="BatchSize">Rows of an update.</param>
/// <param name="CheckpointEvery">Updates between checkpoints; 0 for none.</param>
/// <param name="Schedule">The learning rate of each update.</param>
/// <param name="Order">The order of the rows.</param>
/// <param name="Training">All that the updates depend on, as text: what a checkpoint is recognised by.</param>
/// <param name="Tell">Told what happens besides updates; null for nobody.</param>
internal sealed record TrainingLoop(int Steps, int BatchSize, int CheckpointEvery, CosineSchedule Schedule, RowOrder Order, string Training, Action<string>? Tell)
{
    /// <summary>Makes one update: the picked rows, the update's number from 0, its learning rate, and where its record goes.</summary>
    public delegate void Update(int[] picked, int step, double rate, StepLog log);

    /// <summary>See <see cref="Checkpoint.Beside"/>.</summary>
    public bool? CheckpointsBeside { get; init; }

    /// <summary>Looks at rows that are not trained on, and may end the training before its last update; null for neither.</summary>
    public Validation? Validation { get; init; }

    /// <summary>
    /// Runs the updates that are not yet done; returns the record of every update, one JSON object a line. With a validation the best state that it saw is what
    /// is left in the banks.
    /// </summary>
    public string Run(
        IReadOnlyList<(ParameterBank Bank, Optimizer Optimizer)> trained, string? scratchFolder, Update update, Action<StepRecord>? progress,
        CancellationToken cancellation)
    {
        using var log = new StepLog();
        using var checkpoint = new Checkpoint(CheckpointEvery > 0 ? scratchFolder : null, Training, trained, Tell)
        {
            Validation = Validation, Beside = CheckpointsBeside,
        };
        var picked = new int[BatchSize];
        var step = checkpoint.Restore(log);
        // A checkpoint may have been left while it was being looked at.
        Look(step);
        for (; step < Steps && Validation is not { IsOver: true }; step++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Keep(step);
                cancellation.ThrowIfCancellationRequested();
            }

            Order.Fill((long)step * BatchSize, picked);
            update(picked, step, Schedule.At(step), log);
            var done = step + 1;
            Look(done);
            if (CheckpointEvery > 0 && done % CheckpointEvery == 0 && done < Steps) checkpoint.Save(done, log);
            progress?.Invoke(log.Last with { Step = done });
        }

        checkpoint.Settle();
        var lines = log.Lines();
        RequireFinite(trained);
        Validation?.TakeBest();
        return lines;

        // Who is told that the training stopped may end the process.
        void Keep(int done)
        {
            checkpoint.Save(done, log);
            checkpoint.Settle();
        }

        void Look(int done)
        {
            try
            {
                Validation?.Look(done, cancellation);
            }
            catch (OperationCanceledException)
            {
                Keep(done);
                throw;
            }
        }
    }

    // The last update's loss was taken before it: what it did shows in the weights alone.
    private static void RequireFinite(IReadOnlyList<(ParameterBank Bank, Optimizer Optimizer)> trained)
    {
        using var scope = NewDisposeScope();
        if (trained.SelectMany(part => part.Bank.Masters).All(master => isfinite(master).all().item<bool>())) return;
        throw new TrainingException("the last update left weights that are no finite numbers: the training has diverged; try a lower learning-rate");
    }
}
