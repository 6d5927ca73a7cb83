using System.Globalization;
using Ssti.Engine.Stages;
using Ssti.Nets.Native;
using Ssti.Training;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>Reports how far a training is: updates, rows of this attempt, loss, and the memory of the GPU.</summary>
internal sealed class TrainingProgress(StageContext context, int steps, int batchSize)
{
    /// <summary>What a line of the log begins with that tells of a look at the validation rows.</summary>
    public const string ValidationLog = "validation after update";

    // The driver is asked as seldom as losses come from the device.
    private const int AskEvery = 16;

    private readonly CudaDriver? _gpu = context.Compute.Device.StartsWith("cuda", StringComparison.Ordinal) ? CudaDriver.Find() : null;
    private int? _begun;
    private string? _validation;

    /// <summary>Notes what a look at the validation rows saw, for the log and beside the loss of what comes next.</summary>
    public void Validated(ValidationRecord record)
    {
        var right = string.Create(CultureInfo.InvariantCulture, $"{100 * record.Accuracy:0.0} % right");
        _validation = string.Create(CultureInfo.InvariantCulture, $", validation loss {record.Loss:0.000}, {right}");
        context.Log(string.Create(CultureInfo.InvariantCulture,
            $"{ValidationLog} {record.Step}: loss {record.Loss:0.0000}, {right}, {100 * record.BalancedAccuracy:0.0} % of a class on average")
            + (record.Best ? " (the best so far)" : ""));
    }

    /// <summary>Reports an update.</summary>
    public void Report(StepRecord record)
    {
        // A training that goes on from a checkpoint has not worked through the rows before it.
        _begun ??= record.Step - 1;
        // No cross-entropy is 0: no loss has come from the device yet.
        double? loss = record.Loss > 0 ? record.Loss : null;
        context.Progress(new(record.Step, steps, "updates", loss is null ? null : string.Create(CultureInfo.InvariantCulture, $"loss {loss:0.000}{_validation}"))
        {
            Rows = (long)(record.Step - _begun.Value) * batchSize,
            Loss = loss,
            DeviceMemory = record.Step % AskEvery == 0 ? _gpu?.UsedMemory() : null,
        });
    }
}
