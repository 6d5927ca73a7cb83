using Ssti.Corpus.Datasets;

namespace Ssti.Stages.Tests;

public sealed class CorpusStageTests : IDisposable
{
    private readonly StageRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task The_bytes_of_version_2()
    {
        await _run.RunAsync(new CorpusStage(), new CorpusParameters { Train = 200, Test = 100, Unlabelled = 300 });
        Assert.Equal(["dataset.json", "test.jsonl", "train.jsonl", "unlabelled.jsonl", "vocab.txt"], _run.Files);
        _run.AssertBytes(new CorpusStage(), 2, "b97647123ba7ee0e2db58941d1156665fc15d7307f33ee973c0a83c7d3f4b58f");
    }

    [Fact]
    public async Task The_seed_of_the_stage_is_the_seed_of_the_corpus()
    {
        var parameters = new CorpusParameters { Train = 20, Test = 10, Unlabelled = 0 };
        await _run.RunAsync(new CorpusStage(), parameters, seed: 1);
        var first = DatasetReader.OpenFolder(_run.Output).Read("train").ToList();
        await _run.RunAsync(new CorpusStage(), parameters, seed: -2);
        Assert.NotEqual(first, DatasetReader.OpenFolder(_run.Output).Read("train"));
        Assert.Equal(["train", "test"], DatasetReader.OpenFolder(_run.Output).Info.Splits.Select(split => split.Name));
    }

    [Fact]
    public void Parameters_that_cannot_work_are_refused_before_running()
    {
        Assert.Equal(
            ["train", "test", "unlabelled", "ambiguity", "dated"],
            new CorpusStage().Validate(new() { Train = 3, Test = -2, Unlabelled = -1, Ambiguity = 1.5, Dated = double.NaN }).Select(error => error.Key).Distinct());
        Assert.Equal(["train"], new CorpusStage().Validate(new() { Train = 0, Test = 0, Unlabelled = 0 }).Select(error => error.Key));
    }
}
