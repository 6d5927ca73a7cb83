using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ssti.Cli.Tests;

/// <summary>Starts the program as a user does, with its real stage kinds, and sends it signals.</summary>
internal static class SstiProcess
{
    public const int Interruption = 2;
    public const int Termination = 15;

    // The runtime that runs this test, whatever the PATH says.
    private static string Runtime { get; } = Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet";

    public static Process Start(string folder, string[] arguments, params (string Name, string Value)[] environment) => Start(folder, arguments, input: false, environment);

    /// <summary>The same, with a standard input to write to.</summary>
    public static Process Start(string folder, string[] arguments, bool input, params (string Name, string Value)[] environment) =>
        Start(Runtime, folder, [Path.Combine(AppContext.BaseDirectory, "ssti.dll"), .. arguments], environment, input);

    /// <summary>Runs it as another user, with that user's group and a umask: only the superuser can.</summary>
    public static async Task<(int Code, string Out, string Error)> RunAsAsync(int user, int group, string umask, string folder, string[] arguments,
        params (string Name, string Value)[] environment)
    {
        string[] asUser = ["-c", $"umask {umask}; exec setpriv --reuid={user} --regid={group} --clear-groups \"$@\"", "sh",
            Runtime, Path.Combine(AppContext.BaseDirectory, "ssti.dll"), .. arguments];
        using var process = Start("/bin/sh", folder, asUser, [("HOME", folder), .. environment]);
        return await AnswerAsync(process);
    }

    private static Process Start(string program, string folder, string[] arguments, (string Name, string Value)[] environment, bool input = false)
    {
        var info = new ProcessStartInfo(program) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = input };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) info.Environment[name] = value;
        HeedInterrupts();
        return Process.Start(info)!;
    }

    public static async Task<(int Code, string Out, string Error)> RunAsync(string folder, string[] arguments, params (string Name, string Value)[] environment)
    {
        using var process = Start(folder, arguments, environment);
        return await AnswerAsync(process);
    }

    private static async Task<(int Code, string Out, string Error)> AnswerAsync(Process process)
    {
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await error);
    }

    /// <summary>What Ctrl-C sends.</summary>
    public static void Interrupt(Process process) => Send(process, Interruption);

    /// <summary>Sends a signal.</summary>
    public static void Send(Process process, int signal) => Assert.Equal(0, kill(process.Id, signal));

    // A shell hands SIGINT to what '&' starts as ignored, that is handed down from process to process, and a program that finds it so leaves it so.
    // Here it is to be heeded wherever these tests were started from; nothing is changed where nothing was ignored.
    private static void HeedInterrupts()
    {
        if (!OperatingSystem.IsLinux()) return;
        var ignored = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..].Trim();
        if ((ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (Interruption - 1) & 1) == 1) _ = signal(Interruption, 0);
    }

    [DllImport("libc")]
    private static extern int kill(int process, int signal);

    [DllImport("libc")]
    private static extern nint signal(int signal, nint handler);
}
