using System.Text.Json.Nodes;
using Snapshooter;
using Snapshooter.Xunit;
using Ssti.Tests;

namespace Ssti.Snapshots.Tests;

/// <summary>
/// The output of every kind, to the byte: keys do not hash code, so it is these snapshots that notice when a kind's output changes and its version does not.
/// </summary>
public sealed class GoldenOutputTests(GoldenOutputTests.Run fixture) : IClassFixture<GoldenOutputTests.Run>
{
    /// <summary>One run for all kinds.</summary>
    public sealed class Run : IAsyncLifetime
    {
        internal RealRun? Real { get; private set; }

        public async Task InitializeAsync() => Real = RealRun.Unpinned() is null ? await RealRun.Of(EveryKind.Path) : null;

        public Task DisposeAsync()
        {
            Real?.Dispose();
            return Task.CompletedTask;
        }
    }

    public static TheoryData<string> Kinds() => EveryKind.Names();

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task The_output_of_a_kind(string kind)
    {
        var run = Real();
        var name = $"{nameof(GoldenOutputTests)}.{nameof(The_output_of_a_kind)}_{kind}";
        var trained = run.ComputesWithTensors(EveryKind.InstanceOf(run.Pipeline, kind)) ? RealRun.Trained(name) : null;
        var tree = await run.TreeAsync(kind);
        var made = new JsonObject
        {
            ["document"] = run.Document(kind).ToJson(),
            ["tree"] = tree.Digest.ToString(),
            ["files"] = new JsonObject(tree.Files.Select(file => KeyValuePair.Create(file.Path, (JsonNode?)file.Digest.ToString()))),
        };
        var path = Path.Combine(Repository.Root, "tests/Ssti.Snapshots.Tests/__snapshots__", $"{name}{(trained is null ? "" : $"_{trained}")}.snap");
        if (File.Exists(path) && Verdict(JsonNode.Parse(await File.ReadAllTextAsync(path))!, made) is { } verdict) Assert.Fail($"{verdict}\nThe snapshot: {path}");
        Snapshot.Match(made.ToJsonString(KeyDocumentTests.Readable), trained is null ? SnapshotNameExtension.Create(kind) : SnapshotNameExtension.Create(kind, trained));
    }

    /// <summary>Nobody reads code to learn what a field says: every file and field that a kind really writes is named under its heading in docs/outputs.md.</summary>
    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task The_page_on_outputs_names_every_file_and_field_of_a_kind(string kind)
    {
        var (run, named) = (Real(), OutputsPage.NamesOf(kind));
        foreach (var file in (await run.TreeAsync(kind)).Files)
            Assert.All(
                OutputsPage.NamesIn(file.Path, run.PathOf(file.Digest)),
                name => Assert.True(named.Contains(name), $"docs/outputs.md, '{kind}': nothing of `{name}` ({file.Path})"));
    }

    [SkippableFact]
    public async Task The_table_of_a_run_from_corpus_to_table() => Snapshot.Match(
        await Real().TextAsync("table", "table.md"),
        SnapshotNameExtension.Create(RealRun.Trained($"{nameof(GoldenOutputTests)}.{nameof(The_table_of_a_run_from_corpus_to_table)}")));

    [SkippableFact]
    public async Task Another_run_in_the_same_process_gives_the_same_bytes()
    {
        var run = Real();
        using var again = await RealRun.Of(EveryKind.Path);
        Assert.Equal(run.Result.Stages.Select(stage => (stage.Instance.Name, stage.Tree)), again.Result.Stages.Select(stage => (stage.Instance.Name, stage.Tree)));
    }

    [Fact]
    public void Other_bytes_under_the_same_key_ask_for_a_new_version()
    {
        var noted = Made(version: 1, input: "i", output: "a");
        Assert.Null(Verdict(noted, Made(1, "i", "a")));
        Assert.Contains("bump Version of 'train' (now 1)", Verdict(noted, Made(1, "i", "b")));
        Assert.Contains("Files that differ: f", Verdict(noted, Made(1, "i", "b")));
        Assert.Contains("version of 'train' was bumped from 1 to 2", Verdict(noted, Made(2, "i", "b")));
        // What comes in differs: that is another kind's doing, and its own snapshot says so.
        Assert.Contains("'inputs' of the key differs", Verdict(noted, Made(1, "j", "b")));

        static JsonObject Made(int version, string input, string output) => new()
        {
            ["document"] = new JsonObject { ["kind"] = "train", ["version"] = version, ["inputs"] = input }, ["tree"] = output,
            ["files"] = new JsonObject { ["f"] = output, ["g"] = "same" },
        };
    }

    private RealRun Real()
    {
        Skip.If(fixture.Real is null, RealRun.Unpinned());
        return fixture.Real!;
    }

    /// <summary>What the difference between a snapshot and an output means; null when there is none.</summary>
    private static string? Verdict(JsonNode noted, JsonNode made)
    {
        if (JsonNode.DeepEquals(noted, made)) return null;
        const string renew = "look at what changed, delete the snapshot, and run once without SNAPSHOOTER_STRICT_MODE to note the new one";
        var (before, after) = (noted["document"]!.AsObject(), made["document"]!.AsObject());
        var (kind, version) = ((string)after["kind"]!, (int)after["version"]!);
        if ((int)before["version"]! is var was && was != version) return $"the version of '{kind}' was bumped from {was} to {version}: {renew}.";
        if (after.Select(field => field.Key).Union(before.Select(field => field.Key)).FirstOrDefault(key => !JsonNode.DeepEquals(before[key], after[key])) is { } field)
            return $"'{field}' of the key differs from the snapshot's, so '{kind}' may well give other bytes: {renew}.";
        var files = noted["files"]!.AsObject().Select(file => file.Key).Union(made["files"]!.AsObject().Select(file => file.Key))
            .Where(file => (string?)noted["files"]![file] != (string?)made["files"]![file]);
        return $"'{kind}' gives other bytes under the same key, and whoever has stored results would keep the old ones: bump Version of '{kind}' (now {version}), then {renew}. "
               + $"Files that differ: {string.Join(", ", files)}.";
    }
}
