using Ssti.Engine.Stages;

namespace Ssti.Engine.Running;

/// <summary>What stages share: job slots, GPUs, memory. A stage that asks for more than there is of something gets all of it, alone.</summary>
internal sealed class Slots
{
    private readonly Share _all;
    private Share _free;

    public Slots(int jobs, int gpus, long? memory) => _free = _all = new Share(Math.Max(1, jobs), gpus, memory ?? long.MaxValue);

    /// <summary>What a stage takes.</summary>
    internal readonly record struct Share(int Jobs, int Gpus, long Memory);

    /// <summary>What a stage has to take.</summary>
    public Share ShareOf(Pipelines.StageInstance instance, ComputeSettings? compute)
    {
        var onCuda = instance.Kind.UsesTensors && compute?.Device == "cuda";
        var threads = instance.Kind.UsesTensors && !onCuda ? compute?.Threads ?? 1 : 1;
        return new Share(
            Math.Clamp(threads, 1, _all.Jobs), Math.Min(instance.Policy.Gpus ?? (onCuda ? 1 : 0), _all.Gpus), Math.Min(instance.Policy.Memory ?? 0, _all.Memory));
    }

    /// <summary>Takes a share if it is to be had now.</summary>
    public bool TryTake(Share share)
    {
        if (share.Jobs > _free.Jobs || share.Gpus > _free.Gpus || share.Memory > _free.Memory) return false;
        _free = new Share(_free.Jobs - share.Jobs, _free.Gpus - share.Gpus, _free.Memory - share.Memory);
        return true;
    }

    /// <summary>Gives a share back.</summary>
    public void Return(Share share) => _free = new Share(_free.Jobs + share.Jobs, _free.Gpus + share.Gpus, _free.Memory + share.Memory);
}
