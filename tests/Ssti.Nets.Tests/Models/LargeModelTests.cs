using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>Tests that measure the whole process's memory: nothing else of it may run meanwhile.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;

/// <summary>
/// A model as large as <c>SSTI_LARGE_MODEL_MB</c> says (96 MB without it) is loaded with little more memory than its weights take. Measured by the kernel: VmHWM, the
/// largest resident size, reset before the load.
/// </summary>
[Collection(nameof(MeasuredAlone))]
public sealed class LargeModelTests(ITestOutputHelper output) : IDisposable
{
    private const long Mega = 1 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti large ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void A_sharded_model_is_loaded_without_a_second_copy_in_memory(ScalarType stored)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && CanReset(), "needs Linux's /proc/self/clear_refs");
        var size = long.Parse(Environment.GetEnvironmentVariable("SSTI_LARGE_MODEL_MB") ?? "96", CultureInfo.InvariantCulture) * Mega;
        var config = Write(size, stored);
        var weights = config.Tensors().Sum(tensor => tensor.Shape.Aggregate(2L, (product, width) => product * width));
        Settle();
        File.WriteAllText("/proc/self/clear_refs", "5");
        var before = Status("VmRSS");

        using var scope = NewDisposeScope();
        using var trunk = config.Build(Weights.Encoder(config, ModelWeights.Open(_folder), CPU, ScalarType.BFloat16));

        var peak = Status("VmHWM") - before;
        output.WriteLine($"{Directory.GetFiles(_folder, "*.safetensors").Length} shards of {stored}: {weights / Mega} MB in bf16, "
            + $"peak {peak / Mega} MB over the {before / Mega} MB before, {(Status("VmRSS") - before) / Mega} MB after");
        // A piece of 1 MB on its way, page tables, and what libtorch's allocator rounds up; less where it has room left from tests before.
        Assert.InRange(peak, weights / 2, (weights * 21 / 20) + (48 * Mega));
        var ids = arange(8, ScalarType.Int64).view(1, 8);
        Assert.True(trunk.Forward(ids, ones_like(ids), ForwardPass.Plain).isfinite().all().item<bool>());
    }

    // Shards of a few tensors each, written one after the other so that making the model takes little memory as well.
    private LlamaConfig Write(long bytes, ScalarType stored)
    {
        var config = new LlamaConfig(32000, 1024, 1, 16, 4, 64, 4096, 64, new RopeSettings(500000), TieWordEmbeddings: true);
        long Count(LlamaConfig shape) => shape.Tensors().Sum(tensor => tensor.Shape.Aggregate(2L, (product, width) => product * width));
        var layer = Count(config with { Layers = 2 }) - Count(config);
        config = config with { Layers = (int)Math.Max(1, (bytes - Count(config)) / layer + 1) };
        var map = new JsonObject();
        // The same numbers for every tensor: they are not looked at, and to draw a gigabyte takes longer than to load it.
        using var outer = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var numbers = random.Normal(0.02, config.Tensors().Max(tensor => tensor.Shape.Aggregate(1L, (product, width) => product * width))).to(stored);
        foreach (var (shard, number) in config.Tensors().Chunk(16).Select((shard, number) => (shard, number)))
        {
            using var scope = NewDisposeScope();
            var file = $"model-{number:00000}.safetensors";
            SafetensorsFile.Write(
                Path.Combine(_folder, file), shard.ToDictionary(tensor => tensor.Name, tensor =>
                    numbers.narrow(0, 0, tensor.Shape.Aggregate(1L, (product, width) => product * width)).view(tensor.Shape)));
            foreach (var (name, _) in shard) map[name] = file;
        }

        File.WriteAllText(Path.Combine(_folder, ModelWeights.Index), new JsonObject { ["weight_map"] = map }.ToJsonString());
        return config;
    }

    private static void Settle()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        // What was freed and is still the process's would be used again, and nothing of it be seen.
        Trim(0);
    }

    [DllImport("libc", EntryPoint = "malloc_trim")]
    private static extern int Trim(nint padding);

    private static bool CanReset()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static long Status(string key) => long.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith(key + ":", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024;
}
