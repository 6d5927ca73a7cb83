namespace Ssti.Cluster.Wire;

/// <summary>What a silo says of itself: what it can do, and how busy it is.</summary>
[GenerateSerializer]
internal sealed record SiloReport
{
    [Id(0)] public required SiloAddress Silo { get; init; }

    [Id(1)] public required string Service { get; init; }

    [Id(2)] public required Dictionary<string, int> Kinds { get; init; }

    /// <summary>What it can compute with; empty where no kind needs tensors.</summary>
    [Id(3)] public required List<ComputeMessage> Devices { get; init; }

    [Id(4)] public required int Jobs { get; init; }

    [Id(5)] public required int Gpus { get; init; }

    [Id(6)] public int FreeJobs { get; init; }

    [Id(7)] public int FreeGpus { get; init; }

    [Id(8)] public int Queued { get; init; }

    /// <summary>Whether it is stopping, and takes nothing new.</summary>
    [Id(9)] public bool Draining { get; init; }

    /// <summary>What its store is called there.</summary>
    [Id(10)] public required string Store { get; init; }

    [Id(11)] public required int Protocol { get; init; }

    /// <summary>How many stages each of its GPUs is given to at once.</summary>
    [Id(12)] public int PerGpu { get; init; } = 1;

    /// <summary>How many stages have a place on GPUs that are not free any more.</summary>
    [Id(13)] public int SharedPlaces { get; init; }

    /// <summary>
    /// Whether a stage that takes so much could begin there at once: one that takes a GPU may share it, one that takes several has them
    /// to itself.
    /// </summary>
    public bool HasRoomFor(int jobs, int gpus) => Queued == 0 && FreeJobs >= Math.Min(jobs, Jobs)
        && (gpus == 1 ? Gpus == 0 || FreeGpus + SharedPlaces > 0 : FreeGpus >= Math.Min(gpus, Gpus));

    /// <summary>What it would report with one more such stage: for as long as it does not tell itself.</summary>
    public SiloReport With(int jobs, int gpus) => !HasRoomFor(jobs, gpus) ? this with { Queued = Queued + 1 } : this with
    {
        FreeJobs = FreeJobs - Math.Min(jobs, Jobs),
        FreeGpus = FreeGpus - (gpus == 1 ? Math.Min(FreeGpus, 1) : Math.Min(gpus, Gpus)),
        // A free GPU is taken before one that is shared.
        SharedPlaces = SharedPlaces + (gpus != 1 || Gpus == 0 ? 0 : FreeGpus > 0 ? PerGpu - 1 : -1),
    };
}

/// <summary>What a stage needs of a silo, and takes of it.</summary>
[GenerateSerializer]
internal sealed record StageNeeds(
    [property: Id(0)] string Kind, [property: Id(1)] int Version, [property: Id(2)] string? DeviceClass, [property: Id(3)] string? LibTorch, [property: Id(4)] int Jobs,
    [property: Id(5)] int Gpus)
{
    /// <summary>Why a silo cannot do it, or null when it can.</summary>
    public string? Misfit(SiloReport silo)
    {
        if (silo.Protocol != StageMessage.Protocol) return $"speaks protocol {silo.Protocol}, not {StageMessage.Protocol}";
        if (!silo.Kinds.TryGetValue(Kind, out var version)) return $"does not run '{Kind}'";
        if (version != Version) return $"runs '{Kind}' version {version}, not {Version}";
        if (DeviceClass is not null && !silo.Devices.Any(device => device.DeviceClass == DeviceClass && device.LibTorch == LibTorch))
        {
            var has = silo.Devices.Count == 0 ? "nothing" : string.Join(", ", silo.Devices.Select(device => $"{device.DeviceClass} with libtorch {device.LibTorch}"));
            return $"computes on {has}, not on {DeviceClass} with libtorch {LibTorch}";
        }

        return Gpus > 0 && silo.Gpus == 0 ? "has no GPU to give" : null;
    }
}

/// <summary>Where a stage is to be submitted.</summary>
/// <param name="Silo">The silo, or null when there is none now.</param>
/// <param name="Error">Why there will be none, or null when it is worth waiting.</param>
[GenerateSerializer]
internal sealed record Choice([property: Id(0)] SiloAddress? Silo, [property: Id(1)] string? Error);
