using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets;

/// <summary>Tensors that the processor wrote, on their way to where they are computed with.</summary>
public static class HostTensors
{
    /// <summary>
    /// Sends a tensor to a device, and lets go of it here; on the CPU it stays what it is. To a GPU from pinned memory: a copy from elsewhere has the processor wait
    /// for all that the GPU was told to do before.
    /// </summary>
    public static Tensor Send(Tensor here, Device device)
    {
        if (device.type == DeviceType.CPU) return here;
        using (here)
        using (var pinned = device.type == DeviceType.CUDA ? here.pin_memory() : null) return (pinned ?? here).to(device, non_blocking: pinned is not null);
    }
}
