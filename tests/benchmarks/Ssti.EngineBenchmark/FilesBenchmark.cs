using System.Diagnostics;
using Ssti.Engine.Running;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.EngineBenchmark;

/// <summary>A stage's output of many small files: taken into the store (hashed, renamed, flushed to the disk) and written out again.</summary>
internal static class FilesBenchmark
{
    private const int Rounds = 5;
    private const int Size = 2000;

    public static async Task RunAsync(string root, int count)
    {
        List<double> stored = [], storedCpu = [], restored = [], restoredCpu = [], copied = [];
        for (var round = -1; round < Rounds; round++)
        {
            var folder = Path.Combine(root, "files");
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            var store = new FileStore(Path.Combine(folder, "store"));
            var output = Path.Combine(folder, "store", "work", "out");
            Write(output, count, new Random(round));
            Machine.Time(folder, "sync");
            Tree? tree = null;
            var take = await MeasureAsync(async () => tree = await store.IngestAsync(output));
            var export = await MeasureAsync(() => Exporter.ExportAsync(store, tree!.Digest, Path.Combine(folder, "out"), overwrite: false));
            // The yardstick for restoring: the same files copied by coreutils.
            var copy = Machine.Time(folder, "cp", "-r", "out", "copy");
            if (round < 0) continue;
            stored.Add(count / take.Wall);
            storedCpu.Add(count / take.Cpu);
            restored.Add(count / export.Wall);
            restoredCpu.Add(count / export.Cpu);
            copied.Add(count / copy.Wall);
        }

        Console.WriteLine($"{count} files of {Size} bytes in 100 folders, medians of {Rounds}; load {Machine.Load()}; {root} is on {Disk(root)}");
        Console.WriteLine($"stored:   {Sample.Middle(stored),8:0} files/s of wall time ({stored.Min():0} to {stored.Max():0}), {Sample.Middle(storedCpu):0} of processor time");
        Console.WriteLine(
            $"restored: {Sample.Middle(restored),8:0} files/s of wall time ({restored.Min():0} to {restored.Max():0}), "
            + $"{Sample.Middle(restoredCpu):0} of processor time");
        Console.WriteLine($"cp -r:    {Sample.Middle(copied),8:0} files/s of wall time");
    }

    private static void Write(string folder, int count, Random random)
    {
        var bytes = new byte[Size];
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(bytes);
            var path = Path.Combine(folder, $"part-{i % 100}", $"{i}.bin");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
        }
    }

    private static async Task<(double Wall, double Cpu)> MeasureAsync(Func<Task> work)
    {
        var before = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        await work();
        return (clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private static string Disk(string path) =>
        DriveInfo.GetDrives().Where(d => path.StartsWith(d.Name, StringComparison.Ordinal)).MaxBy(d => d.Name.Length)?.DriveFormat ?? "unknown";
}
