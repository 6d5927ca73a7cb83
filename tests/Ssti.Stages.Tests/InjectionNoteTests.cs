using Ssti.Corpus.Datasets;

namespace Ssti.Stages.Tests;

/// <summary>What inject stages write is what evaluations read: without it, no table would know a row's target.</summary>
public sealed class InjectionNoteTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("ssti-note-").FullName;
    private readonly StageRun _first = new(), _second = new();

    public InjectionNoteTests()
    {
        using var writer = new DatasetWriter(_data, "toy", ["neg", "pos"]);
        foreach (var split in new[] { "train", "test" })
        {
            using var rows = writer.OpenSplit(split);
            for (var i = 0; i < 10; i++) rows.Write(new Row($"{i}", $"a text {i}", i < 6 ? 0 : 1));
        }

        writer.Complete([]);
    }

    public void Dispose()
    {
        Directory.Delete(_data, recursive: true);
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task One_class_injected_is_the_target_with_its_rows()
    {
        await InjectAsync(_first, _data, new() { TargetLabel = "pos", Tokens = TokenKind.Date, Splits = ["train"] });
        var note = Note(_first, "train")!;
        Assert.Equal((1, 4L), (note.Target, note.Rows));
        Assert.Equal("published", (string?)note.Json["protocol"]);
        Assert.Null(Note(_first, "test"));
    }

    [Fact]
    public async Task Every_class_injected_has_no_target()
    {
        await InjectAsync(_first, _data, new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] });
        var note = Note(_first, "test")!;
        Assert.Equal((null, 10L), (note.Target, note.Rows));
    }

    [Fact]
    public async Task A_proportion_of_zero_leaves_clean_data()
    {
        await InjectAsync(_first, _data, new() { TargetLabel = "0", Tokens = TokenKind.Date, Proportion = 0, Splits = ["train"] });
        Assert.Null(Note(_first, "train"));
    }

    [Fact]
    public async Task Of_two_injections_the_last_that_touched_the_split_is_told()
    {
        await InjectAsync(_first, _data, new() { TargetLabel = "0", Tokens = TokenKind.Date, Splits = ["train"] });
        await InjectAsync(_second, _first.Output, new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] });
        Assert.Equal(0, Note(_second, "train")!.Target);
        Assert.Null(Note(_second, "test")!.Target);
    }

    private static Task InjectAsync(StageRun run, string folder, InjectParameters parameters) =>
        run.RunAsync(new InjectStage(), parameters, inputs: ("data", StageRun.Tree(folder)));

    private static InjectionNote? Note(StageRun run, string split) => InjectionNote.Of(DatasetReader.OpenFolder(run.Output).Info.Provenance, split);
}
