using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ssti.EngineBenchmark;

/// <summary>How busy a machine was, and what a process took.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();
        return $"{model}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, .NET {Environment.Version}, load {Load()}";
    }

    public static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    /// <summary>Runs a process under GNU time; its output is thrown away. A failure ends the benchmark.</summary>
    public static Sample Time(string folder, params string[] command)
    {
        var figures = Path.Combine(Path.GetTempPath(), $"ssti-time-{Guid.NewGuid():n}");
        var start = new ProcessStartInfo("/usr/bin/time") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-o", figures, "-f", "%U %S %M", .. command]) start.ArgumentList.Add(argument);
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        var wall = clock.Elapsed.TotalSeconds;
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {errors}");
        var parts = File.ReadAllText(figures).Split(' ');
        File.Delete(figures);
        return new Sample(wall, Number(parts[0]) + Number(parts[1]), Number(parts[2]) / 1024);
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>What one run of a process took.</summary>
/// <param name="Wall">Seconds of wall time.</param>
/// <param name="Cpu">Seconds of processor time, user and system.</param>
/// <param name="Memory">MiB of memory at its peak (maximum resident set).</param>
internal sealed record Sample(double Wall, double Cpu, double Memory)
{
    public static Sample Median(IReadOnlyCollection<Sample> samples) =>
        new(Middle(samples.Select(s => s.Wall)), Middle(samples.Select(s => s.Cpu)), Middle(samples.Select(s => s.Memory)));

    public static double Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
