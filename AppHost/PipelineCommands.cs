using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Ssti.AppHost;

/// <summary>Adds the pipelines and their buttons.</summary>
internal static class PipelineCommands
{
    /// <summary>Adds a resource with two buttons for each pipeline file of a folder.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="run">Makes a resource, of a name, that runs a file; it is started by its button.</param>
    public static void AddPipelines(this IDistributedApplicationBuilder builder, string name, string folder, Func<string, string, IResourceBuilder<ProjectResource>> run)
    {
        var pipelines = builder.AddResource(new PipelinesResource(name))
            .WithInitialState(new() { ResourceType = "Pipelines", Properties = [new("folder", folder)], State = KnownResourceStates.Running })
            .ExcludeFromManifest();
        foreach (var file in Directory.GetFiles(folder, "*.yaml").Order(StringComparer.Ordinal))
        {
            var title = Path.GetFileNameWithoutExtension(file);
            var report = new RunReport(Path.Combine(builder.AppHostDirectory, "obj", "reports", title + ".txt"));
            var runs = run($"run-{title}", file).WithExplicitStart().WithParentRelationship(pipelines).ExcludeFromManifest();
            runs.OnBeforeResourceStarted((_, _, _) => report.BeginAsync());
            runs.OnResourceStopped((resource, stopped, cancellation) => report.KeepAsync(resource, stopped.ResourceEvent.ResourceId, stopped.Services, cancellation));
            pipelines
                .WithCommand($"run-{title}", $"Run {title}", context => StartAsync(runs.Resource, report, context), new CommandOptions
                {
                    Description = $"Runs {Path.GetFileName(file)} on the services; what is cached is not run again.",
                    IconName = "Play",
                    IsHighlighted = title == "quickstart",
                })
                .WithCommand($"report-{title}", $"Last report of {title}", _ => Task.FromResult(report.Open()), new CommandOptions
                {
                    Description = $"Shows the tables of the last run of {Path.GetFileName(file)} that was started here.", IconName = "DocumentTable",
                });
        }
    }

    private static async Task<ExecuteCommandResult> StartAsync(ProjectResource runs, RunReport report, ExecuteCommandContext context)
    {
        if (report.IsUnderWay) return CommandResults.Failure($"{runs.Name} is under way already; see its console logs");
        await report.BeginAsync();
        var started = await context.ServiceProvider.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(runs, KnownResourceCommands.StartCommand, context.CancellationToken);
        if (!started.Success) report.Abandon();
        return started;
    }
}
