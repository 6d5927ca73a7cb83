using System.Diagnostics;
using System.Text;

namespace Ssti.Faults.Tests;

/// <summary>A 60-stage pipeline in a folder of its own, and processes that run it.</summary>
internal sealed class Victim : IDisposable
{
    public Victim(string suffix = "")
    {
        Folder = Path.Combine(Path.GetTempPath(), "ssti-faults-" + Guid.NewGuid().ToString("n")[..12] + suffix);
        Directory.CreateDirectory(Folder);
        Store = Path.Combine(Folder, "store");
        // 12 sources, four layers of 11 that each take two of the layer before, and one cell of three that takes all, one last: 60.
        var yaml = new StringBuilder("name: sixty\nseed: 40\nstages:\n");
        for (var i = 0; i < 12; i++) yaml.Append($"  s0-{i}: {{ uses: make, with: {{ milliseconds: {i % 4 * 3}, size: {1000 * (i + 1)} }} }}\n");
        for (var layer = 1; layer <= 4; layer++)
            for (var i = 0; i < 11; i++) yaml.Append($"  s{layer}-{i}: {{ uses: mix, needs: {{ parts: [s{layer - 1}-{i}, s{layer - 1}-{(i + 1) % 11}] }} }}\n");
        yaml.Append($"  all: {{ uses: mix, matrix: {{ n: [1, 2, 3] }}, needs: {{ parts: [{string.Join(", ", Enumerable.Range(0, 11).Select(i => $"s4-{i}"))}] }} }}\n");
        yaml.Append("  last: { uses: mix, needs: { parts: all } }\n");
        Pipeline = Write("sixty.yaml", yaml.ToString());
    }

    public string Folder { get; }

    public string Store { get; set; }

    public string Pipeline { get; set; }

    public string Executions => Path.Combine(Folder, "executions");

    public string Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    public Process Start(string? clock = null)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["DOTNET_TieredPGO"] = "0";
        if (clock is not null) start.Environment["SSTI_FAULTS_CLOCK"] = clock;
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Ssti.Faults.Host.dll"), Pipeline, Store, Executions]) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    public async Task<Outcome> Run(string? clock = null) => await Outcome.Of(Start(clock));

    /// <summary>Keeps the store as it is now.</summary>
    public void KeepCopy() => Copy(Store, Store + ".kept");

    /// <summary>Begins with the store that another kept.</summary>
    public void TakeCopyOf(Victim other) => Copy(other.Store + ".kept", Store);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.GetDirectories(from, "*", SearchOption.AllDirectories)) Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }
}

/// <summary>How a process ended, and what it said.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public static async Task<Outcome> Of(Process process)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return new Outcome(process.ExitCode, await output, await error);
        }
    }

    /// <summary>Instance and tree of every stage, in order of name.</summary>
    public IReadOnlyList<string> Trees => [.. Stages.Select(s => $"{s[1]} {s[3]}").Order(StringComparer.Ordinal)];

    public IEnumerable<string> Done => Stages.Where(s => s[2] == "Done").Select(s => s[1]);

    private IEnumerable<string[]> Stages => Output.Split('\n').Where(l => l.StartsWith("stage ", StringComparison.Ordinal)).Select(l => l.Split(' '));
}
