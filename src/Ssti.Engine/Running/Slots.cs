using Ssti.Engine.Stages;

namespace Ssti.Engine.Running;

/// <summary>What stages share: job slots, GPUs, memory. A stage that asks for more than there is of something gets all of it, alone.</summary>
public sealed class Slots
{
    private readonly Share _all;
    private readonly int _perGpu;

    // How many stages each GPU still has a place for, by its number.
    private readonly SortedDictionary<int, int> _gpus = [];
    private int _jobs;
    private long _memory;

    /// <summary>Makes slots, all free.</summary>
    /// <param name="jobs">Job slots; at least one.</param>
    /// <param name="gpus">The numbers of the GPUs.</param>
    /// <param name="memory">Bytes of memory, or null for no limit.</param>
    /// <param name="perGpu">How many stages a GPU is given to at once; a stage that takes several GPUs has them to itself all the
    /// same.</param>
    public Slots(int jobs, IEnumerable<int> gpus, long? memory, int perGpu = 1)
    {
        _perGpu = Math.Max(1, perGpu);
        foreach (var gpu in gpus) _gpus[gpu] = _perGpu;
        _all = new Share(Math.Max(1, jobs), _gpus.Count, memory ?? long.MaxValue);
        (_jobs, _memory) = (_all.Jobs, _all.Memory);
    }

    /// <summary>What a stage takes.</summary>
    /// <param name="Jobs">Job slots.</param>
    /// <param name="Gpus">GPUs.</param>
    /// <param name="Memory">Bytes of memory.</param>
    /// <param name="WholeGpus">Whether it takes them whole, also where a GPU is given to several stages at once.</param>
    public readonly record struct Share(int Jobs, int Gpus, long Memory, bool WholeGpus = false);

    /// <summary>What a stage has got.</summary>
    /// <param name="Share">How much.</param>
    /// <param name="Gpus">Which GPUs.</param>
    /// <param name="PerGpu">How many stages have each of them at most, this one included, until they are given back; 1: nobody
    /// else.</param>
    public sealed record Place(Share Share, IReadOnlyList<int> Gpus, int PerGpu = 1);

    /// <summary>Free job slots.</summary>
    public int FreeJobs => _jobs;

    /// <summary>GPUs on which no stage is.</summary>
    public int FreeGpus => _gpus.Values.Count(places => places == _perGpu);

    /// <summary>How many stages have a place on GPUs on which there are stages already.</summary>
    public int SharedPlaces => _gpus.Values.Where(places => places < _perGpu).Sum();

    /// <summary>What a stage has to take.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="policy">What it asks for.</param>
    /// <param name="compute">What it computes with, when it uses tensors.</param>
    public Share ShareOf(IStageKind kind, Pipelines.StagePolicy policy, ComputeSettings? compute)
    {
        var share = Wanted(kind, policy, compute);
        return share with
        {
            Jobs = Math.Min(share.Jobs, _all.Jobs), Gpus = Math.Min(share.Gpus, _all.Gpus), Memory = Math.Min(share.Memory, _all.Memory),
        };
    }

    /// <summary>What a stage would take where there is enough of everything.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="policy">What it asks for.</param>
    /// <param name="compute">What it computes with, when it uses tensors.</param>
    public static Share Wanted(IStageKind kind, Pipelines.StagePolicy policy, ComputeSettings? compute)
    {
        var onCuda = kind.UsesTensors && compute?.Device == "cuda";
        var threads = kind.UsesTensors && !onCuda ? compute?.Threads ?? 1 : 1;
        var gpus = policy.Gpus ?? (onCuda ? 1 : 0);
        return new Share(Math.Max(threads, 1), gpus, policy.Memory ?? 0, WholeGpus: gpus > 1);
    }

    /// <summary>Free memory, in bytes.</summary>
    public long FreeMemory => _memory;

    /// <summary>How many times a share is to be had now, as far as jobs and GPUs go.</summary>
    public int Room(Share share) => Math.Min(
        _jobs / Math.Max(1, share.Jobs), share.Gpus == 0 ? int.MaxValue : (share.WholeGpus ? FreeGpus : _gpus.Values.Sum()) / share.Gpus);

    /// <summary>
    /// Takes a share if it is to be had now; null when it is not. Of the GPUs those that the fewest stages have, so that none is shared
    /// while another idles; of these those with the lowest numbers.
    /// </summary>
    public Place? TryTake(Share share)
    {
        var least = share.WholeGpus ? _perGpu : 1;
        var emptiest = _gpus.Where(gpu => gpu.Value >= least).OrderByDescending(gpu => gpu.Value);
        int[] gpus = [.. emptiest.Select(gpu => gpu.Key).Take(share.Gpus)];
        if (share.Jobs > _jobs || share.Gpus > gpus.Length || share.Memory > _memory) return null;
        _jobs -= share.Jobs;
        _memory -= share.Memory;
        foreach (var gpu in gpus) _gpus[gpu] -= least;
        return new Place(share, gpus, share.WholeGpus || gpus.Length == 0 ? 1 : _perGpu);
    }

    /// <summary>Gives a share back.</summary>
    public void Return(Place place)
    {
        _jobs += place.Share.Jobs;
        _memory += place.Share.Memory;
        foreach (var gpu in place.Gpus) _gpus[gpu] += place.Share.WholeGpus ? _perGpu : 1;
    }
}
