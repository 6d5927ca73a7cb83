using System.Runtime.CompilerServices;
using Ssti.Nets.Native;

namespace Ssti.Training.Tests;

internal static class TorchFixture
{
    /// <summary>
    /// Every test of this project may use tensors: libtorch is loaded once, on the pinned path, and computes with one thread. Tests compare bytes of one thread
    /// with those of another, and a thread that comes late takes over what was asked for last: let nobody ask for anything else.
    /// </summary>
    [ModuleInitializer]
    internal static void Load()
    {
        LibTorch.Ensure();
        LibTorch.UseThreads(1);
    }
}
