using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Ssti.Cluster.Security;
using Ssti.Cluster.Silo;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Telemetry;
using StackExchange.Redis;

namespace Ssti.Cluster;

/// <summary>A service of the cluster as a process: a silo that hosts some kinds of stage, and HTTP endpoints that say how it is.</summary>
public static class ServiceHost
{
    private const int Failed = 1;

    // Quiet by default; appsettings, environment and command line come after, and may say otherwise.
    private static readonly Dictionary<string, string?> Defaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        ["Logging:LogLevel:Polly"] = "Warning",
        ["Logging:LogLevel:Orleans"] = "Warning",
        // Advice on garbage collection, and surprise at clocks of a machine that slept.
        ["Logging:LogLevel:Orleans.Runtime.Silo"] = "Error",
        ["Logging:LogLevel:Orleans.Runtime.Watchdog"] = "Error",
        // Why a connection came to nothing is told in one line, and not with the stack of whoever refused it.
        ["Logging:LogLevel:Orleans.Connections.Security"] = "None",
        ["Logging:LogLevel:Orleans.Runtime.Messaging.ConnectionManager"] = "Error",
    };

    /// <summary>Runs a service until it is told to stop; returns the process's exit code.</summary>
    /// <param name="args">The command line, one source of configuration.</param>
    /// <param name="service">The service's name, such as <c>training</c>.</param>
    /// <param name="kinds">Makes the kinds of stage it hosts.</param>
    /// <param name="probe">Looks at the machine.</param>
    public static async Task<int> RunAsync(string[] args, string service, Func<IReadOnlyList<IStageKind>> kinds, IComputeProbe probe)
    {
        ConnectionNotes? notes = null;
        try
        {
            await using var app = Build(args, service, kinds(), probe);
            var guard = app.Services.GetRequiredService<ConnectionGuard>();
            notes = guard.Notes;
            var settings = app.Services.GetRequiredService<ClusterSettings>();
            if (guard.IsTls && settings.Redis is not null) await Knock.AskAsync(app.Services.GetRequiredService<IMembershipTable>(), guard).ConfigureAwait(false);
            else if (guard.IsTls && settings.Primary is { } primary) await Knock.AskAsync([primary], guard).ConfigureAwait(false);
            await app.RunAsync().ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is ClusterException or StoreException or StageException or IOException or SocketException)
        {
            await Console.Error.WriteLineAsync($"ssti {service}: {e.Message}").ConfigureAwait(false);
            return Failed;
        }
        catch (RedisException e)
        {
            await Console.Error.WriteLineAsync($"ssti {service}: Redis {RedisGate.Refusal(e) ?? $"cannot be used: {e.Message}"}").ConfigureAwait(false);
            return Failed;
        }
        catch (OrleansException e)
        {
            // A silo that lives and cannot be reached from here, above all; it stands in the message.
            await Console.Error.WriteLineAsync($"ssti {service}: cannot join the cluster: {notes?.LastRefusal ?? e.Message}").ConfigureAwait(false);
            return Failed;
        }
    }

    /// <summary>Puts a service together.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="service">The service's name.</param>
    /// <param name="kinds">The kinds of stage it hosts.</param>
    /// <param name="probe">Looks at the machine.</param>
    /// <param name="configure">Adds to it before it is built.</param>
    /// <exception cref="ClusterException">Its configuration is wrong, or Redis cannot be reached.</exception>
    /// <exception cref="StoreException">The store's settings are wrong.</exception>
    public static WebApplication Build(
        string[] args, string service, IReadOnlyList<IStageKind> kinds, IComputeProbe probe, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
        builder.AddSstiTelemetry(service);
        configure?.Invoke(builder);
        var settings = ClusterSettings.From(builder.Configuration);
        if (settings.Redis is { } redis) RedisGate.WaitFor(redis, writesTo: SiloComposition.Members(settings.ClusterId));
        var duties = new SiloDuties(service, kinds, probe, settings.Gpus);
        string? warning = null;
        builder.UseOrleans(silo => warning = silo.Use(settings, duties));
        builder.Services.AddSingleton(settings).AddSingleton(duties)
            .AddSingleton(ClusterStore.Open(settings)).AddSingleton(TimeProvider.System).AddSingleton<SiloWorker>();
        // After the silo's own service, and so stopped before it: work is handed back while the silo still answers.
        builder.Services.AddHostedService(services => services.GetRequiredService<SiloWorker>());
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(40));
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]).AddCheck<SiloHealth>("silo");
        var app = builder.Build();
        var notes = app.Services.GetRequiredService<ConnectionGuard>().Notes;
        notes.WriteTo(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Ssti.Cluster.Connections"));
        if (warning is not null) notes.Tell(warning);
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        return app;
    }
}
