using Ssti.Cluster.Placement;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Cluster.Silo;

/// <summary>What a silo is there for: its service, the kinds it hosts, what it computes with.</summary>
internal sealed class SiloDuties
{
    /// <summary>Looks at the machine, when any kind needs tensors.</summary>
    public SiloDuties(string service, IReadOnlyList<IStageKind> kinds, IComputeProbe probe, int? gpus)
    {
        (Service, Kinds) = (service, new StageCatalog(kinds));
        if (kinds.Any(kind => kind.UsesTensors))
        {
            foreach (var device in (string[])["cpu", "cuda"])
            {
                try
                {
                    Devices.Add(ComputeMessage.Of(probe.Resolve(new ComputeRequest { Device = device })));
                }
                catch (StageException missing)
                {
                    // No GPU is no news; without libtorch nothing is computed, and that is told.
                    if (device == "cpu") Problem = missing.Message;
                }
            }
        }

        var cuda = Devices.FirstOrDefault(device => device.Device == "cuda");
        var alike = cuda is null ? null : probe.GpusOf(cuda.DeviceClass);
        Cards = [.. alike?.Take(gpus ?? 1) ?? Enumerable.Range(0, gpus ?? (cuda is null ? 0 : 1))];
        if (alike is not null && gpus > alike.Count) Problem ??= $"Ssti__Gpus asks for {gpus} GPUs, and this machine shows {alike.Count} of the class {cuda!.DeviceClass}";
    }

    /// <summary>The service's name.</summary>
    public string Service { get; }

    /// <summary>The kinds it hosts.</summary>
    public StageCatalog Kinds { get; }

    /// <summary>What it computes with.</summary>
    public List<ComputeMessage> Devices { get; } = [];

    /// <summary>The numbers of the GPUs it gives to stages.</summary>
    public IReadOnlyList<int> Cards { get; }

    /// <summary>How many GPUs it has.</summary>
    public int Gpus => Cards.Count;

    /// <summary>Why it cannot compute with tensors though it should, or null.</summary>
    public string? Problem { get; }

    /// <summary>What it tells of itself, apart from how busy it is.</summary>
    public SiloReport Report(SiloAddress silo, ClusterSettings settings, ClusterStore store) => new()
    {
        Silo = silo,
        Service = Service,
        Kinds = Kinds.Kinds.ToDictionary(kind => kind.Name, kind => kind.Version),
        Devices = Devices,
        Jobs = settings.Jobs,
        Gpus = Gpus,
        PerGpu = settings.PerGpu,
        Store = store.Artifacts.Location,
        Protocol = StageMessage.Protocol,
    };

    /// <summary>What a stage needs of a silo.</summary>
    public static StageNeeds NeedsOf(WorkOrder order)
    {
        var share = Engine.Running.Slots.Wanted(order.Kind, order.Policy, order.Compute);
        return StageName.Of(order).Needs(share.Jobs, share.Gpus);
    }

    /// <summary>The order of a message, or null when another silo must do it.</summary>
    /// <param name="name">The grain's name.</param>
    /// <param name="stage">The message.</param>
    /// <param name="sources">Where the sources of a key are put.</param>
    /// <exception cref="StageException">Sender and silo are not of one version.</exception>
    public WorkOrder? Accept(StageName name, StageMessage stage, Func<Digest, string> sources)
    {
        if (Kinds.Find(name.Kind) is not { } kind) return null;
        if (kind.Version != name.Version)
            throw new StageException($"'{name.Kind}' is version {name.Version} with the sender and {kind.Version} with the {Service} silo: update so that both are the same");
        var order = stage.ToOrder(kind, sources);
        // The sender's program may build the document otherwise: then the outputs would stand under a key that they do not belong to.
        if (StageName.Of(order) != name)
            throw new StageException($"the key document of {stage.Stage} is not what its key says; update so that the program is the same on both sides");
        return NeedsOf(order).Gpus > 0 && Gpus == 0 ? null : order;
    }
}
