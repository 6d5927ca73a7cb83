using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Records;
using Ssti.Store;

namespace Ssti.Engine.Tests;

/// <summary>Archives of strangers: what is in them is counted and held against what it claims to be.</summary>
public sealed class HostileArchiveTests : IDisposable
{
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task A_small_file_that_unpacks_without_end_is_stopped()
    {
        var path = Path.Combine(_box.Folder, "bomb.tar.gz");
        await using (var tar = new TarWriter(new GZipStream(File.Create(path), CompressionLevel.Optimal)))
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, $"cas/{Digest.Of("x")}") { DataStream = new MemoryStream(new byte[200 << 20]) });
        Assert.True(new FileInfo(path).Length < 1 << 20);

        Assert.Contains("unpacks to more than 64 MiB", (await Refused(path)).Message, StringComparison.Ordinal);
        Assert.Empty(await _box.Store.BlobsAsync().ToListAsync());
        Assert.DoesNotContain(Directory.EnumerateFiles(_box.Folder, "*", SearchOption.AllDirectories), file => new FileInfo(file).Length > 1 << 20);
    }

    [Fact]
    public async Task What_an_archive_holds_beside_a_run_is_refused()
    {
        var run = await _box.Run(_box.Load(MaintenanceTests.Yaml));
        var good = Path.Combine(_box.Folder, "good.tar");
        await new RunArchive(_box.Store, _box.Workspace).ExportAsync(new RunHistory(_box.Workspace).Read(run.RunId)!, good);
        using var other = new Sandbox();
        Task<StoreException> Spoilt(params (string Name, byte[] Content)[] more) => Refused(With(good, entry => entry.Name, more), other);

        Assert.Contains(
            "it holds 1 blobs that none of its records has",
            (await Spoilt(($"cas/{Digest.Of("smuggled")}", "smuggled"u8.ToArray()))).Message, StringComparison.Ordinal);
        Assert.Contains("it holds two", (await Spoilt(("runs/000009-other/journal.jsonl", "{}"u8.ToArray()))).Message, StringComparison.Ordinal);
        Assert.Contains("that it does not hold", (await Spoilt(($"ac/{Digest.Of("k")}/{Digest.Of("t")}.0123456789abcdef.sig", [1]))).Message, StringComparison.Ordinal);
        // A record under another's name.
        var renamed = With(good, entry => entry.Name.StartsWith("ac/", StringComparison.Ordinal) ? $"ac/{Digest.Of("k")}/{entry.Name[68..]}" : entry.Name);
        Assert.Contains("is the record", (await Refused(renamed, other)).Message, StringComparison.Ordinal);
        Assert.Empty(await other.Store.KeysAsync().ToListAsync());
        Assert.Empty(new RunHistory(other.Workspace).Ids);
        // And as it is, it goes in.
        Assert.Equal(run.RunId, await new RunArchive(other.Store, other.Workspace).ImportAsync(good));
    }

    /// <summary>Every field of every header, in turn: names, sizes, kinds, check sums.</summary>
    [Fact]
    public async Task Headers_that_lie_never_crash_it_and_never_lead_out_of_the_store()
    {
        var run = await _box.Run(_box.Load(MaintenanceTests.Yaml));
        var path = Path.Combine(_box.Folder, "run.tar");
        await new RunArchive(_box.Store, _box.Workspace).ExportAsync(new RunHistory(_box.Workspace).Read(run.RunId)!, path);
        var whole = File.ReadAllBytes(path);
        var headers = Enumerable.Range(0, whole.Length / 512).Where(i => Encoding.ASCII.GetString(whole, (i * 512) + 257, 5) == "ustar").ToList();
        string[] values = ["../../../../outside", "77777777777", "00000000000", "\u00ff\u00ff\u00ff\u00ff", "2", "1", "L", "x", "-1"];
        int[] fields = [0, 100, 124, 136, 156, 157, 257, 345];
        var random = new Random(7);
        var sound = 0;
        for (var i = 0; i < 150; i++)
        {
            var bytes = (byte[])whole.Clone();
            var at = headers[random.Next(headers.Count)] * 512;
            Encoding.Latin1.GetBytes(values[random.Next(values.Length)]).CopyTo(bytes, at + fields[random.Next(fields.Length)]);
            // The check sum put right, so that the lie is looked at.
            Encoding.ASCII.GetBytes("        ").CopyTo(bytes, at + 148);
            Encoding.ASCII.GetBytes(Convert.ToString(bytes.AsSpan(at, 512).ToArray().Sum(b => (int)b), 8).PadLeft(6, '0') + "\0 ").CopyTo(bytes, at + 148);
            using var other = new Sandbox();
            var file = Path.Combine(other.Folder, "evil.tar");
            File.WriteAllBytes(file, bytes);
            try
            {
                await new RunArchive(other.Store, other.Workspace).ImportAsync(file);
                sound++;
            }
            catch (StoreException error)
            {
                Assert.Contains(file, error.Message, StringComparison.Ordinal);
            }

            Assert.True((await new StoreVerifier(other.Store).VerifyAsync(repair: false)).IsSound);
            Assert.DoesNotContain(
                Directory.EnumerateFileSystemEntries(other.Folder, "*", SearchOption.AllDirectories),
                entry => new FileInfo(entry).LinkTarget is not null || entry.Contains("outside", StringComparison.Ordinal));
        }

        Assert.InRange(sound, 0, 149);
    }

    private async Task<StoreException> Refused(string path, Sandbox? box = null) =>
        await Assert.ThrowsAsync<StoreException>(() => new RunArchive((box ?? _box).Store, (box ?? _box).Workspace).ImportAsync(path));

    private string With(string archive, Func<TarEntry, string> name, params (string Name, byte[] Content)[] more)
    {
        var path = Path.Combine(_box.Folder, $"{Guid.NewGuid():n}.tar");
        using var from = new TarReader(File.OpenRead(archive));
        using var to = new TarWriter(File.Create(path));
        while (from.GetNextEntry(copyData: true) is { } entry) to.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name(entry)) { DataStream = entry.DataStream });
        foreach (var (added, content) in more) to.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, added) { DataStream = new MemoryStream(content) });
        return path;
    }
}
