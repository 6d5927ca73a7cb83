using Ssti.Engine.Running;
using Ssti.Signing;
using Ssti.Store;
using Ssti.Store.Files;
using Ssti.Store.S3;

namespace Ssti.Cluster;

/// <summary>The artifacts that all of a cluster share, and this machine's folder for stages at work.</summary>
/// <param name="Artifacts">The artifacts.</param>
/// <param name="Workspace">The work folder.</param>
/// <param name="IsShared">Whether the work folder is the shared folder itself, so that others can go on from what is left there.</param>
public sealed record ClusterStore(IArtifactStore Artifacts, Workspace Workspace, bool IsShared)
{
    /// <summary>Opens what the settings name. Nothing is written yet.</summary>
    /// <exception cref="StoreException">The settings of S3 are malformed.</exception>
    public static ClusterStore Open(ClusterSettings settings)
    {
        if (settings.S3 is { } variables)
        {
            var cache = settings.Cache ?? Path.Combine(Path.GetTempPath(), "ssti-cache");
            var all = new Dictionary<string, string?>(variables);
            all.TryAdd("S3__Cache", Path.Combine(cache, "blobs"));
            return new ClusterStore(Seen(settings, new S3Store(OptionsOf(name => all.GetValueOrDefault(name)))), new Workspace(cache), IsShared: false);
        }

        var folder = settings.Store!;
        return new ClusterStore(Seen(settings, new FileStore(folder)), new Workspace(settings.Cache ?? folder), settings.Cache is null || settings.Cache == folder);
    }

    private static IArtifactStore Seen(ClusterSettings settings, IArtifactStore store) => SignedStore.Of(
        store, settings.SigningKey is { } key ? RecordSigner.Of(key) : null,
        settings.Trust.Count > 0 ? KeyRing.Of(Environment.GetEnvironmentVariable).Trust(settings.Trust) : null);

    /// <summary>The S3 store that variables name: <c>S3__Bucket</c> may have a prefix behind a slash, and is created unless <c>S3__CreateBucket</c> says no.</summary>
    /// <exception cref="StoreException">They are malformed.</exception>
    public static S3Options OptionsOf(Func<string, string?> variables) => S3Options.Parse(
        $"s3://{variables("S3__Bucket")}",
        name => name == "S3__CreateBucket" && string.IsNullOrEmpty(variables(name)) ? "true" : variables(name));

    /// <summary>The worker that executes stages here.</summary>
    public LocalWorker Worker(TimeSpan checkpointEvery, TimeProvider time) =>
        new(Artifacts, Workspace, time, IsShared ? null : new ScratchKeeper(Artifacts, checkpointEvery, time));
}
