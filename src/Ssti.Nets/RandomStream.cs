using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets;

/// <summary>
/// The randomness of one run: initial weights, and the dropouts of each step.
/// </summary>
/// <remarks>
/// A step's stream is a function of the seed and the step alone (<see cref="Reseed"/>), so that a run that goes on from a checkpoint draws
/// what an uninterrupted one would have drawn, and nothing of a generator has to be saved. On the CPU every draw comes from a generator of
/// this stream's own, because several runs train at once in one process. On CUDA fused kernels with dropout draw from the device's default generator, of which there
/// is one: it is seeded for a step, and held while the step draws (<see cref="Draw"/>), so that runs that share a GPU draw what each would draw alone.
/// </remarks>
public sealed class RandomStream : IDropouts, IDisposable
{
    // By the number of the GPU.
    private static readonly ConcurrentDictionary<int, Lock> Devices = new();

    private readonly ulong _seed;
    private readonly int _device;
    private readonly Generator _generator;
    private readonly KeepMask _masks = new();
    private readonly bool _cuda;
    private uint _sites;

    /// <summary>A stream on a device.</summary>
    public RandomStream(long seed, Device device)
    {
        _seed = (ulong)seed;
        (_cuda, _device) = (device.type == DeviceType.CUDA, Math.Max(0, device.index));
        _generator = new Generator((ulong)seed);
        // What precedes the first step draws on the CPU: the device's generator may be another run's at this moment.
        Seed(0);
    }

    /// <summary>Starts the stream of a step (0 for what precedes the first). Streams of different steps are unrelated.</summary>
    public void Reseed(long step)
    {
        var seed = Seed(step);
        if (_cuda) cuda.manual_seed(seed);
    }

    /// <summary>
    /// Starts the stream of a step, and has what its dropouts draw from for the calling thread alone until the result is disposed of there: all passes of the step are to be
    /// launched by then. On the CPU nothing is shared, and nobody waits.
    /// </summary>
    /// <remarks>Kernels take their numbers when they are launched: another run waits for a step's launches, and not for its computation.</remarks>
    public Drawing Draw(long step)
    {
        var drawing = new Drawing(_cuda ? Devices.GetOrAdd(_device, static _ => new Lock()) : null);
        try
        {
            Reseed(step);
            return drawing;
        }
        catch
        {
            drawing.Dispose();
            throw;
        }
    }

    private long Seed(long step)
    {
        var seed = (long)(Mix(_seed + (0x9E3779B97F4A7C15UL * (ulong)(step + 1))) >> 1);
        _generator.manual_seed(seed);
        _masks.Reseed((ulong)seed);
        (StepSeed, _sites) = ((ulong)seed, 0);
        return seed;
    }

    /// <summary>The seed of the step at hand, for kernels that draw by seed, site and place.</summary>
    internal ulong StepSeed { get; private set; }

    /// <inheritdoc/>
    public bool OwnsDevice => _cuda;

    /// <summary>Values uniform in [low, high), fp32. Drawn on the CPU whatever the device, so that a seed means the same weights everywhere.</summary>
    public Tensor Uniform(double low, double high, params long[] shape) =>
        torch.empty(shape, ScalarType.Float32).uniform_(low, high, _generator);

    /// <summary>Values normal with mean 0, fp32, drawn on the CPU.</summary>
    public Tensor Normal(double deviation, params long[] shape) =>
        torch.empty(shape, ScalarType.Float32).normal_(0, deviation, _generator);

    /// <inheritdoc/>
    public Tensor Dropout(Tensor input, double probability)
    {
        if (probability == 0) return input;
        if (_cuda) return nn.functional.dropout(input, probability, training: true);
        var keep = torch.empty(input.shape, ScalarType.Float32);
        Fill(MemoryMarshal.Cast<byte, float>(keep.bytes), probability);
        return input * (input.dtype == ScalarType.Float32 ? keep : keep.to(input.dtype));
    }

    /// <summary>Fills with 0, with a probability, or else with 1/(1−probability): what <see cref="Dropout"/> multiplies by on the CPU.</summary>
    internal void Fill(Span<float> mask, double probability) => _masks.Fill(mask, probability);

    /// <summary>Remembers where the dropouts on the CPU are; what is returned goes back there.</summary>
    public Action Mark()
    {
        var mark = _masks.Mark();
        return () => _masks.Return(mark);
    }

    /// <summary>A site that no other dropout of this step has.</summary>
    internal uint NextSite() => ++_sites;

    /// <inheritdoc/>
    public void Dispose() => _generator.Dispose();

    /// <summary>A step that draws.</summary>
    public readonly struct Drawing : IDisposable
    {
        private readonly Lock? _device;

        internal Drawing(Lock? device)
        {
            device?.Enter();
            _device = device;
        }

        /// <inheritdoc/>
        public void Dispose() => _device?.Exit();
    }

    // SplitMix64's finaliser (Steele, Lea and Flood 2014): neighbouring steps get unrelated seeds.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
