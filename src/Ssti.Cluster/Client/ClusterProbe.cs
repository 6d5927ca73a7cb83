using Ssti.Cluster.Wire;
using Ssti.Engine.Stages;

namespace Ssti.Cluster.Client;

/// <summary>Resolves what to compute with by what the silos have: <c>auto</c> is CUDA where a silo has a GPU, whatever the submitter's machine has.</summary>
internal sealed class ClusterProbe(IReadOnlyList<SiloReport> silos, IComputeProbe here) : IComputeProbe
{
    public ComputeSettings Resolve(ComputeRequest request)
    {
        var devices = silos.SelectMany(silo => silo.Devices).ToList();
        // Without a silo that computes, only stages that need none can run; what is resolved here stands in no key of theirs.
        if (devices.Count == 0) return here.Resolve(request);
        var cuda = Most(devices, "cuda");
        if (request.Device == "cuda" && cuda is null)
            throw new StageException("device cuda is asked for, and no silo of the cluster has a GPU that it can use; start a training service on a machine that has one");
        var chosen = request.Device != "cpu" && cuda is not null ? cuda : Most(devices, "cpu")
            ?? throw new StageException("device cpu is asked for, and no silo of the cluster computes on its CPU");
        return new ComputeSettings(chosen.Device, chosen.DeviceClass, request.Threads, request.Dtype, chosen.Device == "cuda" && request.Tf32, chosen.LibTorch);
    }

    // Of several classes the one that most silos have: the same cluster gives the same keys.
    private static ComputeMessage? Most(IEnumerable<ComputeMessage> devices, string device) => devices.Where(one => one.Device == device)
        .GroupBy(one => (one.DeviceClass, one.LibTorch)).OrderByDescending(group => group.Count()).ThenBy(group => group.Key.DeviceClass, StringComparer.Ordinal)
        .ThenBy(group => group.Key.LibTorch, StringComparer.Ordinal).FirstOrDefault()?.First();
}
