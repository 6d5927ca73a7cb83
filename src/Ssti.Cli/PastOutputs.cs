using Ssti.Engine.Records;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Store;

namespace Ssti.Cli;

/// <summary>Reads what the stages of past runs left.</summary>
internal static class PastOutputs
{
    /// <summary>The files that hold measures, in the order in which they are looked for.</summary>
    public static IReadOnlyList<string> MeasureFiles { get; } = [MeasureSet.FileName, MetricsFile.FileName];

    /// <summary>What the first of some files says; null where the stage left none, where it was collected since, and where it is not what it is called.</summary>
    /// <param name="store">The store.</param>
    /// <param name="stage">The stage in its run.</param>
    /// <param name="files">The files, the first that there is.</param>
    /// <param name="parse">Reads its text; may throw <see cref="FormatException"/>.</param>
    /// <param name="cancellation">Stops.</param>
    /// <param name="odd">Told why a file that is there cannot be read; by default that is as good as none.</param>
    public static async Task<T?> ReadAsync<T>(
        IArtifactStore store, PastStage stage, IReadOnlyList<string> files, Func<string, T> parse, CancellationToken cancellation, Action<string>? odd = null)
        where T : class
    {
        if (!await IsThereAsync(store, stage, cancellation)) return null;
        try
        {
            var tree = await store.TreeAsync(stage.Tree!.Value, cancellation);
            var there = files.Select(name => tree.Files.FirstOrDefault(file => file.Path == name));
            if (there.FirstOrDefault(file => file.Path is not null) is not { Path: not null } found) return null;
            return parse(await store.CheckedTextAsync(found.Digest, cancellation));
        }
        catch (Exception error) when (error is FormatException or StoreException)
        {
            odd?.Invoke(error.Message);
            return null;
        }
    }

    /// <summary>Whether a stage's output is still in the store.</summary>
    public static async Task<bool> IsThereAsync(IArtifactStore store, PastStage stage, CancellationToken cancellation) =>
        stage.Tree is { } tree && (await store.SizesAsync([tree], cancellation))[0] >= 0;
}
