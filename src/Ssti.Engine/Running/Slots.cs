using Ssti.Engine.Stages;

namespace Ssti.Engine.Running;

/// <summary>What stages share: job slots, GPUs, memory. A stage that asks for more than there is of something gets all of it, alone.</summary>
public sealed class Slots
{
    private readonly Share _all;
    private Share _free;

    /// <summary>Makes slots, all free.</summary>
    /// <param name="jobs">Job slots; at least one.</param>
    /// <param name="gpus">GPUs.</param>
    /// <param name="memory">Bytes of memory, or null for no limit.</param>
    public Slots(int jobs, int gpus, long? memory) => _free = _all = new Share(Math.Max(1, jobs), gpus, memory ?? long.MaxValue);

    /// <summary>What a stage takes.</summary>
    /// <param name="Jobs">Job slots.</param>
    /// <param name="Gpus">GPUs.</param>
    /// <param name="Memory">Bytes of memory.</param>
    public readonly record struct Share(int Jobs, int Gpus, long Memory);

    /// <summary>What a stage has to take.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="policy">What it asks for.</param>
    /// <param name="compute">What it computes with, when it uses tensors.</param>
    public Share ShareOf(IStageKind kind, Pipelines.StagePolicy policy, ComputeSettings? compute)
    {
        var share = Wanted(kind, policy, compute);
        return new Share(Math.Min(share.Jobs, _all.Jobs), Math.Min(share.Gpus, _all.Gpus), Math.Min(share.Memory, _all.Memory));
    }

    /// <summary>What a stage would take where there is enough of everything.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="policy">What it asks for.</param>
    /// <param name="compute">What it computes with, when it uses tensors.</param>
    public static Share Wanted(IStageKind kind, Pipelines.StagePolicy policy, ComputeSettings? compute)
    {
        var onCuda = kind.UsesTensors && compute?.Device == "cuda";
        var threads = kind.UsesTensors && !onCuda ? compute?.Threads ?? 1 : 1;
        return new Share(Math.Max(threads, 1), policy.Gpus ?? (onCuda ? 1 : 0), policy.Memory ?? 0);
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
