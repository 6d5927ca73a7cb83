using Ssti.Engine.Stages;

namespace Ssti.Engine.Running;

/// <summary>What stages share: job slots, GPUs, memory. A stage that asks for more than there is of something gets all of it, alone.</summary>
public sealed class Slots
{
    private readonly Share _all;
    private readonly SortedSet<int> _gpus;
    private int _jobs;
    private long _memory;

    /// <summary>Makes slots, all free.</summary>
    /// <param name="jobs">Job slots; at least one.</param>
    /// <param name="gpus">The numbers of the GPUs.</param>
    /// <param name="memory">Bytes of memory, or null for no limit.</param>
    public Slots(int jobs, IEnumerable<int> gpus, long? memory)
    {
        _gpus = [.. gpus];
        _all = new Share(Math.Max(1, jobs), _gpus.Count, memory ?? long.MaxValue);
        (_jobs, _memory) = (_all.Jobs, _all.Memory);
    }

    /// <summary>What a stage takes.</summary>
    /// <param name="Jobs">Job slots.</param>
    /// <param name="Gpus">GPUs.</param>
    /// <param name="Memory">Bytes of memory.</param>
    public readonly record struct Share(int Jobs, int Gpus, long Memory);

    /// <summary>What a stage has got.</summary>
    /// <param name="Share">How much.</param>
    /// <param name="Gpus">Which GPUs: nobody else has them until they are given back.</param>
    public sealed record Place(Share Share, IReadOnlyList<int> Gpus);

    /// <summary>Free job slots.</summary>
    public int FreeJobs => _jobs;

    /// <summary>Free GPUs.</summary>
    public int FreeGpus => _gpus.Count;

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

    /// <summary>Free memory, in bytes.</summary>
    public long FreeMemory => _memory;

    /// <summary>How many times a share is to be had now, as far as jobs and GPUs go.</summary>
    public int Room(Share share) => Math.Min(_jobs / Math.Max(1, share.Jobs), share.Gpus == 0 ? int.MaxValue : _gpus.Count / share.Gpus);

    /// <summary>Takes a share if it is to be had now, of the GPUs those with the lowest numbers; null when it is not.</summary>
    public Place? TryTake(Share share)
    {
        if (share.Jobs > _jobs || share.Gpus > _gpus.Count || share.Memory > _memory) return null;
        _jobs -= share.Jobs;
        _memory -= share.Memory;
        int[] gpus = [.. _gpus.Take(share.Gpus)];
        _gpus.ExceptWith(gpus);
        return new Place(share, gpus);
    }

    /// <summary>Gives a share back.</summary>
    public void Return(Place place)
    {
        _jobs += place.Share.Jobs;
        _memory += place.Share.Memory;
        _gpus.UnionWith(place.Gpus);
    }
}
