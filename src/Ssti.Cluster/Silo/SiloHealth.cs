using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ssti.Cluster.Silo;

/// <summary>Well: the silo takes part in the cluster (the roster answered lately), and takes work.</summary>
internal sealed class SiloHealth(SiloWorker worker, SiloDuties duties) : IHealthCheck
{
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(15);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        worker.IsDraining ? HealthCheckResult.Unhealthy("stopping: what ran is handed back")
        : worker.SinceHeard > Late ? HealthCheckResult.Unhealthy($"out of touch with the cluster for {worker.SinceHeard.TotalSeconds:0} s")
        : duties.Problem is { } problem ? HealthCheckResult.Degraded(problem)
        : HealthCheckResult.Healthy());
}
