using System.Formats.Tar;
using System.IO.Compression;
using Ssti.Engine.Records;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Maintenance;

/// <summary>
/// A run in one file, for a paper's supplement or a machine without a network: its journal and logs, the records of its stages, and their blobs, as a tar
/// (compressed when the name ends in <c>.gz</c>) laid out like a store. The same run gives the same bytes.
/// </summary>
public sealed class RunArchive(IArtifactStore store, Workspace workspace)
{
    private const long LargestRecord = 64 << 20;

    // Of records and signatures together, which are held until all of them are known to be sound; and of files, whatever they are.
    private const long MostHeld = 1L << 30;
    private const int MostFiles = 5_000_000;

    /// <summary>Writes a run. Returns the number of files in it.</summary>
    /// <exception cref="StoreException">Something of the run is missing or damaged, or the file cannot be written.</exception>
    public async Task<int> ExportAsync(PastRun run, string path, CancellationToken cancellation = default)
    {
        var keys = run.Stages.Where(s => s is { Key: not null, Tree: not null }).Select(s => (Key: s.Key!.Value, Tree: s.Tree!.Value, s.Stage))
            .DistinctBy(s => s.Key).OrderBy(s => s.Key).ToList();
        var records = await store.RecordsAsync([.. keys.Select(k => k.Key)], cancellation).ConfigureAwait(false);
        var used = keys.Select((k, i) => records[i].FirstOrDefault(r => r.Tree == k.Tree)
            ?? throw new StoreException($"the record of '{k.Stage}' in run {run.Id} is gone; it cannot be exported whole")).ToList();
        // Under a name of its own: two exports at once, or a file of the user's, must not meet.
        var temporary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, $".ssti-export-{Guid.NewGuid().ToString("n")[..8]}");
        try
        {
            var count = 0;
            await using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            await using (var stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Optimal) : (Stream)file)
            await using (var tar = new TarWriter(stream, TarEntryFormat.Pax))
            {
                // Blobs, then records, then the run: whoever reads it in order has all that a record needs before the record.
                foreach (var blob in await WholeAsync(used, cancellation).ConfigureAwait(false))
                {
                    await using var content = await store.OpenReadAsync(blob, cancellation).ConfigureAwait(false);
                    await WriteAsync(tar, $"cas/{blob}", content, cancellation).ConfigureAwait(false);
                    count++;
                }

                foreach (var record in used)
                {
                    await WriteAsync(tar, $"ac/{record.Key}/{record.Tree}.json", new MemoryStream(record.ToJson()), cancellation).ConfigureAwait(false);
                    count++;
                }

                var signatures = await store.SignaturesAsync([.. used.Select(record => record.Key)], cancellation).ConfigureAwait(false);
                var ofUsed = used.SelectMany((record, i) => signatures[i].Where(one => one.Tree == record.Tree));
                foreach (var signature in ofUsed.OrderBy(one => one.Key).ThenBy(one => one.FileName, StringComparer.Ordinal))
                {
                    await WriteAsync(tar, $"ac/{signature.Key}/{signature.FileName}", new MemoryStream(signature.Content.ToArray()), cancellation).ConfigureAwait(false);
                    count++;
                }

                foreach (var log in (await new FolderRuns(workspace).FilesAsync(run.Id, cancellation).ConfigureAwait(false)).OrderBy(log => log.Name, StringComparer.Ordinal))
                {
                    await using var content = await log.OpenAsync(cancellation).ConfigureAwait(false);
                    await WriteAsync(tar, $"runs/{run.Id}/{log.Name}", content, cancellation).ConfigureAwait(false);
                    count++;
                }
            }

            File.Move(temporary, path, overwrite: true);
            return count;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException($"cannot write {path}: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    /// <summary>Takes a run in, and returns its name. Every blob is checked against its digest, and no name in the file can lead out of the store.</summary>
    /// <exception cref="StoreException">The file is no archive of a run, or is damaged; records of it are then not in the store.</exception>
    public async Task<string> ImportAsync(string path, CancellationToken cancellation = default)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            await using var stream = IsCompressed(file) ? new CountedStream(new GZipStream(file, CompressionMode.Decompress), file.Length, path) : (Stream)file;
            await using var tar = new TarReader(stream);
            using var runs = new RunFolder(workspace);
            var records = new List<ActionRecord>();
            var signatures = new List<RecordSignature>();
            var blobs = new HashSet<Digest>();
            var (files, held) = (0, 0L);
            string? only = null;
            while (await tar.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile)) throw Foreign(path, entry.Name);
                if (++files > MostFiles) throw new StoreException($"{path} holds more than {MostFiles} files, which no run does");
                // An empty file has no stream.
                var content = entry.DataStream ?? Stream.Null;
                switch (entry.Name.Split('/'))
                {
                    case ["cas", var name] when Digest.TryParse(name, out var blob):
                        await store.PutAsync(blob, content, cancellation).ConfigureAwait(false);
                        blobs.Add(blob);
                        break;
                    case ["ac", var key, var name] when Digest.TryParse(key, out var of) && entry.Length <= LargestRecord && (held += entry.Length) <= MostHeld:
                        var bytes = await BytesAsync(content, cancellation).ConfigureAwait(false);
                        if (RecordSignature.TryName(name, out var tree, out var signer)) signatures.Add(new RecordSignature(of, tree, signer, bytes));
                        else if (ActionRecord.Parse(bytes) is var record && record.Key == of && name == $"{record.Tree}.json") records.Add(record);
                        else throw new StoreException($"{path} is not to be trusted: what it calls '{entry.Name}' is the record {record.Key}/{record.Tree}");
                        break;
                    case ["runs", var run, var name] when RunFolder.IsPlain(run) && RunFolder.IsPlain(name):
                        if ((only ??= run) != run) throw new StoreException($"{path} is no archive of a run: it holds two, {only} and {run}");
                        await runs.AddAsync(run, name, content, cancellation).ConfigureAwait(false);
                        break;
                    default: throw Foreign(path, entry.Name);
                }
            }

            foreach (var record in records) await CheckAsync(record, cancellation).ConfigureAwait(false);
            blobs.ExceptWith(records.SelectMany(StoreTransfer.BlobsOf));
            if (blobs.Count > 0) throw new StoreException($"{path} is not to be trusted: it holds {blobs.Count} blobs that none of its records has, such as {blobs.Min()}");
            if (signatures.FirstOrDefault(one => records.All(record => (record.Key, record.Tree) != (one.Key, one.Tree))) is { } stray)
                throw new StoreException($"{path} is not to be trusted: it holds the signature of a record that it does not hold, {stray.Key}");
            foreach (var record in records) await store.PutRecordAsync(record, cancellation).ConfigureAwait(false);
            foreach (var signature in signatures) await store.PutSignatureAsync(signature, cancellation).ConfigureAwait(false);
            return runs.Place() is [var (id, _), ..] ? id : throw new StoreException($"{path} holds no run");
        }
        catch (EndOfStreamException e)
        {
            throw new StoreException($"{path} ends too early: it was cut short, or is no archive of a run", e);
        }
        catch (StoreException e) when (e.InnerException is not (IOException or UnauthorizedAccessException) && !e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new StoreException($"{path} is damaged, or was cut short: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or FormatException
            or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException)
        {
            throw new StoreException($"cannot read {path} as an archive of a run: {e.Message}", e);
        }
    }

    // By what is in it: archives are renamed, and unpacked by the programs that fetch them.
    private static bool IsCompressed(FileStream file)
    {
        Span<byte> start = stackalloc byte[2];
        var read = file.ReadAtLeast(start, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && start is [0x1f, 0x8b];
    }

    // The blobs of some records, each read once to be sure that what is archived is what is meant. A log may be lost.
    private async Task<List<Digest>> WholeAsync(List<ActionRecord> records, CancellationToken cancellation)
    {
        var logs = records.Select(r => r.Log).OfType<Digest>().ToHashSet();
        var whole = new List<Digest>();
        foreach (var blob in records.SelectMany(StoreTransfer.BlobsOf).Distinct().Order())
        {
            if (await store.RehashAsync(blob, cancellation).ConfigureAwait(false) == blob) whole.Add(blob);
            else if (!logs.Contains(blob))
                throw new StoreException($"the blob {blob} is damaged or missing; run 'ssti verify --repair', then run the pipeline to rebuild it");
        }

        return whole;
    }

    private async Task CheckAsync(ActionRecord record, CancellationToken cancellation)
    {
        var sizes = await store.SizesAsync([record.Tree, .. record.Files.Select(f => f.Digest)], cancellation).ConfigureAwait(false);
        if (sizes.Contains(-1)) throw new StoreException($"the archive lacks outputs of '{record.Stage}'; it was cut short");
        if (await RecordCheck.ProblemAsync(store, record, cancellation).ConfigureAwait(false) is { } problem)
            throw new StoreException($"the archive's record of '{record.Stage}' is not to be trusted: {problem}");
    }

    private static async Task WriteAsync(TarWriter tar, string name, Stream content, CancellationToken cancellation) =>
        // A fixed time and mode: the same run gives the same archive.
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name)
            { DataStream = content, ModificationTime = DateTimeOffset.UnixEpoch }, cancellation).ConfigureAwait(false);

    private static async Task<byte[]> BytesAsync(Stream content, CancellationToken cancellation)
    {
        using var memory = new MemoryStream();
        await content.CopyToAsync(memory, cancellation).ConfigureAwait(false);
        return memory.ToArray();
    }

    private static StoreException Foreign(string path, string name) => new($"{path} is no archive of a run: it holds '{name}'");
}
