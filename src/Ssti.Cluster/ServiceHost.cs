using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Ssti.Engine.Stages;
using Ssti.Telemetry;

namespace Ssti.Cluster;

/// <summary>A service of the cluster as a process: a silo that hosts some kinds of stage, and HTTP endpoints that say how it is.</summary>
public static class ServiceHost
{
    /// <summary>Runs a service until it is told to stop; returns the process's exit code.</summary>
    /// <param name="args">The command line, one source of configuration.</param>
    /// <param name="service">The service's name, such as <c>training</c>.</param>
    /// <param name="kinds">Makes the kinds of stage it hosts.</param>
    /// <param name="probe">Looks at the machine.</param>
    public static async Task<int> RunAsync(string[] args, string service, Func<IReadOnlyList<IStageKind>> kinds, IComputeProbe probe)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddSstiTelemetry(service);
        builder.Services.AddHealthChecks();
        var app = builder.Build();
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") });
        await app.RunAsync().ConfigureAwait(false);
        return 0;
    }
}
