using System.IO.Compression;
using System.Text;
using Parquet;
using Parquet.Schema;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

public sealed class ImportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rows_without_a_label_are_dropped_and_counted()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":-1}\n{\"text\":\"c\",\"label\":null}\n{\"text\":\"d\",\"label\":0}\n");

        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"] });

        Assert.Equal([new Row("train-0", "a", 1), new Row("train-3", "d", 0)], dataset.Read("train"));
        Assert.Equal(2, (int)dataset.Info.Provenance["files"]![0]!["without-label"]!);
    }

    [Fact]
    public async Task A_test_split_without_labels_gives_way_to_validation()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n");
        _folder.Write("in/validation.jsonl", "{\"text\":\"v\",\"label\":1}\n");
        _folder.Write("in/test.jsonl", "{\"text\":\"t\",\"label\":-1}\n");

        var dataset = await ImportAsync(new ImportOptions { Name = "x" });

        Assert.Equal([new Row("validation-0", "v", 1)], dataset.Read("test"));
        Assert.Equal(["train", "validation"], dataset.Info.Provenance["files"]!.AsArray().Select(file => (string?)file!["split"]).Order());
    }

    [Fact]
    public async Task The_test_split_can_be_chosen()
    {
        for (var row = 0; row < 10; row++) File.AppendAllText(_folder["in/train.jsonl"], $"{{\"id\":\"r{row}\",\"text\":\"a\",\"label\":{row % 2}}}\n");
        _folder.Write("in/test.jsonl", "{\"id\":\"t\",\"text\":\"t\",\"label\":1}\n");

        Assert.Equal("t", (await ImportAsync(new ImportOptions { Name = "x" })).Read("test").Single().Id);
        var heldOut = await ImportAsync(new ImportOptions { Name = "x", TestFrom = ImportOptions.HeldOut });

        // numpy.random.default_rng(42).permutation(10) begins 5, 6, 0.
        Assert.Equal(["r5", "r6", "r0"], heldOut.Read("test").Select(row => row.Id));
        Assert.Equal(["r7", "r3", "r2", "r4", "r9", "r1", "r8"], heldOut.Read("train").Select(row => row.Id));
    }

    [Fact]
    public async Task Splits_can_be_taken_as_text_alone()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":1}\n");
        _folder.Write("in/unsupervised.jsonl", "{\"text\":\"u\",\"label\":-1}\n{\"text\":\"w\",\"label\":-1}\n");

        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"], UnlabelledSplits = ["unsupervised"] });

        Assert.Equal([new Row("unsupervised-0", "u", Row.Unlabelled), new Row("unsupervised-1", "w", Row.Unlabelled)], dataset.Read("unsupervised"));
    }

    [Fact]
    public async Task A_folder_for_each_label_is_read_as_aclImdb_is()
    {
        _folder.Write("in/train/neg/0_3.txt", "bad\nfilm");
        _folder.Write("in/train/pos/0_9.txt", "good film");
        _folder.Write("in/train/unsup/0_0.txt", "some film");
        _folder.Write("in/test/pos/1_8.txt", "fine film");

        var dataset = await ImportAsync(new ImportOptions { Name = "x", UnlabelledSplits = ["unsupervised"] });

        Assert.Equal(["neg", "pos"], dataset.Info.Labels);
        Assert.Equal([new Row("neg/0_3", "bad\nfilm", 0), new Row("pos/0_9", "good film", 1)], dataset.Read("train"));
        Assert.Equal([new Row("pos/1_8", "fine film", 1)], dataset.Read("test"));
        Assert.Equal([new Row("unsup/0_0", "some film", Row.Unlabelled)], dataset.Read("unsupervised"));
    }

    [Fact]
    public async Task A_csv_without_header_is_read_by_column_number()
    {
        _folder.Write("in/all.csv", "\"good, \"\"really\"\"\nfilm\",pos,7\nbad,neg,8\n");

        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"], Header = false, Fields = new SourceFields("0", "1", "2") });

        Assert.Equal([new Row("7", "good, \"really\"\nfilm", 1), new Row("8", "bad", 0)], dataset.Read("train"));
    }

    [Fact]
    public async Task Quotes_in_a_tsv_are_characters_like_others()
    {
        _folder.Write("in/train.tsv", "sentence\tlabel\n\"so bad\t0\n5\" wide\t1\n");
        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Equal(["\"so bad", "5\" wide"], dataset.Read("train").Select(row => row.Text));
    }

    [Theory]
    [InlineData("windows-1252", "…")]
    [InlineData("latin-1", "\u0085")]
    public async Task A_byte_is_what_its_encoding_says(string encoding, string expected)
    {
        _folder.Write("in/rt-polarity.neg", [(byte)'a', 0x85, (byte)'b', (byte)'\n']);
        _folder.Write("in/rt-polarity.pos", "good\r\n");

        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"], Encoding = encoding });

        Assert.Equal(["a" + expected + "b", "good"], dataset.Read("train").Select(row => row.Text));
    }

    [Fact]
    public async Task Compressed_files_and_a_byte_order_mark_make_no_difference()
    {
        using (var gzip = new GZipStream(File.Create(_folder["in/train.jsonl.gz"]), CompressionMode.Compress))
            gzip.Write([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes("{\"text\":\"é\",\"label\":0}\r\n{\"text\":\"b\",\"label\":1}")]);
        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Equal(["é", "b"], dataset.Read("train").Select(row => row.Text));
    }

    [Fact]
    public async Task Parquet_of_the_hubs_commonsense_qa_is_joined_as_the_published_file_is()
    {
        var id = new DataField<string>("id");
        var question = new DataField<string>("question");
        var letters = new ListField("label", new DataField<string>("element"));
        var texts = new ListField("text", new DataField<string>("element"));
        var answer = new DataField<string>("answerKey");
        var schema = new ParquetSchema(id, question, new StructField("choices", letters, texts), answer);
        await using (var stream = File.Create(_folder["in/data/train-00000-of-00001.parquet"]))
        await using (var writer = await ParquetWriter.CreateAsync(schema, stream))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(id, new[] { "q1", "q2", "q3" });
            await group.WriteAsync(question, new[] { "Where?", "Who?", "What?" });
            await group.WriteAsync((DataField)letters.Item, new[] { "A", "B", "A", "B", "C", "A" }, new[] { 0, 1, 0, 1, 1, 0 });
            await group.WriteAsync((DataField)texts.Item, new[] { "here", "there", "you", "me", "them", "it" }, new[] { 0, 1, 0, 1, 1, 0 });
            await group.WriteAsync(answer, new[] { "B", "C", "" });
        }

        var dataset = await ImportAsync(new ImportOptions { Name = "x", Splits = ["train"] });

        Assert.Equal([new Row("q1", "Where? (0) here (1) there", 1), new Row("q2", "Who? (0) you (1) me (2) them", 2)], dataset.Read("train"));
        Assert.Equal(["A", "B", "C", "D", "E"], dataset.Info.Labels);
    }

    [Fact]
    public void Splits_are_told_by_the_names_the_hub_uses()
    {
        var plan = Plan("plain_text/train-00000-of-00002.parquet", "plain_text/train-00001-of-00002.parquet", "plain_text/test-00000-of-00001-0123456789abcdef.parquet",
            "plain_text/unsupervised-00000-of-00001.parquet", "README.md", ".gitattributes", "dataset_infos.json");
        Assert.Equal(["test", "train", "unsupervised"], plan.Keys.Order());
        Assert.Equal(2, plan["train"].Count);
        Assert.Equal(["train", "validation"], Plan("dev.tsv", "train.tsv.gz").Keys.Order());
        Assert.Equal(["train", "validation"], Plan("train_rand_split.jsonl", "dev_rand_split.jsonl").Keys.Order());
        Assert.Equal(["train"], Plan("reviews.csv").Keys);
    }

    [Fact]
    public void Several_configurations_must_be_chosen_from()
    {
        string[] names = ["sst2/train-00000-of-00001.parquet", "cola/train-00000-of-00001.parquet"];
        var error = Assert.Throws<CorpusException>(() => Plan(names));
        Assert.Contains("'train' in several folders (cola, sst2); choose one with 'config'", error.Message);
        Assert.Equal("sst2/train-00000-of-00001.parquet", SourceLayout.Plan(names, new ImportOptions { Name = "x", Config = "sst2" }, "x").Splits["train"].Single().Name);
    }

    [Theory]
    [InlineData("*.csv", "a.csv", true)]
    [InlineData("*.csv", "b/a.csv", false)]
    [InlineData("**/*.csv", "a.csv", true)]
    [InlineData("**/*.csv", "b/c/a.csv", true)]
    [InlineData("b/**", "b/c/a.csv", true)]
    [InlineData("a?.csv", "ab.csv", true)]
    [InlineData("a.csv", "aXcsv", false)]
    [InlineData("train-[0-9][0-9].csv", "train-07.csv", true)]
    [InlineData("train-[!0-9].csv", "train-7.csv", false)]
    [InlineData("a[1].csv", "a[1].csv", true)]
    [InlineData("./a.csv", "a.csv", true)]
    public void Patterns_match_as_shells_match(string pattern, string name, bool matches) => Assert.Equal(matches, GlobPattern.Matches(pattern, name));

    private static IReadOnlyDictionary<string, IReadOnlyList<SourceFile>> Plan(params string[] names) => SourceLayout.Plan(names, new ImportOptions { Name = "x" }, "x").Splits;

    private async Task<DatasetReader> ImportAsync(ImportOptions options)
    {
        var output = _folder[Guid.NewGuid().ToString("n")];
        await new DatasetImporter(new LocalFolder(Path.Combine(_folder.Root, "in")), options).ImportAsync(output, CancellationToken.None);
        return DatasetReader.OpenFolder(output);
    }
}
