namespace Ssti.Nets.Native;

/// <summary>Which native files tensors would be computed with. Found without loading anything.</summary>
/// <param name="Directory">Folder of libtorch; null when there is none.</param>
/// <param name="Bridge">TorchSharp's own native library; null when it is missing.</param>
/// <param name="Version">Version of libtorch, such as <c>2.10.0</c> or <c>2.11.0+cu130</c>; <c>unknown</c> when it does not say, <c>none</c> without one.</param>
/// <param name="IsBuiltIn">Whether it came with this build, not from SSTI_LIBTORCH.</param>
/// <param name="HasCuda">Whether this libtorch has CUDA kernels.</param>
/// <param name="BridgeNeedsPatch">Whether the system's libstdc++ is older than the bridge asks for, so that an adapted copy is loaded.</param>
/// <param name="Problem">What is missing and what to do about it; null when all is well.</param>
public sealed record LibTorchLocation(
    string? Directory, string? Bridge, string Version, bool IsBuiltIn, bool HasCuda, bool BridgeNeedsPatch, string? Problem)
{
    /// <summary>Whether <see cref="LibTorch.Ensure"/> can be expected to succeed.</summary>
    public bool IsComplete => Problem is null;
}
