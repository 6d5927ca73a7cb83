using System.Diagnostics;

namespace Ssti.Telemetry.Tests;

/// <summary>The program as a user starts it, in a folder of its own.</summary>
internal sealed class Program : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(4);

    public string Folder { get; } = Directory.CreateTempSubdirectory("ssti-telemetry-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public void Write(string name, string text) => File.WriteAllText(Path.Combine(Folder, name), text.ReplaceLineEndings("\n"));

    /// <summary>Runs it to its end.</summary>
    public async Task<(int Code, string Out, string Error)> RunAsync(string[] arguments, (string Name, string Value)[] environment, string? program = null)
    {
        using var process = Start(arguments, environment, program);
        using var limit = new CancellationTokenSource(Longest);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output, await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    public Process Start(string[] arguments, (string Name, string Value)[] environment, string? program = null)
    {
        var info = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet")
        {
            WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        info.ArgumentList.Add(program ?? Path.Combine(AppContext.BaseDirectory, "ssti.dll"));
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        // Whatever the machine that tests run on exports is not what is looked at here.
        foreach (var name in info.Environment.Keys.Where(name => name.StartsWith("OTEL_", StringComparison.Ordinal)).ToList()) info.Environment.Remove(name);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        return Process.Start(info)!;
    }
}
