namespace Ssti.Nets.Optimizers;

/// <summary>Linear warm-up from 0, then half a cosine down to 0 (transformers.get_cosine_schedule_with_warmup with half a cycle).</summary>
/// <param name="Peak">The learning rate at the end of warm-up.</param>
/// <param name="WarmUpSteps">Updates of warm-up.</param>
/// <param name="Steps">Updates in all.</param>
public sealed record CosineSchedule(double Peak, int WarmUpSteps, int Steps)
{
    /// <summary>The learning rate of an update, counted from 0.</summary>
    public double At(int step)
    {
        if (step < WarmUpSteps) return Peak * step / Math.Max(1, WarmUpSteps);
        var progress = (double)(step - WarmUpSteps) / Math.Max(1, Steps - WarmUpSteps);
        return Peak * Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
