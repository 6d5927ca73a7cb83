using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Ssti.AppHost;

/// <summary>What the last run of a pipeline printed: its tables and how its stages ended. Progress goes to standard error and is left out.</summary>
internal sealed partial class RunReport(string path)
{
    /// <summary>Whether a run is going on.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>A run begins.</summary>
    public Task BeginAsync()
    {
        IsUnderWay = true;
        return Task.CompletedTask;
    }

    /// <summary>Keeps what a run printed, once it is over.</summary>
    public async Task KeepAsync(IResource run, string id, IServiceProvider services, CancellationToken cancellation)
    {
        IsUnderWay = false;
        // The end of a process is known before its last lines are.
        await Task.Delay(TimeSpan.FromSeconds(2), cancellation);
        var lines = new List<string>();
        await foreach (var batch in services.GetRequiredService<ResourceLoggerService>().GetAllAsync(id).WithCancellation(cancellation))
        {
            foreach (var line in batch)
            {
                var text = Stamp().Replace(line.Content, "", 1);
                // What ssti says first of a run; before it stand earlier runs, and Aspire's own lines on starting it.
                if (line.IsErrorMessage && Begin().IsMatch(text)) lines.Clear();
                else if (!line.IsErrorMessage && !text.StartsWith("[sys] ", StringComparison.Ordinal)) lines.Add(text);
            }
        }

        if (lines.Count == 0) return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllLinesAsync(path, lines, cancellation);
    }

    /// <summary>Opens what was kept.</summary>
    public ExecuteCommandResult Open() => File.Exists(path)
        ? CommandResults.Success($"run of {File.GetLastWriteTime(path):g}", File.ReadAllText(path), CommandResultFormat.Text, true)
        : CommandResults.Failure("it has not been run from here yet");

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\S+Z ")]
    private static partial Regex Stamp();

    [GeneratedRegex(@"^run \d{6}-\w+: ")]
    private static partial Regex Begin();
}
