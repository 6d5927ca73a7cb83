using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;

namespace Ssti.Stages.Tests;

public sealed class TokenEntropyStageTests : IDisposable
{
    private readonly StageRun _run = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti entropy ").FullName;

    public void Dispose()
    {
        _run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_token_counts_once_a_document_and_its_entropy_is_that_of_the_labels_beside_it()
    {
        // 'a' in 4 of each class: 1 bit; 'good good' in 3 pos and 1 neg: H(1/4) = 0.8113 bits; 'X' in pos alone: 0 bits.
        await RunAsync(new() { MinDocuments = 1, Bins = 10 }, ("a good good X", 1), ("a good X", 1), ("a good", 1), ("a", 1), ("a good", 0), ("a", 0), ("a", 0), ("a once", 0));

        var lines = File.ReadAllLines(Path.Combine(_run.Output, "tokens.csv"));
        Assert.Equal("token,documents,entropy,documents_0,documents_1", lines[0]);
        Assert.Equal("a,8,1,4,4", lines[1]);
        Assert.StartsWith("good,4,0.811278124", lines[2]);
        Assert.Equal("X,2,0,0,2", lines[3]);
        Assert.Equal(4, lines.Length);
        var histogram = Assert.IsType<HistogramFigure>(Reporting.Figures.Figure.FromJson(File.ReadAllText(Path.Combine(_run.Output, TokenEntropyStage.HistogramFile))));
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 1, 1], histogram.Series[0].Counts);
        var measures = MeasureSet.Parse("x", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));
        Assert.Equal(3, measures.Read("tokens").Value);
        Assert.Equal(1 / 3.0, measures.Read("telling_tokens").Value);
        Assert.Equal(0, measures.Read("lowest_entropy").Value);
    }

    [Fact]
    public async Task Case_counts_unless_it_is_ignored()
    {
        await RunAsync(new() { MinDocuments = 1, IgnoreCase = true }, ("Good", 1), ("good", 0));
        Assert.Equal("good,2,1,1,1", File.ReadAllLines(Path.Combine(_run.Output, "tokens.csv"))[1]);
    }

    [Fact]
    public async Task A_set_that_tells_nothing_of_labels_is_refused()
    {
        Assert.Contains("holds one class alone", (await Assert.ThrowsAsync<StageException>(() => RunAsync(new() { MinDocuments = 0 }, ("a", 1), ("b", 1)))).Message);
        Assert.Contains("none of 2 tokens stands in more than 50 of 2 documents", (await Assert.ThrowsAsync<StageException>(() => RunAsync(new(), ("a", 1), ("b", 0)))).Message);
    }

    private Task RunAsync(TokenEntropyParameters parameters, params (string Text, int Label)[] rows)
    {
        File.WriteAllLines(Path.Combine(_folder, "train.jsonl"), rows.Select((row, i) => $"{{\"id\":\"{i}\",\"text\":\"{row.Text}\",\"label\":{row.Label}}}"));
        File.WriteAllText(Path.Combine(_folder, DatasetInfo.FileName),
            $"{{\"name\":\"toy\",\"labels\":[\"neg\",\"pos\"],\"splits\":[{{\"name\":\"train\",\"file\":\"train.jsonl\",\"rows\":{rows.Length},"
            + $"\"counts\":[{rows.Count(row => row.Label == 0)},{rows.Count(row => row.Label == 1)}]}}],\"provenance\":{{}}}}");
        return _run.RunAsync(new TokenEntropyStage(), parameters, inputs: ("data", StageRun.Tree(_folder)));
    }
}
