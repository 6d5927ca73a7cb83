using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace Ssti.AppHost;

/// <summary>
/// What this machine offers to run the services on. A container without an engine stays unhealthy, and whoever waits for it waits for ever; so that is
/// found out before anything is started.
/// </summary>
/// <param name="Kind">What is used.</param>
/// <param name="Notice">One line that says what it is, and why it is not containers.</param>
/// <param name="RedisServer">The program, where that is used.</param>
internal sealed record Surroundings(SurroundingsKind Kind, string Notice, string? RedisServer = null)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Containers, whatever the machine has.</summary>
    public static Surroundings Containers { get; } = new(SurroundingsKind.Containers, "containers are asked for: the services use Redis and MinIO in them");

    /// <summary>Looks at the machine. <c>--containers false</c> does without containers although there are some, <c>true</c> insists on them.</summary>
    public static Surroundings Find(IConfiguration configuration)
    {
        var wanted = configuration.GetValue<bool?>("containers");
        if (wanted is true) return Containers;
        if (wanted is null && Engine(configuration) is { } engine) return Containers with { Notice = $"{engine} answers: the services use Redis and MinIO in containers" };
        var why = wanted is false ? "containers are switched off" : "no container engine answers";
        var redis = configuration.GetValue("redis-server", true) ? OnPath("redis-server") : null;
        return redis is not null
            ? new(SurroundingsKind.RedisServer, $"{why}: the services use {redis}, and a folder for artifacts", redis)
            : new(SurroundingsKind.Alone, $"{why}, and there is no redis-server: the services cluster among themselves on this machine, with a folder for artifacts");
    }

    /// <summary>The folder of artifacts, and of what runs leave on this machine: the same that <c>ssti</c> uses.</summary>
    public static string Store(IConfiguration configuration, string root) =>
        Path.GetFullPath(configuration["SSTI_STORE"] is { Length: > 0 } named ? named : ".ssti", root);

    /// <summary>A TCP port that is free now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // The same engine that Aspire would use: the one that is named, else Docker, else Podman.
    private static string? Engine(IConfiguration configuration)
    {
        var named = configuration["ASPIRE_CONTAINER_RUNTIME"] ?? configuration["DOTNET_ASPIRE_CONTAINER_RUNTIME"];
        return (string.IsNullOrEmpty(named) ? ["docker", "podman"] : new[] { named }).FirstOrDefault(engine => Succeeds(engine, "info"));
    }

    private static bool Succeeds(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(Patience)) return process.ExitCode == 0;
            process.Kill();
            return false;
        }
        catch (Win32Exception)
        {
            return false; // there is no such program
        }
    }

    private static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program)).FirstOrDefault(File.Exists);
}
