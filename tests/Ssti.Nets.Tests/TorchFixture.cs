using System.Runtime.CompilerServices;
using Ssti.Nets.Native;

namespace Ssti.Nets.Tests;

internal static class TorchFixture
{
    /// <summary>Every test of this project may use tensors: libtorch is loaded once, with the default options.</summary>
    [ModuleInitializer]
    internal static void Load() => LibTorch.Ensure();
}
