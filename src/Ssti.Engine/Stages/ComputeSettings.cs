namespace Ssti.Engine.Stages;

/// <summary>
/// What tensors are computed with, resolved from a pipeline's <c>compute:</c> block and the machine. Stands in the key of every stage that
/// uses tensors, because each of these changes the bytes of a trained model.
/// </summary>
/// <param name="Device"><c>cpu</c> or <c>cuda</c> (with <c>auto</c> resolved); for a stage at work that has a GPU to itself, which: <c>cuda:1</c>.</param>
/// <param name="DeviceClass">What results depend on, such as <c>cpu-avx2</c> or <c>cuda-sm90</c>.</param>
/// <param name="Threads">Compute threads of a stage on the CPU.</param>
/// <param name="Dtype">Precision of the frozen base and of activations: <c>fp32</c> or <c>bf16</c>.</param>
/// <param name="Tf32">Whether fp32 products on CUDA may use TF32.</param>
/// <param name="LibTorch">Version of libtorch, such as <c>2.10.0</c>.</param>
public sealed record ComputeSettings(string Device, string DeviceClass, int Threads, string Dtype, bool Tf32, string LibTorch)
{
    // Raised whenever what is computed on CUDA in bf16 changes in its last bits: stages that are not computed there keep their keys.
    private const int CudaHalfNumerics = 3;

    /// <summary>Which kernels of our own compute on CUDA in bf16; null elsewhere, where libtorch's alone do. Stands in the key.</summary>
    public int? Kernels => Dtype == "bf16" && Device.StartsWith("cuda", StringComparison.Ordinal) ? CudaHalfNumerics : null;
}
