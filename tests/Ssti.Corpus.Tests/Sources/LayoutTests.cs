using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>Which file becomes which split, and which none.</summary>
public sealed class LayoutTests : IDisposable
{
    private const string A = "text,label\na,1\nb,0\n", B = "text,label\nc,1\nd,0\n", C = "text,label\ne,1\nf,0\n";
    private readonly Imports _in = new();

    public void Dispose() => _in.Dispose();

    [Theory]
    [InlineData("train.csv", "train")]
    [InlineData("Training.csv", "train")]
    [InlineData("train1.csv", "train")]
    [InlineData("imdb_train-2.csv", "train")]
    [InlineData("train(1).csv", "train")]
    [InlineData("2019test.csv", "test")]
    [InlineData("my.eval.csv", "test")]
    [InlineData("evaluation-v2.csv", "test")]
    [InlineData("testing/a.csv", "test")]
    [InlineData("data_dev/a.csv", "validation")]
    [InlineData("valid2.csv", "validation")]
    [InlineData("validation_matched-00000-of-00001.parquet", "validation_matched")]
    [InlineData("dev-00000-of-00001.parquet", "validation")]
    [InlineData("glue-train-00000-of-00003-0a1b.parquet", "train")]
    [InlineData("default/partial-train/0000.parquet", "train")]
    [InlineData("train/test.csv", "test")]
    [InlineData("latest.csv", null)]
    [InlineData("pretraining.csv", null)]
    [InlineData("contest.csv", null)]
    [InlineData("train_test.csv", null)]
    public void A_split_is_told_by_the_hubs_words(string name, string? split) => Assert.Equal(split, SplitNames.Of(name));

    [Fact]
    public async Task Numbered_parts_are_one_split()
    {
        var dataset = await _in.With("train1.csv", A, "train2.csv", B, "test1.csv", C).RunAsync();
        Assert.Equal(["a/1", "b/0", "c/1", "d/0"], Imports.Of(dataset, "train"));
        Assert.Equal(["e/1", "f/0"], Imports.Of(dataset, "test"));
        Assert.Equal(3, _in.Log.Count);
        Assert.Contains("test1.csv: test; csv, 2 rows, the text in 'text', the label in 'label'", _in.Log);
    }

    [Fact]
    public async Task Files_without_a_split_are_train_and_it_is_said()
    {
        await _in.With("reviews-2019.csv", A, "reviews-2020.csv", B).RunAsync();
        Assert.Contains("2 files without a split's name are taken as train ('split' or 'files' says otherwise)", _in.Log);
        Assert.Contains("reviews-2020.csv: train, of which 0.3 is held out as test; csv, 2 rows, the text in 'text', the label in 'label'", _in.Log);
    }

    [Fact]
    public async Task A_card_is_followed()
    {
        _in.With("reviews-2019.csv", A, "reviews-2020.csv", B, "notes.csv", C, "README.md",
            "---\nconfigs:\n- config_name: default\n  default: true\n  data_files:\n  - split: train\n    path: reviews-2019.csv\n  - split: test\n"
            + "    path: [\"reviews-*20.csv\"]\n"
            + "dataset_info:\n  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n      class_label:\n        names:\n"
            + "          '0': neg\n          '1': pos\n---\n# card\n");

        var dataset = await _in.RunAsync();

        Assert.Equal(["a/pos", "b/neg"], Imports.Of(dataset, "train"));
        Assert.Equal(["c/pos", "d/neg"], Imports.Of(dataset, "test"));
        Assert.Contains("the splits are those of README.md (configuration 'default')", _in.Log);
        Assert.Contains("left out: notes.csv", _in.Log);
        Assert.Equal(["e/pos", "f/neg"], Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Files = ["notes.csv"], Splits = ["train"] }), "train"));
    }

    [Theory]
    [InlineData("configs:\n- config_name: a\n  data_files: \"*19.csv\"\n", "a/1 b/0")]
    [InlineData("configs:\n- config_name: a\n  data_files:\n    train: reviews-2019.csv\n    dev: reviews-2020.csv\n", "a/1 b/0")]
    [InlineData("configs:\n- config_name: a\n  data_files:\n  - reviews-2020.csv\n  - reviews-2019.csv\n", "c/1 d/0 a/1 b/0")]
    [InlineData("configs:\n- config_name: a\n  data_files: reviews-2019.csv\n- config_name: b\n  default: true\n  data_files: reviews-2020.csv\n", "c/1 d/0")]
    [InlineData("configs:\n- config_name: a\n  data_dir: more\n", "e/1 f/0")]
    [InlineData("configs:\n- config_name: a\n  data_dir: more\n  data_files: train.csv\n", "e/1 f/0")]
    public async Task A_card_names_files_in_each_of_the_hubs_ways(string card, string rows)
    {
        _in.With("reviews-2019.csv", A, "reviews-2020.csv", B, "more/train.csv", C, "README.md", $"---\nlicense: mit\n{card}---\n");
        Assert.Equal(rows.Split(' '), Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"] }), "train"));
    }

    [Fact]
    public async Task A_card_that_leads_nowhere_says_so()
    {
        _in.With("a.csv", A, "README.md", "---\nconfigs:\n- config_name: default\n  data_files: b.csv\n---\n");
        Assert.Contains("README.md says that 'train' is 'b.csv', but there is no such file", await _in.FailAsync());
        _in.With("README.md", "---\nconfigs:\n- config_name: en\n  data_files: a.csv\n- config_name: de\n  data_files: b.csv\n---\n");
        Assert.Contains("has several configurations (en, de, says README.md); choose one with 'config', such as 'config: en'", await _in.FailAsync());
        Assert.Equal(2, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Config = "en" })).Info.Split("train")!.Rows);
        _in.With("README.md", "---\nconfigs: [\n---\n");
        Assert.Contains("the front matter is not valid YAML", await _in.FailAsync());
    }

    [Fact]
    public async Task What_a_card_says_and_nobody_follows_is_told()
    {
        _in.With("a.csv", A, "README.md", "---\nconfigs:\n- config_name: default\n  data_files: a.csv\n  names: [label, text]\n  header: null\n---\n");
        await _in.RunAsync();
        Assert.Contains(_in.Warnings, told => told.StartsWith("README.md says 'header', 'names' of how its tables are read, which is not followed", StringComparison.Ordinal));
        _in.With("README.md", "---\nconfigs:\n- config_name: en\n  data_files: a.csv\n---\n");
        Assert.Contains("has no configuration 'de', neither in its README.md nor as a folder; it has: en", await _in.FailAsync(new ImportOptions { Name = "x", Config = "de" }));
        _in.With("README.md", "---\nconfigs:\n- config_name: en\n  data_files: a.zip\n---\n", "a.zip", "PK");
        Assert.Contains("README.md says that 'train' is 'a.zip', but: Arrow, Excel, pickles and archives are not read", await _in.FailAsync());
    }

    [Theory]
    [InlineData("trainset.csv testset.csv", "'testset.csv' is taken as train, though it may be 'test'")]
    [InlineData("reviewsTrain.csv reviewsTest.csv", "'reviewsTest.csv' is taken as train, though it may be 'test'")]
    [InlineData("training.1600000.csv testdata.manual.csv", "'testdata.manual.csv' is left out, though it may be 'test'")]
    [InlineData("train.csv devdata.csv", "'devdata.csv' is left out, though it may be 'validation'")]
    [InlineData("train.csv test.csv.xz", "'test.csv.xz' is left out, though its name says 'test': it is not of a format that is read")]
    [InlineData("train.csv contest.csv latest.csv validity.csv", null)]
    [InlineData("contest.csv latest.csv testimony.csv", null)]
    [InlineData("train.csv test.csv testset.csv train.zip", null)]
    public async Task A_split_that_a_name_nearly_tells_is_told(string files, string? warning)
    {
        foreach (var file in files.Split(' ')) _in.With(file, $"text,label\n{file} a,1\n{file} b,0\n{file} c,1\n{file} d,0\n");
        await _in.RunAsync();
        Assert.Equal(warning is null ? 0 : 1, _in.Warnings.Count(told => told.Contains("though")));
        if (warning is not null) Assert.Contains(_in.Warnings, told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("train-00000-of-00003.csv train-00002-of-00003.csv", "of the 3 parts of 'train' only 2 are taken: are the others missing?")]
    [InlineData("train-00000-of-00002.csv train-00001-of-00002.csv", null)]
    public async Task Parts_that_are_missing_are_told(string files, string? warning)
    {
        foreach (var file in files.Split(' ')) _in.With(file, $"text,label\n{file} a,1\n{file} b,0\n");
        await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Equal(warning is null ? [] : [warning], _in.Warnings);
    }

    [Fact]
    public async Task Labels_on_the_lines_of_a_file_of_their_own_are_no_class()
    {
        _in.With("train_text.txt", "a\nb\n", "train_labels.txt", "0\n1\n");
        Assert.Contains("'train_labels.txt' seems to hold labels, a line for each line of another file, which is not read", await _in.FailAsync());
    }

    [Fact]
    public async Task A_separator_that_a_card_names_parts_the_fields()
    {
        _in.With("train.csv", "text;label\na, b;1\nc;0\n", "README.md", "---\nconfigs:\n- config_name: default\n  sep: \";\"\n---\n");
        Assert.Equal(["a, b/1", "c/0"], Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"] }), "train"));
        _in.With("a.csv", "text;label\na, b;1\nc;0\n", "README.md", "---\nconfigs:\n- config_name: default\n  data_files: a.csv\n  sep: \";\"\n---\n");
        Assert.Equal(["a, b/1", "c/0"], Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"] }), "train"));
    }

    [Fact]
    public async Task Raw_aclImdb_has_two_classes()
    {
        _in.With("README", "x", "imdb.vocab", "the", "imdbEr.txt", "0.04", "test/labeledBow.feat", "9 0:1", "test/urls_neg.txt", "http://x", "test/urls_pos.txt", "http://x",
            "test/neg/0_2.txt", "bad one", "test/pos/0_9.txt", "good one", "train/urls_neg.txt", "http://x", "train/urls_pos.txt", "http://x", "train/urls_unsup.txt", "http://x",
            "train/neg/0_2.txt", "bad film", "train/pos/0_9.txt", "good film", "train/unsup/0_0.txt", "some film");

        var dataset = await _in.RunAsync();

        Assert.Equal(["neg", "pos"], dataset.Info.Labels);
        Assert.Equal(["bad film/neg", "good film/pos"], Imports.Of(dataset, "train"));
        Assert.Equal(["bad one/neg", "good one/pos"], Imports.Of(dataset, "test"));
        Assert.Contains("train/neg/*: train; folder, 1 row, label 'neg'", _in.Log);
        Assert.Contains("left out, for 'unsupervised' is not asked for: train/unsup/0_0.txt", _in.Log);
        Assert.Contains(_in.Log, line => line.StartsWith("left out: imdb.vocab, imdbEr.txt, test/labeledBow.feat, test/urls_neg.txt", StringComparison.Ordinal));
        Assert.Empty(_in.Warnings);
    }

    [Theory]
    [InlineData("train/neg/2019/a.txt", "train/pos/2019/b.txt")]
    [InlineData("corpus/train/neg/a.txt", "corpus/train/pos/train_b.txt")]
    [InlineData("20news-bydate-train/neg/a.txt", "20news-bydate-train/pos/b.txt")]
    [InlineData("neg/a.txt", "pos/b.txt")]
    public async Task The_folder_of_a_class_is_found_at_other_depths(string neg, string pos)
    {
        var dataset = await _in.With(neg, "bad", pos, "good").RunAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Equal(["bad/neg", "good/pos"], Imports.Of(dataset, "train"));
    }

    [Fact]
    public async Task Texts_named_after_splits_are_no_classes()
    {
        var dataset = await _in.With("train.txt", "__label__2 the film was good\n__label__1 bad\n\n", "test.txt", "__label__1 poor\n__label__2 fine\n").RunAsync();
        Assert.Equal(["the film was good/2", "bad/1"], Imports.Of(dataset, "train"));
        Assert.Equal(["poor/1", "fine/2"], Imports.Of(dataset, "test"));

        _in.With("train.txt", "good\nbad\n", "test.txt", "x\n");
        Assert.Contains(
            "no row of 'train' has a label; a line of a text file has one in fastText's form, '__label__x text'",
            await _in.FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
        var text = await _in.RunAsync(new ImportOptions { Name = "x", Splits = [], UnlabelledSplits = ["train"] });
        Assert.Equal([new Row("train-0", "good", Row.Unlabelled), new Row("train-1", "bad", Row.Unlabelled)], text.Read("train"));

        _in.With("train.txt", "__label__1 __label__2 good\n");
        Assert.Contains("train.txt(1): the line has several labels", await _in.FailAsync());
    }

    [Fact]
    public async Task Sentences_of_a_label_and_a_split_are_both()
    {
        var dataset = await _in.With("train_neg.txt", "a\n", "train_pos.txt", "b\n", "test_neg.txt", "c\n", "test_pos.txt", "d\n").RunAsync();
        Assert.Equal(["a/neg", "b/pos"], Imports.Of(dataset, "train"));
        Assert.Equal(["c/neg", "d/pos"], Imports.Of(dataset, "test"));
        _in.With("train_neg.txt", "__label__1 a\n");
        Assert.Contains("say 'format: fasttext'", await _in.FailAsync());
    }

    [Fact]
    public async Task A_stray_file_of_another_format_does_not_count()
    {
        await _in.With("train.csv", A, "predictions.jsonl", "{\"id\":1,\"prediction\":0}\n").RunAsync();
        Assert.Contains("left out: predictions.jsonl", _in.Log);
    }

    [Fact]
    public async Task Splits_may_be_of_different_formats_and_one_format_a_split_is_taken()
    {
        var dataset = await _in.With("train.csv", A, "test.jsonl", "{\"text\":\"c\",\"label\":1}\n", "train.tsv", "text\tlabel\nx\t1\ny\t0\n").RunAsync();
        Assert.Equal(["x/1", "y/0"], Imports.Of(dataset, "train"));
        Assert.Equal(["c/1"], Imports.Of(dataset, "test"));
        Assert.Contains("'train' is there in 2 formats; taken: train.tsv; left out: train.csv. Name the 'files' if that is not meant", _in.Warnings);
    }

    [Fact]
    public async Task Several_formats_without_split_names_are_asked_about()
    {
        _in.With("reviews.csv", A, "predictions.jsonl", "{}\n");
        Assert.Contains("has files of several formats, none named after a split (predictions.jsonl, reviews.csv)", await _in.FailAsync());
        Assert.Equal(2, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Format = SourceFormat.Csv })).Info.Split("train")!.Rows);
    }

    [Fact]
    public async Task A_configuration_is_a_folder_here_too()
    {
        _in.With("en/train.csv", A, "de/train.csv", B);
        Assert.Contains("choose one with 'config', such as 'config: de', or name the 'files', such as 'files: [\"de/**\"]'", await _in.FailAsync());
        Assert.Equal(["a/1", "b/0"], Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Config = "en" }), "train"));
        Assert.Equal(4, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Files = ["*/train.csv"] })).Info.Split("train")!.Rows);
        Assert.Contains("choose one with 'config'", await _in.FailAsync(new ImportOptions { Name = "x", Config = "fr" }));
    }

    [Fact]
    public async Task Files_that_are_named_are_all_taken_at_every_depth()
    {
        _in.With("a.csv", A, "x/b.csv", B, "x/y/c.csv", C);
        Assert.Equal(6, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Files = ["**/*.csv"] })).Info.Split("train")!.Rows);
        Assert.Equal(4, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Files = ["x/**"] })).Info.Split("train")!.Rows);
        Assert.Equal(2, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Files = ["*.csv"] })).Info.Split("train")!.Rows);
        _in.With("x/test.csv", C, "z.doc", "?");
        Assert.Contains(
            "some tell a split by their names and some do not (a.csv, x/b.csv, x/y/c.csv)",
            await _in.FailAsync(new ImportOptions { Name = "x", Files = ["**/*.csv"] }));
        Assert.Equal(8, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Files = ["**/*.csv"], Split = "train" })).Info.Split("train")!.Rows);
        Assert.Contains("the format of 'z.doc', which 'files' takes, cannot be told", await _in.FailAsync(new ImportOptions { Name = "x", Files = ["**"] }));
    }

    [Fact]
    public async Task The_name_of_a_lone_file_decides_nothing()
    {
        _in.With("foo.csv", A, "test.csv", A, "rt-polarity.csv", A, "validation-00000-of-00001.csv", A);
        foreach (var name in new[] { "foo.csv", "test.csv", "rt-polarity.csv", "validation-00000-of-00001.csv" })
        {
            var dataset = await _in.RunAsync(new ImportOptions { Name = "x", TestFraction = 0.5 }, name);
            Assert.Equal((1, 1, "*.csv"), (dataset.Info.Split("train")!.Rows, dataset.Info.Split("test")!.Rows, (string?)dataset.Info.Provenance["files"]![0]!["file"]));
            Assert.Equal(name is "test.csv" or "validation-00000-of-00001.csv", _in.Warnings.Any(told => told.Contains("its name says nothing; 'split: ")));
        }

        Assert.Equal(2, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["test"] }, "foo.csv")).Info.Split("test")!.Rows);
        Assert.Equal(2, (await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["test"], Split = "test" }, "foo.csv")).Info.Split("test")!.Rows);
        Assert.Contains("has no split 'train'; it has: test", await _in.FailAsync(new ImportOptions { Name = "x", Split = "test" }, "foo.csv"));
    }

    [Fact]
    public async Task A_script_is_not_run_and_what_to_name_instead_is_said()
    {
        _in.With("README.md", "---\nlicense: mit\n---\n", "mydata.py", "import datasets\n", "dataset_infos.json", "{}");
        Assert.Contains("no file of a known format; it has: README.md, dataset_infos.json, mydata.py. Its rows come out of a script (mydata.py)", await _in.FailAsync());
        Assert.Contains("hf://owner/name@refs/convert/parquet", await _in.FailAsync());
    }

    [Fact]
    public async Task A_missing_label_column_is_named_with_those_there_are()
    {
        _in.With("train.csv", "text,polarity\na,1\nb,0\n", "test.csv", "text,polarity\nc,1\n");
        Assert.Contains("train.csv: no field that looks like the label; the fields are: text, polarity. Name it with 'fields: { label: … }'", await _in.FailAsync());
        await _in.With("train.csv", A).RunAsync();
        Assert.Contains("test.csv: left out, for no row of 'test' has a label; csv, 1 row (1 without a label), the text in 'text', no label", _in.Log);
    }

    [Fact]
    public async Task Sentiment140_as_it_is_downloaded_has_two_classes()
    {
        _in.With("training.1600000.processed.csv", "\"4\",\"0\",\"d\",\"NO_QUERY\",\"u\",\"good\"\n\"0\",\"1\",\"d\",\"NO_QUERY\",\"u\",\"bad\"\n");
        var dataset = await _in.RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Header = false, Fields = new SourceFields("5", "0") });
        Assert.Equal(["good/4", "bad/0"], Imports.Of(dataset, "train"));
        Assert.Equal(["0", "4"], dataset.Info.Labels);
    }
}
