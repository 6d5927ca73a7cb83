using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;
using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

/// <summary>Every reason of the closed list, as <c>why</c> and <c>plan</c> tell it.</summary>
public sealed class WhyTests : CliFixture
{
    private const string Chain = """
        name: chain
        stages:
          source: { uses: write, with: { text: one } }
          sink: { uses: write, needs: { data: source }, with: { text: end } }
          nap: { uses: nap, with: { milliseconds: 1 } }
        """;

    public WhyTests()
    {
        Kinds = [new WriteStage(), new NapStage()];
        Write("p.yaml", Chain);
    }

    [Fact]
    public async Task No_record()
    {
        Assert.Equal("source: would run\n  no record\n", (await RunAsync("why", "p.yaml", "source")).Out);
        Assert.Equal(("no-record", null, null), await ReasonAsync("source"));
    }

    [Fact]
    public async Task A_parameter_with_its_old_and_new_value()
    {
        await RunAsync("run", "p.yaml");
        Assert.Equal("source: would run\n  parameter text changed from \"one\" to \"two\"\n",
            (await RunAsync("why", "p.yaml", "source", "--set", "source.text=two")).Out);
        Assert.Equal(("parameter-changed", "\"one\"", "\"two\""), await ReasonAsync("source", "--set", "source.text=two"));
    }

    [Fact]
    public async Task An_input_with_its_digests_and_how_many_files_differ()
    {
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--until", "source", "--set", "source.text=two");
        var why = await RunAsync("why", "p.yaml", "sink", "--set", "source.text=two");
        Assert.Matches("^sink: would run\n  input data changed from [0-9a-f]{12} to [0-9a-f]{12} \\(1 of 1 files differ\\)\n$", why.Out);
        var (kind, old, now) = await ReasonAsync("sink", "--set", "source.text=two");
        Assert.Equal("input-changed", kind);
        Assert.Equal((64, 64, false), (old!.Length, now!.Length, old == now));
    }

    [Fact]
    public async Task Of_many_inputs_the_ones_that_changed()
    {
        Write("p.yaml", """
            stages:
              part: { uses: write, matrix: { n: [1, 2, 3] }, with: { text: "part ${{ matrix.n }}" } }
              whole: { uses: write, needs: { data: part } , matrix: { all: [x] } }
              extra: { uses: write }
            """);
        await RunAsync("run", "p.yaml");
        Write("p.yaml", """
            stages:
              part: { uses: write, matrix: { n: [1, 2, 4] }, with: { text: "part ${{ matrix.n }}" } }
              whole: { uses: write, needs: { data: part } , matrix: { all: [x] } }
              extra: { uses: write }
            """);
        await RunAsync("run", "p.yaml", "--until", "part");
        Assert.Contains("input data changed: 1 added: part@4; 1 removed: part@3", (await RunAsync("why", "p.yaml", "whole")).Out);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--until", "part", "--set", "part.text=changed");
        Assert.Matches("input data changed: 3 of 3 trees differ in 3 of 3 files: part@1 from [0-9a-f]{12} to [0-9a-f]{12}, part@2 from .* and 1 more",
            (await RunAsync("why", "p.yaml", "whole", "--set", "part.text=changed")).Out);
    }

    [Fact]
    public async Task A_version_of_the_kind()
    {
        await RunAsync("run", "p.yaml");
        Kinds = [new WriteStage { Bumped = 2 }, new NapStage()];
        Assert.Equal("source: would run\n  version of its kind changed from 1 to 2\n", (await RunAsync("why", "p.yaml", "source")).Out);
        Assert.Equal(("version-changed", "1", "2"), await ReasonAsync("source"));
    }

    [Fact]
    public async Task Numerics()
    {
        await RunAsync("run", "p.yaml", "--set", "compute.threads=1");
        Assert.Equal("nap: would run\n  threads changed from 1 to 4\n", (await RunAsync("why", "p.yaml", "nap", "--set", "compute.threads=4")).Out);
        Assert.Equal(("numerics-changed", "1", "4"), await ReasonAsync("nap", "--set", "compute.threads=4"));
    }

    [Fact]
    public async Task A_seed()
    {
        await RunAsync("run", "p.yaml");
        Assert.Equal("seed-changed", (await ReasonAsync("source", "--set", "seed=5")).Kind);
    }

    [Fact]
    public async Task A_key_document_of_an_older_program()
    {
        await RunAsync("run", "p.yaml");
        // What the older program left: the same stage under a document of its own form, and in its history that key.
        var store = new FileStore(Path.Combine(Folder, ".ssti"));
        var record = (await store.RecordsAsync(await store.KeysAsync().ToListAsync())).SelectMany(r => r).Single(r => r.Stage == "source");
        var document = record.Document.DeepClone().AsObject();
        document["schema"] = 0;
        var older = record with { Key = new KeyDocument(document).Key, Document = document };
        await store.PutRecordAsync(older);
        await store.DeleteRecordAsync(record.Key, record.Tree);
        StageHistory.Of(new Workspace(store.Location), "chain", ProjectFolder.PlaceOf(Path.Combine(Folder, "p.yaml")))
            .Note("source", new HistoryEntry(older.Key, older.Tree, older.Run), 0.1);
        Assert.Equal("source: would run\n  key schema changed from 0 to 2\n", (await RunAsync("why", "p.yaml", "source")).Out);
        Assert.Equal(("schema-changed", "0", "2"), await ReasonAsync("source"));
    }

    [Fact]
    public async Task An_output_that_is_missing_or_cut_short()
    {
        await RunAsync("run", "p.yaml");
        var blob = await BlobAsync(".ssti", "source");
        File.SetAttributes(blob, FileAttributes.Normal);
        File.WriteAllText(blob, "o");
        Assert.Matches(@"output missing or damaged \('text.txt' \([0-9a-f]{12}\) has 1 bytes, not 3\)", (await RunAsync("why", "p.yaml", "source")).Out);
        File.Delete(blob);
        Assert.Contains("is missing)", (await RunAsync("why", "p.yaml", "source")).Out);
        Assert.Equal("output-missing", (await ReasonAsync("source")).Kind);
        Directory.Delete(Path.Combine(Folder, ".ssti", "ac"), recursive: true);
        Assert.Contains("output missing or damaged (its record is gone)", (await RunAsync("why", "p.yaml", "source")).Out);
    }

    [Fact]
    public async Task Forced_and_upstream_stale()
    {
        await RunAsync("run", "p.yaml");
        var plan = (await RunAsync("plan", "p.yaml", "--json", "--force", "source")).Json["stages"]!.AsArray();
        Assert.Equal("forced", Kind(plan.Single(stage => (string?)stage!["stage"] == "source")!));
        var sink = plan.Single(stage => (string?)stage!["stage"] == "sink")!;
        Assert.Equal(("upstream-stale", "source"), (Kind(sink), (string?)sink["reasons"]![0]!["field"]));
        Assert.Contains("upstream source is stale", (await RunAsync("plan", "p.yaml", "--set", "source.text=two")).Out);
    }

    [Fact]
    public async Task Another_kind()
    {
        await RunAsync("run", "p.yaml");
        Write("p.yaml", "name: chain\nstages: { source: { uses: nap } }");
        Assert.Equal(("kind-changed", "\"write\"", "\"nap\""), await ReasonAsync("source"));
        // The parameters of two kinds have nothing to do with each other.
        Assert.Single((await RunAsync("why", "p.yaml", "source", "--json")).Json["stages"]![0]!["reasons"]!.AsArray());
    }

    [Fact]
    public async Task A_salt()
    {
        await RunAsync("run", "p.yaml");
        Write("p.yaml", Chain.Replace("source: { uses: write,", "source: { uses: write, salt: again,"));
        Assert.Equal(("salt-changed", null, "\"again\""), await ReasonAsync("source"));
    }

    private async Task<(string? Kind, string? Old, string? New)> ReasonAsync(string stage, params string[] more)
    {
        var why = (await RunAsync(["why", "p.yaml", stage, "--json", .. more])).Json["stages"]![0]!;
        var plan = (await RunAsync(["plan", "p.yaml", "--json", .. more])).Json["stages"]!.AsArray().Single(candidate => (string?)candidate!["stage"] == stage)!;
        Assert.Equal(plan["reasons"]!.ToJsonString(), why["reasons"]!.ToJsonString());
        var reason = why["reasons"]![0]!;
        return ((string?)reason["kind"], (string?)reason["old"], (string?)reason["new"]);
    }

    private static string? Kind(JsonNode stage) => (string?)stage["reasons"]![0]!["kind"];
}
