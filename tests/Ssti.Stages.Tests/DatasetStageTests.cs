using Ssti.Corpus.Datasets;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Sources;
using Ssti.Corpus.Tests;
using Ssti.Corpus.Tests.Hub;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

public sealed class DatasetStageTests : IDisposable
{
    private readonly StageRun _run = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [SkippableTheory]
    [InlineData("rotten-tomatoes", "3b5026760b29fca981b859105f3a29d504057f740dfe89816a48a9ec28546c43")]
    [InlineData("commonsense-qa", "e71911bc91a05555a5ff5e06a4908579c1b899422864f8b3ba54662f4c75cddb")]
    [InlineData("bias-in-bios/balanced200", "71e1d4789027802919b72329d6cd6cfc17a2924aa1d4afeb4cd35f644553f805")]
    [InlineData("parquet/sst2-validation.parquet", "1772e99f4f2609ebd0068da1b1fd46c89221e2f263bd2bfeb2899bbe64d24541")]
    public async Task The_bytes_of_version_2(string source, string digest)
    {
        var parameters = new DatasetParameters { Source = StageRun.Local(SharedData.Path("data/" + source)), Limit = 500 };
        if (source.EndsWith(".parquet", StringComparison.Ordinal)) parameters = parameters with { Splits = ["validation"] };

        await _run.RunAsync(new DatasetStage(), parameters);

        _run.AssertBytes(new DatasetStage(), 2, digest);
    }

    [Fact]
    public async Task Words_cuts_longer_texts_behind_a_word_and_nothing_else()
    {
        _folder.Write("rows.jsonl", """{"text":" a  b\nc d ","label":0}""" + "\n" + """{"text":"a b c ","label":1}""" + "\n");
        await _run.RunAsync(new DatasetStage(), new() { Source = StageRun.Local(_folder["rows.jsonl"]), Splits = ["train"], Words = 3 });
        var dataset = DatasetReader.OpenFolder(_run.Output);
        Assert.Equal([" a  b\nc", "a b c "], dataset.Read("train").Select(row => row.Text));
        Assert.Equal(3, (int)dataset.Info.Provenance["words"]!);
    }

    [SkippableFact]
    public async Task A_local_folder_stands_in_for_the_hub_without_another_word()
    {
        var parameters = new DatasetParameters
        {
            Source = StageRun.Local(SharedData.Path("data/imdb")), Config = "plain_text", Name = "imdb", Labels = ["neg", "pos"], Limit = 300,
        };

        await _run.RunAsync(new DatasetStage(), parameters);

        var dataset = DatasetReader.OpenFolder(_run.Output);
        Assert.Equal(["dataset.json", "test.jsonl", "train.jsonl"], _run.Files);
        Assert.Equal(("imdb", 300L), (dataset.Info.Name, dataset.Info.Split("train")!.Rows));
        Assert.All(dataset.Info.Split("train")!.Counts, count => Assert.InRange(count, 110, 190));
        Assert.DoesNotContain(SharedData.Path("data"), File.ReadAllText(Path.Combine(_run.Output, "dataset.json")));
        Assert.Equal("{\"train\":300,\"test\":300}", _run.Context!.Metrics["rows"]!.ToJsonString());
    }

    /// <summary>As files of macOS and of everybody else write it: two classes to a machine, one to every reader.</summary>
    [Fact]
    public async Task Labels_that_differ_in_how_an_accent_is_written_are_told_by_their_code_points()
    {
        var rows = "text,label\na,caf\u00e9\nb,cafe\u0301\nc,cafe\nd,caf\u00e8\n";
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder.Write("rows.csv", rows)), Splits = ["train"] });
        var told = Assert.Single(_run.Context!.Warnings, warning => warning.Contains("look the same"));
        Assert.Contains("'caf\u00e9' (U+00E9)", told);
        Assert.Contains("'cafe\u0301' (U+0301)", told);
        Assert.DoesNotContain("'cafe' ", told);
        Assert.DoesNotContain("\u00e8", told);
    }

    [Theory]
    [InlineData("Caf\u00e9", "cafe\u0301", "look the same but for case")]
    [InlineData("CAF\u00c9", "caf\u00e9", "differ in case or white space only")]
    public async Task Labels_that_differ_in_case_are_told_once_whether_in_an_accent_as_well_or_not(string one, string other, string told)
    {
        var file = _folder.Write("rows.csv", $"text,label\na,{one}\nb,{other}\nc,tea\n");
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(file), Splits = ["train"] });
        Assert.Contains(told, Assert.Single(_run.Context!.Warnings));
    }

    [Fact]
    public async Task A_row_is_one_row_in_the_log()
    {
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder.Write("rows.csv", "text,label\na,x\n")), Splits = ["train"] });
        Assert.Contains("train: 1 row (x 1)", _run.Log);
        Assert.DoesNotContain(_run.Log, line => line.Contains(" 1 rows"));
    }

    [Fact]
    public async Task The_name_of_a_single_file_does_not_reach_the_output()
    {
        var lines = "{\"text\":\"a\",\"label\":\"no\"}\n{\"text\":\"b\",\"label\":\"yes\"}\n";
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder.Write("one.jsonl", lines)), Splits = ["train"] });
        var first = _run.Digest();
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder.Write("other/two.jsonl", lines)), Splits = ["train"] });
        Assert.Equal(first, _run.Digest());
    }

    [Fact]
    public async Task What_is_doubtful_is_a_warning_of_the_stage_and_what_became_of_files_is_in_its_log()
    {
        _folder.Write("in/train.csv", "text,label\na,0\nb,1\nc,\n");
        _folder.Write("in/test.csv", "text,label\na,0\n");
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder["in"]) });
        Assert.Equal(
            [
                "train: 1 of 3 rows has no label and is left out (1 with none)", "1 text stands in 'train' and in 'test'",
                "no row of test is of class '1': nothing is measured for it",
            ],
            _run.Context!.Warnings);
    }

    [Fact]
    public async Task Split_and_delimiter_reach_the_reader()
    {
        var path = _folder.Write("test.csv", "text\tlabel\na\t0\nb\t1\n");
        await _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(path), Split = "dev", Splits = ["dev"], Delimiter = "\\t" });
        Assert.Equal(2, DatasetReader.OpenFolder(_run.Output).Info.Split("dev")!.Rows);
    }

    [Fact]
    public async Task The_head_is_the_first_rows_and_a_sample_depends_on_the_seed()
    {
        var lines = string.Concat(Enumerable.Range(0, 400).Select(row => $"{{\"text\":\"t{row}\",\"label\":{row % 2}}}\n"));
        var parameters = new DatasetParameters { Source = StageRun.Local(_folder.Write("train.jsonl", lines)), Splits = ["train"], Limit = 5 };

        Assert.Equal(["train-0", "train-1", "train-2", "train-3", "train-4"], await IdsAsync(parameters with { LimitBy = LimitBy.Head }, 1));
        var sample = await IdsAsync(parameters, 1);
        Assert.Equal(sample.OrderBy(id => int.Parse(id[6..])), sample);
        Assert.Equal(sample, await IdsAsync(parameters, 1));
        Assert.NotEqual(sample, await IdsAsync(parameters, 2));
    }

    [SkippableFact]
    public async Task The_hub_serves_parquet_shards_and_the_revision_is_recorded()
    {
        var rows = await File.ReadAllBytesAsync(SharedData.Path("data/parquet/sst2-validation.parquet"));
        using var server = new HubServer { Repository = "stanfordnlp/sst2" };
        server.Small["README.md"] = """
            ---
            configs:
            - config_name: default
              data_files:
              - split: train
                path: data/train-*
              - split: test
                path: data/validation-*
            ---

            """u8.ToArray();
        server.Large["data/test-00000-of-00001.parquet"] = "not fetched"u8.ToArray();
        server.Large["data/validation-00000-of-00001.parquet"] = rows;
        server.Large["data/train-00000-of-00002.parquet"] = rows;
        server.Large["data/train-00001-of-00002.parquet"] = rows;
        var hub = new HubOptions { Endpoint = server.Endpoint, CacheFolder = _folder["cache"], Token = "hf_x" };

        await _run.RunAsync(new DatasetStage(hub), new DatasetParameters { Source = StageRun.Uri("hf://stanfordnlp/sst2") });

        var dataset = DatasetReader.OpenFolder(_run.Output);
        Assert.Equal(("sst2", HubServer.Commit), (dataset.Info.Name, (string?)dataset.Info.Provenance["revision"]));
        Assert.Equal((1744L, 872L), (dataset.Info.Split("train")!.Rows, dataset.Info.Split("test")!.Rows));
        Assert.Equal(["negative", "positive"], dataset.Info.Labels);
        Assert.Equal("train-872", dataset.Read("train").ElementAt(872).Id);
        Assert.Equal(HubServer.Commit, (string?)_run.Context!.Metrics["revision"]);
        Assert.DoesNotContain(server.AtHub, seen => seen.Path.Contains("data/test-"));
    }

    [Fact]
    public async Task A_broken_row_is_the_users_to_mend()
    {
        var path = _folder.Write("train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\"");
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(path), Splits = ["train"] }));
        Assert.StartsWith("train.jsonl(2): not a JSON object", error.Message);
    }

    [Fact]
    public void Parameters_that_cannot_work_are_refused_before_running()
    {
        var parameters = new DatasetParameters
        {
            Source = StageRun.Uri("https://example.org/x"), Splits = ["train", "train"], Labels = ["a", "a"], Encoding = "latin-15", TestFraction = 1, TestSeed = -1, Limit = 0,
            Split = "a/b", Delimiter = ";;",
        };
        Assert.Equal(
            ["source", "splits", "labels", "encoding", "delimiter", "split", "test-fraction", "test-seed", "limit"],
            new DatasetStage().Validate(parameters).Select(error => error.Key));
        Assert.Equal(["splits"], new DatasetStage().Validate(new() { Source = StageRun.Uri("hf://a/b"), Splits = [] }).Select(error => error.Key));
    }

    private async Task<string[]> IdsAsync(DatasetParameters parameters, long seed)
    {
        await _run.RunAsync(new DatasetStage(), parameters, seed);
        return [.. DatasetReader.OpenFolder(_run.Output).Read("train").Select(row => row.Id)];
    }
}
