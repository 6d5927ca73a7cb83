using System.Runtime.CompilerServices;
using Ssti.Nets.Native;

namespace Ssti.Training.Tests;

internal static class TorchFixture
{
    /// <summary>Every test of this project may use tensors: libtorch is loaded once, on the pinned path.</summary>
    [ModuleInitializer]
    internal static void Load() => LibTorch.Ensure();
}
