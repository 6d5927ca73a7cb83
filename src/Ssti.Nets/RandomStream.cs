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
/// this stream's own, because several runs train at once in one process. On CUDA dropouts draw from the device's only generator, so that fused
/// kernels with dropout can be used: it is kept from other runs as long as a pass draws (<see cref="Hold"/>).
/// </remarks>
public sealed class RandomStream : IDropouts, IDisposable
{
    private readonly ulong _seed;
    private readonly Generator _generator;
    private readonly KeepMask _masks = new();
    private readonly Device _device;
    private readonly bool _cuda;
    private uint _sites;
    private bool _held;

    /// <summary>A stream on a device.</summary>
    public RandomStream(long seed, Device device)
    {
        (_seed, _device) = ((ulong)seed, device);
        _cuda = device.type == DeviceType.CUDA;
        _generator = new Generator((ulong)seed);
        Reseed(0);
    }

    /// <summary>Starts the stream of a step (0 for what precedes the first). Streams of different steps are unrelated.</summary>
    public void Reseed(long step)
    {
        var seed = (long)(Mix(_seed + (0x9E3779B97F4A7C15UL * (ulong)(step + 1))) >> 1);
        _generator.manual_seed(seed);
        _masks.Reseed((ulong)seed);
        (StepSeed, _sites) = ((ulong)seed, 0);
    }

    /// <summary>
    /// Lets the passes of the step at hand draw from the device's generator, from the step's beginning on, and keeps other runs from it until what is returned is
    /// disposed of, by the same thread. On the CPU nothing: null.
    /// </summary>
    public IDisposable? Hold()
    {
        if (!_cuda) return null;
        var held = CudaGenerator.Seed(_device, StepSeed);
        _held = true;
        return new Release(() =>
        {
            _held = false;
            held.Dispose();
        });
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
    /// <exception cref="InvalidOperationException">On a GPU, whose generator is not held.</exception>
    public Tensor Dropout(Tensor input, double probability)
    {
        if (probability == 0) return input;
        if (_cuda && !_held) throw new InvalidOperationException("the GPU's generator is not held: another run may draw from it, and this one would not repeat");
        if (_cuda) return nn.functional.dropout(input, probability, training: true);
        var keep = torch.empty(input.shape, ScalarType.Float32);
        Fill(MemoryMarshal.Cast<byte, float>(keep.bytes), probability);
        return input * (input.dtype == ScalarType.Float32 ? keep : keep.to(input.dtype));
    }

    /// <summary>Fills with 0, with a probability, or else with 1/(1−probability): what <see cref="Dropout"/> multiplies by on the CPU.</summary>
    internal void Fill(Span<float> mask, double probability) => _masks.Fill(mask, probability);

    /// <summary>Remembers where the dropouts on the CPU and those of kernels of our own are; what is returned goes back there.</summary>
    public Action Mark()
    {
        var (mark, sites) = (_masks.Mark(), _sites);
        return () =>
        {
            _masks.Return(mark);
            _sites = sites;
        };
    }

    /// <summary>The site of the last dropout of this step; 0 before the first.</summary>
    public uint Site => _sites;

    /// <summary>A site that no other dropout of this step has.</summary>
    internal uint NextSite() => ++_sites;

    /// <summary>The seed of a generator that serves one dropout of this step alone.</summary>
    internal ulong SeedOf(uint site) => Mix(StepSeed + (0x9E3779B97F4A7C15UL * site)) >> 1;

    /// <inheritdoc/>
    public void Dispose() => _generator.Dispose();

    // SplitMix64's finaliser (Steele, Lea and Flood 2014): neighbouring steps get unrelated seeds.
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    private sealed class Release(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
