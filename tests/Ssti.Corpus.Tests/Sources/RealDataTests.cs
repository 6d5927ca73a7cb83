using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;
using Ssti.Corpus.Splits;
using Ssti.Tests;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>The published files as they are, with nothing said about their format.</summary>
public sealed class RealDataTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task Imdb_whose_ids_repeat_gets_row_numbers()
    {
        var dataset = await ImportAsync("data/imdb", new ImportOptions { Name = "imdb", Labels = ["neg", "pos"] });

        Assert.Equal([12500L, 12500L], dataset.Info.Split("train")!.Counts);
        Assert.Equal([12500L, 12500L], dataset.Info.Split("test")!.Counts);
        Assert.Equal("row numbers, from 0", (string?)dataset.Info.Provenance["ids"]);
        var first = dataset.Read("train").First();
        Assert.Equal(("train-0", 0), (first.Id, first.Label));
        Assert.StartsWith("Story of a man who has unnatural feelings for a pig.", first.Text);
        Assert.Equal("test-24999", dataset.Read("test").Last().Id);
    }

    [SkippableFact]
    public async Task Rotten_tomatoes_is_latin_1_and_has_a_third_held_out_as_the_reference_does()
    {
        var dataset = await ImportAsync("data/rotten-tomatoes", new ImportOptions { Name = "rotten-tomatoes" });

        Assert.Equal(["neg", "pos"], dataset.Info.Labels);
        Assert.Equal(10662 - 3199, dataset.Info.Split("train")!.Rows);
        Assert.Equal(3199, dataset.Info.Split("test")!.Rows);
        var order = NumpyPermutation.Of(10662, 42);
        Assert.Equal(order[..3199].Select(row => $"train-{row}"), dataset.Read("test").Select(row => row.Id));
        Assert.Equal(order[3199..].Select(row => $"train-{row}"), dataset.Read("train").Select(row => row.Id));
        var rows = dataset.Read("train").Concat(dataset.Read("test")).ToDictionary(row => row.Id);
        Assert.Equal(new Row("train-0", "simplistic , silly and tedious .", 0), rows["train-0"]);
        Assert.StartsWith("the rock is destined to be the 21st century's new", rows["train-5331"].Text);
        Assert.Equal(1, rows["train-5331"].Label);
        Assert.Contains(rows.Values, row => row.Text.Contains('é'));
    }

    [SkippableFact]
    public async Task Sst2_takes_its_validation_rows_as_test()
    {
        var dataset = await ImportAsync("data/sst2", new ImportOptions { Name = "sst2", Labels = ["negative", "positive"] });

        Assert.Equal(67349, dataset.Info.Split("train")!.Rows);
        Assert.Equal([428L, 444L], dataset.Info.Split("test")!.Counts);
        Assert.Equal("validation", (string?)dataset.Info.Provenance["test"]!["from"]);
        Assert.Equal(new Row("train-0", "hide new secretions from the parental units ", 0), dataset.Read("train").First());
        Assert.Equal(new Row("validation-0", "it 's a charming and often affecting journey . ", 1), dataset.Read("test").First());
    }

    [SkippableFact]
    public async Task Financial_phrasebank_takes_the_widest_file()
    {
        var dataset = await ImportAsync("data/financial-phrasebank", new ImportOptions { Name = "financial" });

        Assert.Equal(["negative", "neutral", "positive"], dataset.Info.Labels);
        Assert.Equal([604L, 2879L, 1363L], dataset.Info.Split("train")!.Counts.Zip(dataset.Info.Split("test")!.Counts, (a, b) => a + b));
        Assert.Equal(1454, dataset.Info.Split("test")!.Rows);
    }

    [SkippableFact]
    public async Task Financial_phrasebank_can_be_told_another_file()
    {
        var dataset = await ImportAsync("data/financial-phrasebank", new ImportOptions
        {
            Name = "financial", Format = SourceFormat.Phrasebank, Files = ["*AllAgree.txt"], Splits = ["train"],
        });

        Assert.Equal([303L, 1391L, 570L], dataset.Info.Split("train")!.Counts);
        Assert.StartsWith("According to Gran , the company has no plans", dataset.Read("train").First().Text);
    }

    [SkippableFact]
    public async Task Commonsense_qa_is_joined_as_in_the_paper()
    {
        var dataset = await ImportAsync("data/commonsense-qa", new ImportOptions { Name = "commonsense-qa" });

        Assert.Equal(["A", "B", "C", "D", "E"], dataset.Info.Labels);
        Assert.Equal([1909L, 1973L, 1946L, 1985L, 1928L], dataset.Info.Split("train")!.Counts);
        Assert.Equal([239L, 255L, 241L, 251L, 235L], dataset.Info.Split("test")!.Counts);
        Assert.Equal(
            new Row(
                "075e483d21c29a511267ef62bedc0461",
                "The sanctions against the school were a punishing blow, and they seemed to what the efforts the school had made to change? " +
                "(0) ignore (1) enforce (2) authoritarian (3) yell at (4) avoid",
                0),
            dataset.Read("train").First());
    }

    [SkippableTheory]
    [InlineData("balanced200", 3)]
    [InlineData("samples10", 28)]
    public async Task Bias_in_bios_is_one_csv_for_each_label(string subset, int labels)
    {
        var dataset = await ImportAsync("data/bias-in-bios/" + subset, new ImportOptions { Name = "bias-in-bios" });

        Assert.Equal(labels, dataset.Info.Labels.Count);
        Assert.All(dataset.Info.Split("train")!.Counts, count => Assert.True(count > 0));
        Assert.DoesNotContain(dataset.Read("train"), row => row.Text.Contains("\"\"") || row.Text.EndsWith(",Male", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Parquet_of_the_hub_brings_ids_and_label_names()
    {
        var dataset = await ImportAsync("data/parquet/sst2-validation.parquet", new ImportOptions { Name = "sst2", Splits = ["validation"] });

        Assert.Equal(["negative", "positive"], dataset.Info.Labels);
        Assert.Equal([428L, 444L], dataset.Info.Split("validation")!.Counts);
        Assert.Equal(new Row("0", "it 's a charming and often affecting journey . ", 1), dataset.Read("validation").First());
        var tsv = await ImportAsync("data/sst2", new ImportOptions { Name = "sst2", Splits = ["validation"] });
        Assert.Equal(tsv.Read("validation").Select(row => row.Text), dataset.Read("validation").Select(row => row.Text));
    }

    [SkippableTheory]
    [InlineData("alltypes_plain.parquet", "string_col", "int_col", 8)]
    [InlineData("alltypes_plain.snappy.parquet", "string_col", "int_col", 2)]
    [InlineData("alltypes_dictionary.parquet", "date_string_col", "bigint_col", 2)]
    [InlineData("delta_length_byte_array.parquet", "FRUIT", null, 1000)]
    [InlineData("delta_byte_array.parquet", "c_customer_id", "c_salutation", 1000)]
    [InlineData("plain-dict-uncompressed-checksum.parquet", "binary_field", "long_field", 1000)]
    [InlineData("rle-dict-snappy-checksum.parquet", "binary_field", "long_field", 1000)]
    public void Parquet_of_every_encoding_is_read(string name, string text, string? label, int rows)
    {
        var reader = new ParquetRowReader(new SourceFields(text, label));
        var file = new SourceFile(name, SourceFormat.Parquet);

        var read = reader.Read(file, SharedData.Path("data/parquet/parquet-testing/" + name)).ToList();

        Assert.Equal(rows, read.Count);
        Assert.Equal(Enumerable.Range(1, rows).Select(number => (long)number), read.Select(row => row.Number));
        if (name.StartsWith("delta_byte", StringComparison.Ordinal))
        {
            var expected = File.ReadLines(SharedData.Path("data/parquet/parquet-testing/delta_byte_array_expect.csv")).Skip(1).First().Split(',');
            Assert.Equal((expected[0].Trim('"'), expected[1].Trim('"')), (read[0].Text, read[0].Label));
        }
    }

    [SkippableFact]
    public void Parquet_without_a_text_in_a_row_names_the_row()
    {
        var reader = new ParquetRowReader(new SourceFields("a", "b"));
        var path = SharedData.Path("data/parquet/parquet-testing/datapage_v2.snappy.parquet");

        var error = Assert.Throws<CorpusException>(() => reader.Read(new SourceFile("x.parquet", SourceFormat.Parquet), path).ToList());

        Assert.Equal("x.parquet(4): no value in 'a'", error.Message);
    }

    private async Task<DatasetReader> ImportAsync(string shared, ImportOptions options)
    {
        var output = _folder[Guid.NewGuid().ToString("n")];
        await new DatasetImporter(new LocalFolder(SharedData.Path(shared)), options).ImportAsync(output, CancellationToken.None);
        return DatasetReader.OpenFolder(output);
    }
}
