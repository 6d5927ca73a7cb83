using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets;

/// <summary>
/// The generator that libtorch's own kernels draw from on a GPU. A process has one for each GPU, whatever thread draws: who seeds it keeps all others from it
/// until it has drawn.
/// </summary>
internal static class CudaGenerator
{
    private static readonly ConcurrentDictionary<int, object> Gates = new();

    /// <summary>Seeds the generator of the calling thread's GPU, which is the device's, and keeps it; to be disposed of by the same thread.</summary>
    public static Held Seed(Device device, ulong seed)
    {
        var gate = Gates.GetOrAdd(Math.Max(0, device.index), static _ => new object());
        Monitor.Enter(gate);
        cuda.manual_seed((long)seed);
        return new Held(gate);
    }

    /// <summary>A generator that is kept.</summary>
    public readonly struct Held(object gate) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose() => Monitor.Exit(gate);
    }
}
