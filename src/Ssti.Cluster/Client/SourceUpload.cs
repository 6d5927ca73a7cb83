using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ssti.Cluster.Wire;
using Ssti.Engine.Parameters;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Cluster.Client;

/// <summary>Puts the local files and folders that parameters name into the store, where silos find them by the digest in the key.</summary>
internal sealed class SourceUpload(IArtifactStore store)
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _uploads = new();

    /// <summary>The sources of an order, now in the store, in the order in which its parameters hold them; and where they are here.</summary>
    /// <exception cref="StoreException">The store cannot be written, or a source has changed since it was read for the key.</exception>
    public async Task<(IReadOnlyList<SourceMessage> Messages, IReadOnlyList<string> Paths)> PutAsync(WorkOrder order, CancellationToken cancellation)
    {
        var local = ParameterWriter.Sources(order.Parameters).Where(source => source.LocalPath is not null).ToList();
        if (local.Count == 0) return ([], []);
        var digests = new List<string>();
        ParameterReader.Read(order.Kind, order.Document.ToJson()["parameters"]!.AsObject(), json =>
        {
            if (json is JsonObject content) digests.Add(content["sha256"]!.GetValue<string>());
            return new SourcePath("", null);
        });
        var messages = new List<SourceMessage>();
        foreach (var (source, digest) in local.Zip(digests))
        {
            var path = Path.TrimEndingDirectorySeparator(source.LocalPath!);
            var isFolder = Directory.Exists(path);
            await _uploads.GetOrAdd(digest, _ => new Lazy<Task>(() => UploadAsync(path, isFolder, Digest.Parse(digest)))).Value
                .WaitAsync(cancellation).ConfigureAwait(false);
            messages.Add(new SourceMessage(digest, isFolder, Path.GetFileName(path) is { Length: > 0 } name ? name : "root"));
        }

        return (messages, [.. local.Select(source => source.LocalPath!)]);
    }

    private async Task UploadAsync(string path, bool isFolder, Digest content)
    {
        if (!isFolder)
        {
            await FileAsync(path, content).ConfigureAwait(false);
            return;
        }

        var tree = FileHash.TreeOf(path);
        if (tree.Digest != content) throw new StoreException($"the source folder {path} has changed while the run was planned; run again");
        var sizes = await store.SizesAsync([.. tree.Files.Select(file => file.Digest)]).ConfigureAwait(false);
        foreach (var (file, size) in tree.Files.Zip(sizes))
            if (size != file.Size) await FileAsync(Path.Combine(path, file.Path), file.Digest).ConfigureAwait(false);
        await store.PutTreeAsync(tree).ConfigureAwait(false);
    }

    private async Task FileAsync(string path, Digest content)
    {
        if ((await store.SizesAsync([content]).ConfigureAwait(false))[0] == new FileInfo(path).Length) return;
        if (FileHash.Of(path).Digest != content) throw new StoreException($"the source file {path} has changed while the run was planned; run again");
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        await store.PutAsync(content, file).ConfigureAwait(false);
    }
}
