using System.Globalization;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Ssti.AppHost;

/// <summary>What the last run of a pipeline printed: its tables and how its stages ended. Progress goes to standard error and is left out.</summary>
internal sealed partial class RunReport(string path)
{
    private DateTimeOffset _begun;

    /// <summary>Whether a run is going on.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>A run begins.</summary>
    public Task BeginAsync()
    {
        (IsUnderWay, _begun) = (true, DateTimeOffset.UtcNow);
        return Task.CompletedTask;
    }

    /// <summary>It did not begin after all.</summary>
    public void Abandon() => IsUnderWay = false;

    /// <summary>Keeps what a run printed, once it is over.</summary>
    public async Task KeepAsync(IResource run, string id, IServiceProvider services, CancellationToken cancellation)
    {
        try
        {
            await KeepLinesAsync(id, services, cancellation);
        }
        finally
        {
            IsUnderWay = false;
        }
    }

    /// <summary>Opens what was kept.</summary>
    public ExecuteCommandResult Open() => IsUnderWay ? CommandResults.Failure("it is under way; its console logs show how far it is")
        : File.Exists(path) ? CommandResults.Success($"run of {File.GetLastWriteTime(path):g}", File.ReadAllText(path), CommandResultFormat.Text, true)
        : CommandResults.Failure("it has not been run from here yet");

    private async Task KeepLinesAsync(string id, IServiceProvider services, CancellationToken cancellation)
    {
        // The end of a process is known before its last lines are.
        await Task.Delay(TimeSpan.FromSeconds(2), cancellation);
        var lines = new List<string>();
        await foreach (var batch in services.GetRequiredService<ResourceLoggerService>().GetAllAsync(id).WithCancellation(cancellation))
        {
            foreach (var line in batch.Where(line => !line.IsErrorMessage))
            {
                // Earlier runs of the same resource stand in its log as well.
                var stamped = Stamped().Match(line.Content);
                if (stamped.Success && DateTimeOffset.Parse(stamped.Groups["when"].Value, CultureInfo.InvariantCulture) < _begun) continue;
                var text = stamped.Success ? stamped.Groups["text"].Value : line.Content;
                if (!AspiresOwn().IsMatch(text)) lines.Add(text);
            }
        }

        if (lines.Count == 0) return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllLinesAsync(path, lines, cancellation);
    }

    [GeneratedRegex(@"^(?<when>\d{4}-\d\d-\d\dT\S+Z) (?<text>.*)$")]
    private static partial Regex Stamped();

    // What Aspire writes into the same log when it starts a resource.
    [GeneratedRegex(@"^(\[sys\] |Executing command |Successfully executed command |Waiting for resource |Finished waiting for resource |No custom certificate )")]
    private static partial Regex AspiresOwn();
}
