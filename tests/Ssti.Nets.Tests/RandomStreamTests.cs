using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests;

public sealed class RandomStreamTests
{
    [Fact]
    public void Masks_are_those_of_eight_scalar_generators_side_by_side()
    {
        var masks = new KeepMask();
        masks.Reseed(42);
        var actual = new float[8 * 50];
        masks.Fill(actual, 0.3);

        var expected = new float[actual.Length];
        var words = Enumerable.Range(1, 16).Select(i => Mix(42 + (ulong)i * 0x9E3779B97F4A7C15UL)).SelectMany(w => (uint[])[(uint)w, (uint)(w >> 32)]).ToArray();
        for (var lane = 0; lane < 8; lane++)
        {
            uint[] s = [words[lane], words[8 + lane], words[16 + lane], words[24 + lane]];
            for (var i = 0; i < 50; i++)
            {
                var draw = uint.RotateLeft(s[0] + s[3], 7) + s[0];
                expected[8 * i + lane] = (int)draw < int.MinValue + 0.7 * 4294967296.0 ? (float)(1 / 0.7) : 0;
                var t = s[1] << 9;
                s[2] ^= s[0];
                s[3] ^= s[1];
                s[1] ^= s[2];
                s[0] ^= s[3];
                s[2] ^= t;
                s[3] = uint.RotateLeft(s[3], 11);
            }
        }

        Assert.Equal(expected, actual);
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public void The_share_that_is_dropped_is_the_probability_within_five_standard_errors(double probability)
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(7, CPU);
        const int count = 1_000_003; // not a multiple of the vector's width

        var dropped = random.Dropout(ones(count), probability);

        Assert.InRange(dropped.eq(0).sum().item<long>() / (double)count, probability - Error(probability, count), probability + Error(probability, count));
        Assert.Equal((float)(1 / (1 - probability)), dropped.max().item<float>());
    }

    [Fact]
    public void A_run_holds_the_generator_of_its_GPU_and_of_no_other_and_none_on_the_CPU()
    {
        using var first = new RandomStream(1, new Device(DeviceType.CUDA, 0));
        // 'cuda' without a number is the first.
        using var second = new RandomStream(2, new Device(DeviceType.CUDA));
        using var other = new RandomStream(3, new Device(DeviceType.CUDA, 1));
        using var here = new RandomStream(4, CPU);
        Thread waiting;
        using (first.Hold())
        {
            foreach (var free in new[] { other, here }) Assert.True(Holding(free).Join(TimeSpan.FromSeconds(20)));
            waiting = Holding(second);
            Assert.False(waiting.Join(TimeSpan.FromMilliseconds(200)));
        }

        Assert.True(waiting.Join(TimeSpan.FromSeconds(20)));

        static Thread Holding(RandomStream stream)
        {
            var thread = new Thread(() =>
            {
                using var held = stream.Hold();
            }) { IsBackground = true };
            thread.Start();
            return thread;
        }
    }

    [Fact]
    public void A_step_draws_the_same_however_it_was_reached_and_otherwise_than_its_neighbours()
    {
        using var scope = NewDisposeScope();
        using var first = new RandomStream(7, CPU);
        using var second = new RandomStream(7, CPU);
        first.Reseed(1);
        first.Dropout(ones(100), 0.5);
        first.Reseed(2);
        var straight = (first.Dropout(ones(1000), 0.5), first.Dropout(ones(1000), 0.5));
        second.Reseed(2);

        Assert.Equal(straight.Item1.data<float>(), second.Dropout(ones(1000), 0.5).data<float>());
        Assert.NotEqual(straight.Item1.data<float>(), straight.Item2.data<float>());
        second.Reseed(3);
        Assert.NotEqual(straight.Item1.data<float>(), second.Dropout(ones(1000), 0.5).data<float>());
    }

    [Fact]
    public void Other_seeds_drop_other_values()
    {
        using var scope = NewDisposeScope();
        using var first = new RandomStream(1, CPU);
        using var second = new RandomStream(2, CPU);
        var both = (first.Dropout(ones(100_000), 0.5) * second.Dropout(ones(100_000), 0.5)).ne(0).sum().item<long>() / 1e5;

        Assert.InRange(both, 0.25 - Error(0.25, 100_000), 0.25 + Error(0.25, 100_000));
    }

    [Fact]
    public void The_global_generator_is_never_touched()
    {
        using var scope = NewDisposeScope();
        var before = torch.get_rng_state().clone();
        using var random = new RandomStream(1, CPU);

        random.Dropout(ones(64), 0.5);
        random.Uniform(0, 1, 64);
        random.Normal(1, 64);

        Assert.Equal(before.bytes.ToArray(), torch.get_rng_state().bytes.ToArray());
    }

    [Fact]
    public void Gradients_are_dropped_where_values_are()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var input = ones(1000).requires_grad_(true);

        var output = random.Dropout(input, 0.25);
        output.sum().backward();

        Assert.Equal(output.detach().data<float>(), input.grad!.data<float>());
    }

    [Fact]
    public void Without_a_probability_the_input_itself_comes_back()
    {
        using var random = new RandomStream(1, CPU);
        using var input = ones(3, ScalarType.BFloat16);

        Assert.Same(input, random.Dropout(input, 0));
        using var dropped = random.Dropout(input, 0.5);
        Assert.Equal(ScalarType.BFloat16, dropped.dtype);
    }

    private static double Error(double share, int count) => 5 * Math.Sqrt(share * (1 - share) / count);

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
