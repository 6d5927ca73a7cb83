using Ssti.Engine.Stages;
using Ssti.Nets.Native;
using Ssti.Training;

namespace Ssti.Stages;

/// <summary>Reports how far a training is: updates, rows of this attempt, loss, and the memory of the GPU.</summary>
internal sealed class TrainingProgress(StageContext context, int steps, int batchSize)
{
    // The driver is asked as seldom as losses come from the device.
    private const int AskEvery = 16;

    private readonly CudaDriver? _gpu = context.Compute.Device.StartsWith("cuda", StringComparison.Ordinal) ? CudaDriver.Find() : null;
    private int? _begun;

    /// <summary>Reports an update.</summary>
    public void Report(StepRecord record)
    {
        // A training that goes on from a checkpoint has not worked through the rows before it.
        _begun ??= record.Step - 1;
        // No cross-entropy is 0: no loss has come from the device yet.
        double? loss = record.Loss > 0 ? record.Loss : null;
        context.Progress(new(record.Step, steps, "updates", loss is null ? null : $"loss {loss:0.000}")
        {
            Rows = (long)(record.Step - _begun.Value) * batchSize,
            Loss = loss,
            DeviceMemory = record.Step % AskEvery == 0 ? _gpu?.UsedMemory() : null,
        });
    }
}
