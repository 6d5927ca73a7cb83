using Ssti.Engine.Stages;
using Ssti.Nets.Native;

namespace Ssti.Stages;

/// <summary>
/// Looks at the machine without loading libtorch: its files say its version, the driver says what GPU there is. So a run that finds
/// everything cached stays fast, and its keys are those of a run that computes.
/// </summary>
public sealed class MachineProbe : IComputeProbe
{
    private readonly Lazy<LibTorchLocation> _libTorch = new(() => LibTorch.Locate());
    private readonly Lazy<CudaDriver?> _gpu = new(CudaDriver.Find);

    /// <inheritdoc/>
    public ComputeSettings Resolve(ComputeRequest request)
    {
        var libTorch = _libTorch.Value;
        var cuda = request.Device switch
        {
            "cpu" => null,
            "cuda" => Required(libTorch),
            // The driver is asked only where libtorch could use it.
            _ => libTorch.HasCuda ? _gpu.Value : null,
        };
        return new(
            cuda is null ? "cpu" : "cuda", cuda?.DeviceClass ?? LibTorch.CpuDeviceClass(), request.Threads, request.Dtype, cuda is not null && request.Tf32, libTorch.Version);
    }

    private CudaDriver Required(LibTorchLocation libTorch)
    {
        if (_gpu.Value is not { } gpu) throw new StageException("device cuda: the NVIDIA driver shows no GPU; use --device cpu, or auto");
        return libTorch.HasCuda
            ? gpu
            : throw new StageException($"device cuda: there is a {gpu.Name}, but this libtorch has no CUDA; set {LibTorch.DirectoryVariable} to the torch/lib folder "
                + "of a PyTorch with CUDA, build with -p:LibTorch=cuda, or use --device cpu");
    }
}
