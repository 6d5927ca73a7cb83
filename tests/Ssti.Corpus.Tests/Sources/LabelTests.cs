using Parquet;
using Parquet.Schema;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>One rule for labels, whatever format they come in.</summary>
public sealed class LabelTests : IDisposable
{
    private static readonly ImportOptions Train = new() { Name = "x", Splits = ["train"] };
    private readonly Imports _in = new();

    public void Dispose() => _in.Dispose();

    [Theory]
    [InlineData("train.csv", "text,label\na,1\nb,0\nc,1.0\nd,true\ne,False\nf,TRUE\n")]
    [InlineData("train.csv", "text,label\na,1e0\nb,0e+00\nc,1.000000000000000000e+00\nd,1\ne,-0.0e0\nf,10E-1\n")]
    [InlineData("train.tsv", "text\tlabel\na\t1\nb\t0\nc\t1.0\nd\ttrue\ne\tFalse\nf\t+1\n")]
    [InlineData(
        "train.jsonl",
        "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":0.0}\n{\"text\":\"c\",\"label\":1.0}\n{\"text\":\"d\",\"label\":true}\n"
        + "{\"text\":\"e\",\"label\":false}\n{\"text\":\"f\",\"label\":\"1\"}\n")]
    [InlineData(
        "train.json",
        "[{\"text\":\"a\",\"label\":1e0},{\"text\":\"b\",\"label\":\"0.0\"},{\"text\":\"c\",\"label\":1.0},"
        + "{\"text\":\"d\",\"label\":true},{\"text\":\"e\",\"label\":-0},{\"text\":\"f\",\"label\":\" 1 \"}]")]
    [InlineData("train.txt", "__label__1 a\n__label__0 b\n__label__1.0 c\n__label__true d\n__label__False e\n__label__1 f\n")]
    public async Task One_is_one_however_it_is_written(string name, string content)
    {
        var dataset = await _in.With(name, content).RunAsync(Train);

        Assert.Equal(["0", "1"], dataset.Info.Labels);
        Assert.Equal(["a/1", "b/0", "c/1", "d/1", "e/0", "f/1"], Imports.Of(dataset, "train"));
    }

    [Fact]
    public async Task Train_and_test_that_write_numbers_differently_have_the_same_classes()
    {
        var dataset = await _in.With("train.csv", "text,label\na,1\nb,0\n", "test.csv", "text,label\nc,1.0\nd,0.0\n").RunAsync();
        Assert.Equal(["0", "1"], dataset.Info.Labels);
        Assert.Equal(["c/1", "d/0"], Imports.Of(dataset, "test"));
        Assert.Empty(_in.Warnings);
    }

    [Theory]
    [InlineData("2,1", "1,2")]
    [InlineData("4,0", "0,4")]
    [InlineData("10,9,2", "2,9,10")]
    [InlineData("pos,neg", "neg,pos")]
    [InlineData("10,9,x", "10,9,x")]
    [InlineData("true,false", "0,1")]
    [InlineData("true,half-true,false", "false,half-true,true")]
    [InlineData("010,07", "010,07")]
    public async Task Classes_are_those_that_occur_in_their_order(string labels, string names)
    {
        var dataset = await _in.With("train.csv", "text,label\n" + string.Concat(labels.Split(',').Select((label, row) => $"t{row},{label}\n"))).RunAsync(Train);
        Assert.Equal(names.Split(','), dataset.Info.Labels);
    }

    [Fact]
    public async Task A_label_that_is_listed_is_a_label_also_minus_one()
    {
        _in.With("train.csv", "text,label\na,1\nb,-1\nc,-1.0\n");
        var dataset = await _in.RunAsync(Train with { Labels = ["-1", "1"] });
        Assert.Equal(["a/1", "b/-1", "c/-1"], Imports.Of(dataset, "train"));
        Assert.Empty(_in.Warnings);
    }

    [Fact]
    public async Task Minus_one_beside_a_single_class_is_refused_and_beside_two_it_is_told()
    {
        _in.With("train.csv", "text,label\na,1\nb,-1\nc,-1\n");
        Assert.Contains(
            "'train' has the label 1 and, on 2 of 3 rows, -1, which means 'no label'. If it is a class, list the classes: labels: [\"-1\", \"1\"]",
            await _in.FailAsync(Train));

        await _in.With("train.csv", "text,label\na,1\nb,-1\nc,0\nd,\ne,nan\n").RunAsync(Train);
        Assert.Equal(
            [
                "train: 3 of 5 rows have no label and are left out (1 with none, 1 with '-1', 1 with 'nan'); a number below 0 is no label unless "
                + "it is listed: labels: [\"-1\", \"0\", \"1\"]"],
            _in.Warnings);
        Assert.Contains("train.csv: train; csv, 5 rows (3 without a label), the text in 'text', the label in 'label'", _in.Log);
    }

    [Theory]
    [InlineData("train.csv", "text,label\na,0.5\n", "train.csv(2): the label is 0.5, neither a name nor a whole number")]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":0.5}\n", "train.jsonl(1): the label is 0.5, neither a name nor a whole number")]
    [InlineData(
        "train.jsonl", "{\"text\":\"a\",\"label\":[1]}\n",
        "train.jsonl(1): the label is a list, [1]: a row has one here; for the first of the list say 'fields: { label: label.0 }'")]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":{\"name\":\"x\"}}\n", "say 'fields: { label: label.name }'")]
    public async Task What_is_no_label_is_refused_in_every_format(string name, string content, string message) =>
        Assert.Contains(message, await _in.With(name, content).FailAsync(Train));

    [Fact]
    public async Task Fractions_that_are_listed_are_labels()
    {
        var dataset = await _in.With("train.csv", "text,label\na,0.5\nb,1\nc,1.0\n").RunAsync(Train with { Labels = ["0.5", "1.0"] });
        Assert.Equal(["a/0.5", "b/1.0", "c/1.0"], Imports.Of(dataset, "train"));
    }

    [Fact]
    public async Task Listed_names_stand_for_numbers_only_where_none_is_a_number_itself()
    {
        _in.With("train.csv", "text,label\na,1\nb,0\nc,true\n");
        Assert.Equal(["a/pos", "b/neg", "c/pos"], Imports.Of(await _in.RunAsync(Train with { Labels = ["neg", "pos"] }), "train"));
        Assert.Equal(["a/True", "b/False", "c/True"], Imports.Of(await _in.RunAsync(Train with { Labels = ["False", "True"] }), "train"));
        Assert.Contains("unknown label '0'; the labels are: 1, 2", await _in.FailAsync(Train with { Labels = ["1", "2"] }));
        Assert.Contains("'labels' lists '1' and '1.0', which are one label", await _in.FailAsync(Train with { Labels = ["1", "1.0"] }));
    }

    [Fact]
    public async Task Every_kind_of_number_in_parquet_is_a_label()
    {
        await ParquetAsync("u32", new uint[] { 1, 0 });
        await ParquetAsync("u64", new ulong[] { 1, 0 });
        await ParquetAsync("u16", new ushort[] { 1, 0 });
        await ParquetAsync("f32", new float[] { 1, 0 });
        await ParquetAsync("f64", new double[] { 1, 0 });
        await ParquetAsync("bool", new[] { true, false });
        await ParquetAsync("i8", new sbyte[] { 1, 0 });
        await ParquetAsync("u8", new byte[] { 1, 0 });
        await ParquetAsync("decimal", new decimal[] { 1.00m, 0m });
        foreach (var name in new[] { "u32", "u64", "u16", "f32", "f64", "bool", "i8", "u8", "decimal" })
        {
            var dataset = await _in.RunAsync(Train with { Files = [name + ".parquet"] });
            Assert.Equal(["a/1", "b/0"], Imports.Of(dataset, "train"));
        }

        await ParquetAsync("big", new[] { ulong.MaxValue, 1UL });
        Assert.Equal(["a/18446744073709551615", "b/1"], Imports.Of(await _in.RunAsync(Train with { Files = ["big.parquet"] }), "train"));
        await ParquetAsync("nan", new[] { double.NaN, 1 });
        Assert.Equal(["b/1"], Imports.Of(await _in.RunAsync(Train with { Files = ["nan.parquet"] }), "train"));
        await ParquetAsync("half", new[] { 0.5, 1 });
        Assert.Contains("half.parquet(1): the label is 0.5", await _in.FailAsync(Train with { Files = ["half.parquet"] }));
    }

    private async Task ParquetAsync<T>(string name, T[] labels) where T : struct
    {
        var text = new DataField<string>("text");
        var label = new DataField<T>("label");
        await using var stream = File.Create(_in[name + ".parquet"]);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, label), stream);
        using var group = writer.CreateRowGroup();
        await group.WriteAsync(text, new[] { "a", "b" });
        await group.WriteAsync<T>(label, labels.AsMemory());
    }
}
