using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Ssti.Store.Files;

namespace Ssti.EngineBenchmark;

/// <summary>Hashing of files in the page cache beside <c>openssl speed</c>, in turn: on one core, then a folder on all of them.</summary>
internal static partial class HashBenchmark
{
    private const int Rounds = 7;

    public static void Run(string root, int mebibytes)
    {
        var folder = Path.Combine(root, "hash");
        Directory.CreateDirectory(folder);
        const int parts = 8;
        var bytes = new byte[mebibytes / parts * 1024 * 1024];
        for (var i = 0; i < parts; i++)
        {
            new Random(i).NextBytes(bytes);
            File.WriteAllBytes(Path.Combine(folder, $"{i}.bin"), bytes);
        }

        var files = Directory.GetFiles(folder);
        List<double> peer = [], one = [], all = [], spread = [];
        for (var round = -1; round < Rounds; round++)
        {
            // openssl speed counts its own processor time, so the file's rate is by processor time as well; opening and reading are in it.
            var openssl = OpenSsl();
            var single = Rate(bytes.LongLength * parts, () => { foreach (var file in files) FileHash.Of(file); });
            var parallel = Rate(bytes.LongLength * parts, () => FileHash.TreeOf(folder));
            if (round < 0) continue;
            peer.Add(openssl);
            one.Add(single.Cpu);
            all.Add(parallel.Cpu);
            spread.Add(parallel.Wall / single.Wall);
        }

        Console.WriteLine($"SHA-256 of {parts} files of {bytes.Length >> 20} MiB, medians of {Rounds}, in turn; load {Machine.Load()}");
        Console.WriteLine($"openssl speed sha256 (16 KiB blocks): {Sample.Middle(peer):0} MB a second of processor time");
        Console.WriteLine(
            $"one file after the other:             {Sample.Middle(one):0} MB a second of processor time, "
            + $"{Sample.Middle(one.Zip(peer, (a, b) => a / b)):0.00} of openssl");
        Console.WriteLine(
            $"a folder, files in parallel:          {Sample.Middle(all):0} MB a second of processor time, "
            + $"{Sample.Middle(all.Zip(peer, (a, b) => a / b)):0.00} of openssl; {Sample.Middle(spread):0.00} times the wall speed of one core");
        Directory.Delete(folder, recursive: true);
    }

    private static (double Cpu, double Wall) Rate(long bytes, Action work)
    {
        var before = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        work();
        return (bytes / 1e6 / (Environment.CpuUsage.TotalTime - before).TotalSeconds, bytes / 1e6 / clock.Elapsed.TotalSeconds);
    }

    private static double OpenSsl()
    {
        using var process = Process.Start(
            new ProcessStartInfo(
                "openssl", ["speed", "-seconds", "1", "-bytes", "16384", "-evp", "sha256"]) { RedirectStandardOutput = true,
                RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.Parse(Figure().Match(output).Groups[1].Value, CultureInfo.InvariantCulture) / 1000;
    }

    [GeneratedRegex(@"^sha256\s+([0-9.]+)k", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Figure();
}
