using Ssti.Engine.Stages;
using Ssti.Nets.Native;

namespace Ssti.Stages;

/// <summary>Says what tensors would be computed with, from files and the driver alone: libtorch is not loaded for it.</summary>
public sealed class ComputeProbe : IComputeProbe
{
    private readonly Lazy<(LibTorchLocation Torch, IReadOnlyList<CudaDriver> Gpus)> _found = new(() =>
    {
        var torch = LibTorch.Locate();
        return (torch, torch.HasCuda ? CudaDriver.All() : []);
    });

    /// <inheritdoc/>
    public ComputeSettings Resolve(ComputeRequest request)
    {
        var (torch, gpus) = _found.Value;
        var cuda = gpus.Count > 0 ? gpus[0] : null;
        if (torch.Problem is { } problem) throw new StageException(problem);
        if (request.Device == "cuda" && !torch.HasCuda)
            throw new StageException($"device cuda is asked for, and libtorch {torch.Version} has no CUDA; "
                + "set SSTI_LIBTORCH to the torch/lib folder of a PyTorch with CUDA, or build with -p:LibTorch=cuda");
        if (request.Device == "cuda" && cuda is null) throw new StageException("device cuda is asked for, and the NVIDIA driver shows no GPU; see `nvidia-smi`");
        var useCuda = request.Device == "cuda" || (request.Device == "auto" && cuda is not null);
        return new ComputeSettings(
            useCuda ? "cuda" : "cpu", useCuda ? cuda!.DeviceClass : LibTorch.CpuDeviceClass(), request.Threads, request.Dtype, useCuda && request.Tf32, torch.Version);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> GpusOf(string deviceClass) => [.. _found.Value.Gpus.Where(gpu => gpu.DeviceClass == deviceClass).Select(gpu => gpu.Number)];
}
