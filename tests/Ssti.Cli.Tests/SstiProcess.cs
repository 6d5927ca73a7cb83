using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Ssti.Cli.Tests;

/// <summary>Starts the program as a user does, with its real stage kinds, and sends it signals.</summary>
internal static class SstiProcess
{
    public static Process Start(string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        // The runtime that runs this test, whatever the PATH says.
        var info = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet")
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "ssti.dll"));
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        return Process.Start(info)!;
    }

    public static async Task<(int Code, string Out, string Error)> RunAsync(string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(folder, arguments, environment);
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await error);
    }

    /// <summary>What Ctrl-C sends.</summary>
    public static void Interrupt(Process process) => Assert.Equal(0, kill(process.Id, 2));

    [DllImport("libc")]
    private static extern int kill(int process, int signal);
}
