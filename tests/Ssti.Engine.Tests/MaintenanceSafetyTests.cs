using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Store;

namespace Ssti.Engine.Tests;

/// <summary>What maintenance must not do: lose what somebody needs, serve what is damaged, or believe an archive.</summary>
public sealed class MaintenanceSafetyTests : IDisposable
{
    private const string Yaml = MaintenanceTests.Yaml;

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public async Task What_was_pulled_is_collected_only_when_that_is_asked_for()
    {
        using var other = new Sandbox();
        var elsewhere = await other.Run(other.Load(Yaml));
        await StoreTransfer.CopyAsync(other.Store, _box.Store, [.. elsewhere.Stages.Select(s => s.Key!.Value)]);
        var collector = new Collector(_box.Store, _box.Workspace);
        var careful = await collector.CollectAsync(new CollectionOptions { KeepLast = 0 });
        var greedy = await collector.PlanAsync(new CollectionOptions { KeepLast = 0, Unused = true });

        Assert.Equal((0, 0, 2), (careful.Records.Count, careful.Blobs.Count, careful.UnusedKeys));
        Assert.All((await _box.Run(_box.Load(Yaml))).Stages, s => Assert.Equal(StageState.Cached, s.State));
        Assert.Equal(2, greedy.Records.Count);
    }

    [Fact]
    public async Task What_others_may_be_at_work_with_is_kept_by_its_age_and_this_machines_runs_are_not_the_stores()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var orphan = await _box.Store.PutTextAsync("a blob whose record is still to come");
        var collector = new Collector(_box.Store, _box.Workspace);
        CollectionOptions shared = new() { KeepLast = 0, IsShared = true, KeepYoung = DateTimeOffset.UtcNow.AddMinutes(-10) };
        var young = await collector.PlanAsync(shared);
        foreach (var file in Directory.GetFiles(Path.Combine(_box.Store.Location, "cas"), "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2));
        var oldBlobs = await collector.PlanAsync(shared);
        var old = await collector.CollectAsync(shared with { KeepYoung = DateTimeOffset.UtcNow.AddMinutes(1) });

        Assert.Equal((0, 0), (young.Records.Count, young.Blobs.Count));
        // Records of this minute keep their blobs, however old those are.
        Assert.Equal([orphan.Digest], oldBlobs.Blobs.Select(b => b.Digest));
        Assert.Equal((2, 0), (old.Records.Count, old.Runs.Count));
        Assert.Equal([run.RunId], new RunHistory(_box.Workspace).Ids);
    }

    [Fact]
    public async Task A_run_in_a_store_without_a_workspace_is_one_record_and_grows_only()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;
        var journal = Path.Combine(_box.Workspace.Runs, run.RunId, "journal.jsonl");
        using var other = new Sandbox();
        var (mine, shared, theirs) = (new FolderRuns(_box.Workspace), new SharedRuns(other.Store), new FolderRuns(other.Workspace));
        var whole = await File.ReadAllTextAsync(journal);

        // Pushed while it was under way, and again when it was done; then once more from a machine that has the earlier state.
        await File.WriteAllTextAsync(journal, whole[..(whole.IndexOf('\n', StringComparison.Ordinal) + 1)]);
        Assert.True(await StoreTransfer.CopyRunAsync(mine, shared, past));
        Assert.True(await StoreTransfer.CopyRunAsync(shared, theirs, past));
        await File.WriteAllTextAsync(journal, whole);
        Assert.True(await StoreTransfer.CopyRunAsync(mine, shared, past));
        Assert.False(await StoreTransfer.CopyRunAsync(theirs, shared, past));
        Assert.False(await StoreTransfer.CopyRunAsync(mine, shared, past));
        Assert.Equal([run.RunId], await shared.IdsAsync());
        Assert.True((await new StoreVerifier(other.Store).VerifyAsync(repair: false)).IsSound);

        Assert.True(await StoreTransfer.CopyRunAsync(shared, theirs, past));
        Assert.False(await StoreTransfer.CopyRunAsync(shared, theirs, past));
        Assert.Equal(whole, await File.ReadAllTextAsync(Path.Combine(other.Workspace.Runs, run.RunId, "journal.jsonl")));
        Assert.Equal(past.Stages.Select(stage => (stage.Stage, stage.Key, stage.Tree)),
            (await shared.ReadAsync(run.RunId))!.Stages.Select(stage => (stage.Stage, stage.Key, stage.Tree)));
        // Two machines may draw the same number and digits.
        var foreign = await Assert.ThrowsAsync<StoreException>(() => StoreTransfer.CopyRunAsync(mine, shared, past with { At = past.At.AddSeconds(1) }));
        Assert.Contains($"another run {run.RunId} is in ", foreign.Message);
        Assert.Null(await shared.ReadAsync("000009-none"));
        Assert.False(await StoreTransfer.CopyRunAsync(shared, theirs, past with { Id = "000009-none" }));
    }

    [Fact]
    public async Task A_journal_from_a_store_cannot_lead_out_of_the_workspace()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var shared = new SharedRuns(_box.Store);
        await StoreTransfer.CopyRunAsync(new FolderRuns(_box.Workspace), shared, new RunHistory(_box.Workspace).Read(run.RunId)!);
        var key = SharedRuns.KeyOf(run.RunId);
        var record = (await _box.Store.RecordsAsync([key]))[0].Single();
        var evil = Tree.Of([record.Files[0] with { Path = "deep/file" }]);
        await _box.Store.PutTreeAsync(evil);
        await _box.Store.DeleteRecordAsync(key, record.Tree);
        await _box.Store.PutRecordAsync(record with { Tree = evil.Digest, Files = evil.Files });

        Assert.Contains("it holds 'deep/file", (await Assert.ThrowsAsync<StoreException>(() => shared.ReadAsync(run.RunId))).Message);
    }

    [Fact]
    public async Task A_run_whose_journal_cannot_be_read_goes_only_by_name()
    {
        var run = await _box.Run(_box.Load(Yaml));
        File.WriteAllText(Path.Combine(_box.Workspace.Runs, run.RunId, "journal.jsonl"), "\0\0garbage\n{\"event\":5}\n");
        var collector = new Collector(_box.Store, _box.Workspace);

        Assert.Empty((await collector.PlanAsync(new CollectionOptions { KeepLast = 0 })).Runs);
        Assert.Equal([run.RunId], (await collector.PlanAsync(new CollectionOptions { DropRuns = [run.RunId] })).Runs);
    }

    [Fact]
    public async Task A_run_dropped_by_name_takes_only_what_no_other_uses()
    {
        var first = await _box.Run(_box.Load(Yaml));
        await _box.Run(_box.Load(Yaml));
        var third = await _box.Run(_box.Load(Yaml, null, "params.word=two"));
        var collector = new Collector(_box.Store, _box.Workspace);

        Assert.Empty((await collector.PlanAsync(new CollectionOptions { DropRuns = [first.RunId] })).Records);
        Assert.Equal(third.Stages.Select(s => s.Key!.Value).Order(), (await collector.PlanAsync(new CollectionOptions { DropRuns = [third.RunId] })).Records
            .Select(r => r.Key).Order());
    }

    [Fact]
    public async Task A_record_that_is_garbage_is_removed_by_repair_and_rebuilt()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var path = Directory.GetFiles(Path.Combine(_box.Store.Location, "ac", run.Stages[0].Key!.Value.ToString())).Single();
        File.WriteAllText(path, "{\"key\":");
        var report = await new StoreVerifier(_box.Store).VerifyAsync(repair: true);

        Assert.True(report.DamagedRecords.Single().Removed);
        Assert.False(File.Exists(path));
        Assert.Equal([StageState.Done, StageState.Cached], (await _box.Run(_box.Load(Yaml))).Stages.Select(s => s.State));
        Assert.True((await new StoreVerifier(_box.Store).VerifyAsync(repair: false)).IsSound);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("runs/../../outside")]
    [InlineData("runs/000001-abcd/../../outside")]
    [InlineData("/etc/outside")]
    [InlineData("cas/../outside")]
    [InlineData("runs/..")]
    [InlineData("runs/./x/y")]
    public async Task An_archive_cannot_write_outside_the_store(string name)
    {
        var path = Path.Combine(_box.Folder, "evil.tar");
        await using (var tar = new TarWriter(File.Create(path)))
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream([1]) });

        Assert.Contains($"it holds '{name}'", (await Assert.ThrowsAsync<StoreException>(() => new RunArchive(_box.Store, _box.Workspace).ImportAsync(path))).Message);
        Assert.DoesNotContain(Directory.EnumerateFiles(_box.Folder, "outside", SearchOption.AllDirectories), _ => true);
    }

    [Fact]
    public async Task An_archive_cannot_bring_in_links()
    {
        var path = Path.Combine(_box.Folder, "evil.tar");
        await using (var tar = new TarWriter(File.Create(path)))
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, "runs/000001-abcd/journal.jsonl") { LinkName = "/etc/passwd" });

        await Assert.ThrowsAsync<StoreException>(() => new RunArchive(_box.Store, _box.Workspace).ImportAsync(path));
    }

    [Fact]
    public async Task An_archive_whose_record_claims_another_key_is_refused_whole()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var good = Path.Combine(_box.Folder, "good.tar");
        var evil = Path.Combine(_box.Folder, "evil.tar");
        await new RunArchive(_box.Store, _box.Workspace).ExportAsync(new RunHistory(_box.Workspace).Read(run.RunId)!, good);
        await using (var from = new TarReader(File.OpenRead(good)))
        await using (var to = new TarWriter(File.Create(evil)))
        {
            while (await from.GetNextEntryAsync(copyData: true) is { } entry)
            {
                var copy = new PaxTarEntry(TarEntryType.RegularFile, entry.Name) { DataStream = entry.DataStream };
                if (entry.Name.StartsWith("ac/", StringComparison.Ordinal))
                {
                    var json = JsonNode.Parse(entry.DataStream!)!;
                    json["document"]!["seed"] = 12345;
                    copy.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(json.ToJsonString()));
                }

                await to.WriteEntryAsync(copy);
            }
        }

        using var other = new Sandbox();
        Assert.Contains("not to be trusted", (await Assert.ThrowsAsync<StoreException>(() => new RunArchive(other.Store, other.Workspace).ImportAsync(evil))).Message);
        Assert.Empty(await other.Store.KeysAsync().ToListAsync());
        Assert.Empty(new RunHistory(other.Workspace).Ids);
    }

    [Fact]
    public async Task A_damaged_archive_is_refused_and_never_crashes()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var path = Path.Combine(_box.Folder, "run.tar");
        await new RunArchive(_box.Store, _box.Workspace).ExportAsync(new RunHistory(_box.Workspace).Read(run.RunId)!, path);
        var whole = File.ReadAllBytes(path);
        var random = new Random(1);
        for (var i = 0; i < 120; i++)
        {
            var bytes = i % 3 == 0 ? whole[..random.Next(whole.Length)] : (byte[])whole.Clone();
            for (var flips = i % 3 == 0 ? 0 : random.Next(1, 40); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, bytes);
            using var other = new Sandbox();
            try
            {
                await new RunArchive(other.Store, other.Workspace).ImportAsync(path);
            }
            catch (StoreException)
            {
                // Refused in words; what it left cannot be served.
            }

            Assert.True((await new StoreVerifier(other.Store).VerifyAsync(repair: false)).IsSound);
        }
    }

    [Fact]
    public async Task A_damaged_blob_is_not_archived()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var blob = _box.Store.PathOf((await _box.Store.TreeAsync(run.Stages[0].Tree!.Value)).Files[0].Digest);
        File.SetAttributes(blob, FileAttributes.Normal);
        File.WriteAllText(blob, new string('x', (int)new FileInfo(blob).Length));
        var path = Path.Combine(_box.Folder, "run.tar");

        Assert.Contains("ssti verify", (await Assert.ThrowsAsync<StoreException>(
            () => new RunArchive(_box.Store, _box.Workspace).ExportAsync(new RunHistory(_box.Workspace).Read(run.RunId)!, path))).Message);
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_run_copied_while_it_was_under_way_is_brought_up_to_date_and_never_mixed_with_another()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;
        using var other = new Sandbox();
        var journal = Path.Combine(_box.Workspace.Runs, run.RunId, "journal.jsonl");
        var copy = Path.Combine(other.Workspace.Runs, run.RunId, "journal.jsonl");
        IRunJournals mine = new FolderRuns(_box.Workspace), theirs = new FolderRuns(other.Workspace);
        var whole = File.ReadAllText(journal);
        File.WriteAllText(journal, whole[..(whole.Length / 2)]);
        Assert.True(await StoreTransfer.CopyRunAsync(mine, theirs, past));
        File.WriteAllText(journal, whole);
        await StoreTransfer.CopyRunAsync(mine, theirs, past);
        Assert.Equal(whole, File.ReadAllText(copy));

        File.WriteAllText(journal, whole[..(whole.Length / 2)]);
        await StoreTransfer.CopyRunAsync(mine, theirs, past);
        Assert.Equal(whole, File.ReadAllText(copy));

        File.WriteAllText(journal, whole.Replace("\"p\"", "\"q\""));
        Assert.Contains("another run", (await Assert.ThrowsAsync<StoreException>(() => StoreTransfer.CopyRunAsync(mine, theirs, past))).Message);
        Assert.Equal(whole, File.ReadAllText(copy));
        Assert.Equal([run.RunId], new RunHistory(other.Workspace).Ids);
    }

    [Fact]
    public async Task The_log_of_a_foreign_journal_is_a_file_beside_it_and_nothing_else()
    {
        var run = await _box.Run(_box.Load(Yaml));
        var journal = Path.Combine(_box.Workspace.Runs, run.RunId, "journal.jsonl");
        File.WriteAllText(journal, File.ReadAllText(journal).Replace("\"log\":\"a.log\"", "\"log\":\"../../../../../etc/passwd\""));

        Assert.Equal(Path.Combine(_box.Workspace.Runs, run.RunId, "passwd"), new RunHistory(_box.Workspace).Read(run.RunId)!.Stages[0].LogPath);
    }

    [Fact]
    public async Task A_failed_stage_is_in_the_trace_with_its_time()
    {
        var kind = new DelegateKind("slow", async (_, stop) =>
        {
            await Task.Delay(50, stop);
            throw new Stages.StageException("no");
        });
        var run = await _box.Run(_box.Load("stages: { s: { uses: slow } }", TestKinds.Catalog(kind)));
        var slice = RunTrace.Slices(new RunHistory(_box.Workspace).Read(run.RunId)!).Single();

        Assert.Equal("failed", slice.Stage.State);
        Assert.True(slice.End - slice.Start >= 0.04);
    }
}
