using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ssti.AppHost;

/// <summary>Says on the console when each service is well, and where: what the dashboard shows, for those who read a log, and for scripts.</summary>
internal sealed class Announcement(ResourceNotificationService notifications, IReadOnlyList<IResourceWithEndpoints> services) : BackgroundService
{
    /// <summary>Adds it.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="services">The services.</param>
    public static void Add(IDistributedApplicationBuilder builder, params IReadOnlyList<IResourceBuilder<ProjectResource>> services) => builder.Services
        .AddHostedService(provider => new Announcement(provider.GetRequiredService<ResourceNotificationService>(), [.. services.Select(service => service.Resource)]));

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(services.Select(service => TellAsync(service, stoppingToken)));

    private async Task TellAsync(IResourceWithEndpoints service, CancellationToken stopping)
    {
        try
        {
            await notifications.WaitForResourceHealthyAsync(service.Name, stopping);
            Console.WriteLine($"{service.Name} is well: {service.GetEndpoint("http").Url}/health");
        }
        catch (DistributedApplicationException failed)
        {
            Console.WriteLine($"{service.Name} did not start ({failed.Message}); its console log in the dashboard has the reason");
        }
        catch (OperationCanceledException)
        {
            // The application ends before the service is up.
        }
    }
}
