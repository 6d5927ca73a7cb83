namespace Ssti.Nets.Native;

/// <summary>How libtorch is loaded into this process. It can be loaded once only, so one set of options serves the whole process.</summary>
public sealed record LibTorchOptions
{
    /// <summary>Compute threads of one CPU operation (OMP_NUM_THREADS). The count changes the bytes of trained weights.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>
    /// Pins the CPU path to AVX2 kernels, so that one key gives the same bytes on any x86-64 processor of the last ten years.
    /// False takes whatever the processor offers: faster on AVX-512, and repeatable only on the same model.
    /// </summary>
    public bool PinInstructionSet { get; init; } = true;

    /// <summary>Folder of another libtorch (<c>torch/lib</c> of an installed PyTorch); null reads SSTI_LIBTORCH, then takes the built-in one.</summary>
    public string? Directory { get; init; }

    /// <summary>Folder for the adapted copy of TorchSharp's library; null takes SSTI_CACHE, else the user's cache folder.</summary>
    public string? CacheFolder { get; init; }
}
