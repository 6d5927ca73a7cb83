using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

public sealed class SplitStageTests : IDisposable
{
    private static readonly SplitParameters Usual = new() { Into = [new() { Name = "validation", Share = 0.2 }, new() { Name = "held", Share = 0.1 }] };

    private readonly TempFolder _folder = new();
    private readonly StageRun _run = new();

    public void Dispose()
    {
        _folder.Dispose();
        _run.Dispose();
    }

    [Fact]
    public async Task Every_row_is_in_one_split_in_its_order_and_the_same_seed_gives_the_same_bytes()
    {
        Write(100, 20);
        await _run.RunAsync(new SplitStage(), Usual, 3, ("data", StageRun.Tree(_folder.Root)));
        var data = DatasetReader.OpenFolder(_run.Output);
        Assert.Equal(["train", "test", "validation", "held"], data.Info.Splits.Select(split => split.Name));
        Assert.Equal([[70L, 14], [1, 1], [20, 4], [10, 2]], data.Info.Splits.Select(split => split.Counts.ToArray()));
        var rows = new[] { "train", "validation", "held" }.Select(split => data.Read(split).ToArray()).ToArray();
        Assert.Equal(
            Enumerable.Range(0, 120).Select(i => $"r{i}").Order(StringComparer.Ordinal),
            rows.SelectMany(split => split).Select(row => row.Id).Order(StringComparer.Ordinal));
        foreach (var split in rows) Assert.Equal(split.Select(Number).Order(), split.Select(Number));
        Assert.True(File.Exists(Path.Combine(_run.Output, "vocab.txt")));
        // Two rows of a class of 20 are few.
        Assert.Equal(
            ["split 'validation' has fewer than 5 rows of class 'b' (4): what is measured of it there means little",
                "split 'held' has fewer than 5 rows of class 'b' (2): what is measured of it there means little"],
            _run.Context!.Warnings);
        var digest = _run.Digest();
        Assert.Equal(digest, (await _run.RunAsync(new SplitStage(), Usual, 3, ("data", StageRun.Tree(_folder.Root)))).Digest());
        Assert.NotEqual(digest, (await _run.RunAsync(new SplitStage(), Usual, 4, ("data", StageRun.Tree(_folder.Root)))).Digest());

        static int Number(Row row) => int.Parse(row.Id[1..], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_split_that_is_there_and_one_with_tokens_in_it_are_refused()
    {
        Write(20, 20);
        Assert.Contains("the dataset has a split 'test' already", await RefusedAsync(new() { Into = [new() { Name = "test", Share = 0.2 }] }));
        Write(20, 20, new JsonObject { ["stage"] = "inject", ["splits"] = new JsonObject { ["train"] = new JsonObject { ["injected"] = 3 } } });
        Assert.Contains("split first, then inject", await RefusedAsync(Usual));
        Write(20, 2);
        Assert.StartsWith("class 'b' has 2 different texts, too few to hold some out for 2 splits", await RefusedAsync(Usual));
    }

    [Fact]
    public void Shares_and_names_that_cannot_be_are_told()
    {
        var errors = new SplitStage().Validate(new() { Into = [new() { Name = "a b", Share = 0 }, new() { Name = "c", Share = 0.7 }, new() { Name = "c", Share = 0.3 }] });
        Assert.Equal(["into.0.name", "into.0.share", "into", "into"], errors.Select(error => error.Key));
        Assert.Equal(["into"], new SplitStage().Validate(new() { Into = [] }).Select(error => error.Key));
    }

    private async Task<string> RefusedAsync(SplitParameters parameters) =>
        (await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new SplitStage(), parameters, 3, ("data", StageRun.Tree(_folder.Root))))).Message;

    private void Write(int first, int second, JsonObject? provenance = null)
    {
        using var writer = new DatasetWriter(_folder.Root, "rows", ["a", "b"]);
        using (var train = writer.OpenSplit("train"))
            for (var i = 0; i < first + second; i++) train.Write(new Row($"r{i}", $"text {i}", i < first ? 0 : 1));
        using (var test = writer.OpenSplit("test"))
            for (var i = 0; i < 2; i++) test.Write(new Row($"t{i}", $"test {i}", i));
        writer.Complete(provenance ?? new JsonObject { ["source"] = "local files" });
        File.WriteAllText(_folder["vocab.txt"], "[PAD]\n");
    }
}
