using Ssti.Nets.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Native;

public sealed class CudaDriverTests
{
    [Fact]
    public void GPUs_are_numbered_as_the_driver_shows_them()
    {
        var all = CudaDriver.All();
        Assert.Equal(Enumerable.Range(0, all.Count), all.Select(gpu => gpu.Number));
        Assert.Equal(all.Count > 0 ? all[0] : null, CudaDriver.Find());
    }

    [Fact]
    public void A_GPU_that_is_not_there_is_refused_by_its_number() =>
        Assert.StartsWith("GPU 999 cannot be used: ", Assert.Throws<LibTorchException>(() => CudaDriver.Use(999)).Message);

    [SkippableFact]
    public void Two_GPUs_draw_the_same_for_a_seed_whatever_the_other_draws_meanwhile()
    {
        Skip.IfNot(LibTorch.Locate().HasCuda && CudaDriver.All().Count >= 2, "two GPUs, and a libtorch that can use them, are needed");
        LibTorch.Ensure();
        var (first, second) = (Draw(0, static () => { }), Draw(1, static () => { }));
        var disturbed = Draw(1, static () => OnThread(static () =>
        {
            CudaDriver.Use(0);
            using var other = new RandomStream(9, new Device(DeviceType.CUDA, 0));
            other.Reseed(5);
            using var held = other.Hold();
            using var drawn = other.Dropout(ones(64, device: new Device(DeviceType.CUDA, 0)), 0.5);
        }));

        Assert.Equal(first, second);
        Assert.Equal(second, disturbed);
        Assert.Contains(0f, second);
        Assert.Contains(2f, second);
    }

    [SkippableFact]
    public void Runs_that_share_a_GPU_draw_what_each_draws_alone()
    {
        Skip.IfNot(LibTorch.Locate().HasCuda && CudaDriver.All().Count >= 1, "a GPU, and a libtorch that can use it, are needed");
        LibTorch.Ensure();
        var alone = Enumerable.Range(0, 4).Select(seed => Steps(seed)).ToArray();
        var beside = new float[4][];
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(seed => new Thread(() => beside[seed] = Steps(seed)))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal(alone, beside);

        static float[] Steps(int seed)
        {
            CudaDriver.Use(0);
            var device = new Device(DeviceType.CUDA, 0);
            using var stream = new RandomStream(seed, device);
            var values = new List<float>();
            for (var step = 1; step <= 50; step++)
            {
                using var scope = NewDisposeScope();
                stream.Reseed(step);
                using var held = stream.Hold();
                for (var layer = 0; layer < 8; layer++) values.AddRange(stream.Dropout(ones(256, device: device), 0.5).cpu().data<float>().ToArray());
            }

            return [.. values];
        }
    }

    // As a training on one of several GPUs does: on a thread of its own, with that GPU made the thread's.
    private static float[] Draw(int gpu, Action between)
    {
        float[] values = [];
        OnThread(() =>
        {
            CudaDriver.Use(gpu);
            using var scope = NewDisposeScope();
            var device = new Device(DeviceType.CUDA, gpu);
            using var stream = new RandomStream(7, device);
            stream.Reseed(3);
            using var held = stream.Hold();
            between();
            values = stream.Dropout(ones(4096, device: device), 0.5).cpu().data<float>().ToArray();
        });
        return values;
    }

    private static void OnThread(Action work)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(work));
        thread.Start();
        thread.Join();
        if (failure is not null) throw failure;
    }
}
