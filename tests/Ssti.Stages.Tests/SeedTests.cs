using Ssti.Corpus.Hub;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>Which stages have a seed in their key, and which commit a source of the Hub has in it.</summary>
public sealed class SeedTests : IDisposable
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-seeds-").FullName;
    private readonly StageRun _run = new();

    public void Dispose()
    {
        _run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Kinds_say_by_their_parameters_whether_they_draw()
    {
        var source = new SourcePath("hf://a/b", null);
        IStageKind model = new ModelStage(), evaluate = new EvaluateStage(), table = new TableStage(), corpus = new CorpusStage();
        Assert.False(model.UsesSeed(new ModelParameters { Source = source }));
        Assert.False(evaluate.UsesSeed(new EvaluateParameters()));
        Assert.False(table.UsesSeed(new TableParameters { Title = "t" }));
        Assert.True(corpus.UsesSeed(new CorpusParameters()));
        Assert.True(new PretrainStage().UsesSeed(new PretrainParameters()));
        Assert.True(new TrainStage().UsesSeed(new TrainParameters()));

        var data = new DatasetParameters { Source = source };
        Assert.False(new DatasetStage().UsesSeed(data));
        Assert.True(new DatasetStage().UsesSeed(data with { Limit = 3 }));
        Assert.False(new DatasetStage().UsesSeed(data with { Limit = 3, LimitBy = LimitBy.Head }));

        var inject = new InjectParameters { TargetLabel = "all" };
        var steps = new List<InjectStepParameters> { new() { Seed = 1 }, new() { Seed = 2 } };
        Assert.True(new InjectStage().UsesSeed(inject));
        Assert.False(new InjectStage().UsesSeed(inject with { Seed = 4 }));
        Assert.True(new InjectStage().UsesSeed(inject with { RowSeed = 4 }));
        Assert.True(new InjectStage().UsesSeed(inject with { InTurn = steps }));
        Assert.False(new InjectStage().UsesSeed(inject with { InTurn = steps, RowSeed = 4 }));
        Assert.True(new InjectStage().UsesSeed(inject with { InTurn = [.. steps, new()], RowSeed = 4 }));
    }

    [Fact]
    public async Task What_a_dataset_holds_depends_on_the_seed_exactly_when_it_says_so()
    {
        var rows = string.Concat(Enumerable.Range(0, 40).Select(i => $"{{\"text\":\"row {i}\",\"label\":{i % 2}}}\n"));
        var file = Path.Combine(_folder, "rows.jsonl");
        await File.WriteAllTextAsync(file, rows);
        var data = new DatasetParameters { Source = new SourcePath("rows.jsonl", file) };
        foreach (var parameters in new[] { data, data with { Limit = 10 }, data with { Limit = 10, LimitBy = LimitBy.Head } })
        {
            var one = (await _run.RunAsync(new DatasetStage(), parameters, seed: 1)).Digest();
            var two = (await _run.RunAsync(new DatasetStage(), parameters, seed: 2)).Digest();
            Assert.Equal(new DatasetStage().UsesSeed(parameters), one != two);
        }
    }

    [Theory]
    [InlineData("dataset", "hf://a/b", "hf://datasets/a/b", null)]
    [InlineData("dataset", "hf://datasets/a/b@main", "hf://datasets/a/b", null)]
    [InlineData("dataset", "hf://datasets/a/b@refs/convert/parquet", "hf://datasets/a/b@refs/convert/parquet", null)]
    [InlineData("dataset", "hf://a/b@" + Commit, "hf://datasets/a/b", Commit)]
    [InlineData("model", "hf://a/b@v1", "hf://a/b@v1", null)]
    [InlineData("model", "hf://a/b@0123456", "hf://a/b@0123456", null)]
    public void A_source_of_the_Hub_has_one_name_however_it_is_written(string kind, string uri, string name, string? revision)
    {
        var source = Resolver().Read(StageKinds.All.Single(one => one.Name == kind), uri)!;
        Assert.Equal((name, "hf://a/b", revision, $"hf://a/b@{Commit}"), (source.Name, source.Address, source.Revision, source.At(Commit)));
    }

    [Fact]
    public void Other_schemes_are_left_alone_and_a_data_set_is_no_model()
    {
        Assert.Null(Resolver().Read(new ModelStage(), "https://example.org/model"));
        Assert.Throws<StageException>(() => Resolver().Read(new ModelStage(), "hf://datasets/a/b"));
    }

    private HubResolver Resolver() => new(new HubOptions { CacheFolder = _folder });
}
