using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training;

/// <summary>Where and how tensors are computed.</summary>
/// <param name="Device">The device.</param>
/// <param name="Dtype">Precision of the frozen base and of activations; masters and losses are always fp32.</param>
public sealed record TrainingTarget(Device Device, ScalarType Dtype)
{
    /// <summary>From the words of a pipeline: <c>cpu</c> or <c>cuda</c> (or one of several, <c>cuda:1</c>), <c>fp32</c> or <c>bf16</c>.</summary>
    /// <exception cref="TrainingException">A word is unknown.</exception>
    public static TrainingTarget Parse(string device, string dtype) => new(
        device switch
        {
            "cpu" => CPU,
            "cuda" => CUDA,
            _ when device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), out var index) => new Device(DeviceType.CUDA, index),
            _ => throw new TrainingException($"unknown device '{device}'; use cpu or cuda"),
        },
        dtype switch
        {
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            _ => throw new TrainingException($"unknown dtype '{dtype}'; use fp32 or bf16"),
        });
}
