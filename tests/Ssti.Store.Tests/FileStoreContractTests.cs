using Ssti.Store.Files;
using Ssti.Tests;

namespace Ssti.Store.Tests;

public sealed class FileStoreContractTests : ArtifactStoreContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    protected override IArtifactStore Store() => Open();

    protected override IArtifactStore Another() => Open();

    protected override string EmptyFolder() => Directory.CreateDirectory(Path.Combine(_folder, $"stage {Guid.NewGuid():n}")).FullName;

    protected override async Task DamageBlobAsync(Digest blob, byte[] content)
    {
        var path = Open().PathOf(blob);
        File.Delete(path);
        await File.WriteAllBytesAsync(path, content);
    }

    protected override Task DamageRecordAsync(Digest key, Digest tree, byte[] content) =>
        File.WriteAllBytesAsync(Path.Combine(_folder, "store", "ac", key.ToString(), $"{tree}.json"), content);

    private FileStore Open() => new(Path.Combine(_folder, "store"));
}
