using System.Globalization;

namespace Ssti.Training.Banks;

/// <summary>Measures what some work takes of the memory that it computes in.</summary>
internal interface IDeviceMemory
{
    /// <summary>The work begins.</summary>
    void Begin();

    /// <summary>The work is over: how many bytes more than before it held at its height, and how many are free now; null where that cannot be known.</summary>
    (long Taken, long Free)? End();
}

/// <summary>The memory of this process, as Linux counts it: proc(5).</summary>
/// <remarks>Other stages of the process count, too: what they take meanwhile is measured with the work, and what they give back is missing.</remarks>
internal sealed class ProcessMemory : IDeviceMemory
{
    private const string Status = "/proc/self/status", Machine = "/proc/meminfo", Reset = "/proc/self/clear_refs";

    private long _before;

    private ProcessMemory()
    {
    }

    /// <summary>That of this process; null where there is no such counting.</summary>
    public static ProcessMemory? Here() => File.Exists(Reset) && Kibibytes(Status, "VmHWM:") is not null && Kibibytes(Machine, "MemAvailable:") is not null ? new() : null;

    /// <inheritdoc/>
    public void Begin()
    {
        try
        {
            // Sets the peak to what is held now.
            File.WriteAllText(Reset, "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then the peak is an older one, perhaps: more than was taken.
        }

        _before = Kibibytes(Status, "VmRSS:") ?? 0;
    }

    /// <inheritdoc/>
    public (long Taken, long Free)? End()
    {
        if (Kibibytes(Status, "VmHWM:") is not { } peak || Kibibytes(Machine, "MemAvailable:") is not { } available) return null;
        // A container's bound is the runtime's, too.
        var bound = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - (Kibibytes(Status, "VmRSS:") ?? 0) * 1024;
        return (Math.Max(0, peak - _before) * 1024, Math.Max(0, Math.Min(available * 1024, bound)));
    }

    private static long? Kibibytes(string file, string name)
    {
        if (!File.Exists(file)) return null;
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? null : long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
