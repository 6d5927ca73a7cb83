using Ssti.Nets.Native;

namespace Ssti.Training.Banks;

/// <summary>The memory of a GPU, as its driver counts it: libtorch keeps what it once took, so that what is in use after a pass is the pass's peak.</summary>
internal sealed class GpuMemory : IDeviceMemory
{
    private readonly CudaDriver _driver;
    private long? _before;

    private GpuMemory(CudaDriver driver) => _driver = driver;

    /// <summary>That of the GPU that the asking thread computes on; null where there is no driver.</summary>
    public static GpuMemory? Here() => CudaDriver.Find() is { } driver ? new(driver) : null;

    /// <inheritdoc/>
    public void Begin() => _before = _driver.UsedMemory();

    /// <inheritdoc/>
    public (long Taken, long Free)? End() =>
        _before is { } before && _driver.UsedMemory() is { } used && _driver.FreeMemory() is { } free ? (Math.Max(0, used - before), free) : null;
}
