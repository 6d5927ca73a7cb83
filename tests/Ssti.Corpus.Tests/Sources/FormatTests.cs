using System.Reflection;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>Files as people really have them, in each format of rows.</summary>
public sealed class FormatTests : IDisposable
{
    private static readonly ImportOptions Train = new() { Name = "x", Splits = ["train"] };
    private readonly Imports _in = new();

    public void Dispose() => _in.Dispose();

    [Theory]
    [InlineData("train.json", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":0}\n")]
    [InlineData("train.json", " \n[{\"text\":\"a\",\"label\":1},\n {\"text\":\"b\", \"more\":[1,{\"x\":\"],\\\"}\"}], \"label\":0}\n]\n")]
    [InlineData("train.jsonl", "[{\"text\":\"a\",\"label\":1},{\"text\":\"b\",\"label\":0,\"score\":NaN}]")]
    [InlineData("train.jsonl", "\n\n{\"text\":\"a\",\"label\":1}\n \t\n{\"text\":\"b\",\"label\":0}\n\n")]
    [InlineData("train.jsonl", "\r\n{\"text\":\"a\",\"label\":1,\"score\":NaN,\"more\":[-Infinity,\"NaN\"]}\r\n{\"text\":\"b\",\"label\":0,\"score\":Infinity}\r\n")]
    [InlineData("train.csv", "text, label ,\na,1,\nb, 0,x\n")]
    [InlineData("train.csv", "\uFEFF\n,Text,Label\n0,a,1\n\n1,b,0\n\n")]
    [InlineData("train.CSV", "text,label\r\na,1\r\nb,0\r\n")]
    public async Task It_is_read(string name, string content) => Assert.Equal(["a/1", "b/0"], Imports.Of(await _in.With(name, content).RunAsync(Train), "train"));

    [Theory]
    [InlineData("train.tab", "text\tlabel\na\t1\nb\t0\n")]
    [InlineData("train.csv", "x,text,label,x\n7,a,1,7\n7,b,0,7\n")]
    public async Task What_nobody_asks_for_does_not_matter(string name, string content) =>
        Assert.Equal(["a/1", "b/0"], Imports.Of(await _in.With(name, content).RunAsync(Train), "train"));

    [Fact]
    public async Task Utf16_is_named_where_it_is_not_read()
    {
        await File.WriteAllTextAsync(_in.With("train.jsonl", "")["train.jsonl"], "{\"text\":\"a\",\"label\":1}\n", System.Text.Encoding.Unicode);
        Assert.Contains("train.jsonl(1): the file is UTF-16, which is not read line by line: save it as UTF-8", await _in.FailAsync(Train));
    }

    [Fact]
    public async Task A_packed_file_without_its_ending_is_named()
    {
        await using (var packed = new System.IO.Compression.GZipStream(File.Create(_in.With("train.csv", "")["train.csv"]), System.IO.Compression.CompressionLevel.Fastest))
            packed.Write("text,label\na,1\n"u8);
        Assert.Contains("train.csv is not what its name says: its beginning is gzip's: name it so that it ends in .gz", await _in.FailAsync(Train with { Encoding = "latin-1" }));
    }

    [Fact]
    public async Task A_label_that_the_first_row_lacks_is_told_all_the_same()
    {
        await _in.With("train.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\",\"label\":0}\n").RunAsync(Train);
        Assert.Contains("train.jsonl: train; jsonl, 2 rows (1 without a label), the text in 'text', the label in 'label'", _in.Log);
    }

    [Fact]
    public async Task A_format_that_is_named_decides()
    {
        _in.With("train.json", "{\"text\":\"a\",\"label\":1}\n", "test.json", "{\"text\":\"b\",\"label\":1}\n");
        Assert.Equal(["b/1"], Imports.Of(await _in.RunAsync(new ImportOptions { Name = "x", Format = SourceFormat.Jsonl }), "test"));
        _in.With("train.json", "[{\"text\":\"a\",\"label\":1}]");
        Assert.Equal(["a/1"], Imports.Of(await _in.RunAsync(Train with { Format = SourceFormat.Jsonl }, "train.json"), "train"));
        Assert.Equal(["b/1"], Imports.Of(await _in.With("rows.dat", "text,label\nb,1\n").RunAsync(Train with { Format = SourceFormat.Csv }, "rows.dat"), "train"));
    }

    [Fact]
    public async Task Fields_are_found_by_a_path()
    {
        _in.With("train.jsonl", "{\"data\":{\"text\":\"a\"},\"meta\":{\"labels\":[1,2]}}\n{\"data\":{\"text\":\"b\"},\"meta\":{\"labels\":[0]}}\n");
        Assert.Equal(["a/1", "b/0"], Imports.Of(await _in.RunAsync(Train with { Fields = new SourceFields("data.text", "meta.labels.0") }), "train"));
        Assert.Contains(
            "train.jsonl(1): no field 'data.words'; the fields are: data, meta",
            await _in.FailAsync(Train with { Fields = new SourceFields("data.words", "meta.labels.0") }));
    }

    [Theory]
    [InlineData("train.json", "{\n  \"data\": [\n", "train.json(1): not a JSON object")]
    [InlineData("train.json", "{\n  \"data\": [\n", "A row is one object on one line, or an element of one array")]
    [InlineData("train.json", "[{\"text\":\"a\",\"label\":1},", "train.json(2): the array has no end")]
    [InlineData("train.json", "[{\"text\":\"a\",\"label\":1}] x", "something stands behind the end of the array")]
    [InlineData("train.json", "[{\"text\":\"a\",\"label\":1},7]", "train.json(2): a row must be a JSON object, not Number")]
    [InlineData("train.json", "[]", "train.json has no rows")]
    [InlineData("train.jsonl", "{\"text\":NaN,\"label\":1}", "train.jsonl(1): the text is Null, not a string")]
    [InlineData("train.csv", "text,label\nthe \"best\" film,1\n", "A field with a quote in it is written \"the \"\"best\"\" film\"")]
    [InlineData("train.csv", "text,label\nthe \"best\" film,1\n", "where some are, that would break those")]
    [InlineData("train.csv", "text;label\na;1\n", "They seem to be parted by ';': say 'delimiter: \";\"'")]
    [InlineData("train.csv", "text,label,label\na,1,1\n", "two columns have one name ('label')")]
    [InlineData("train.csv", "text,label\na, b,1\n", "train.csv(2): 3 fields, but the header has 2; a field that holds a ',' stands in quotes")]
    [InlineData("train.tsv", "text\tlabel\na\tb\t1\n", "a field must not hold a '\\t', unless the file's fields are quoted: 'quotes: true'")]
    [InlineData("train.tsv", "\"text\"\t\"label\"\n\"a\"\t1\n", "Their names stand in quotes: say 'quotes: true'")]
    [InlineData("train.csv", "sep=;\ntext;label\na;1\n", "Excel's first line 'sep=;' is no header: delete it, and say 'delimiter: \";\"'")]
    [InlineData("train.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n", "train.csv is a pointer of Git LFS, not the data")]
    [InlineData("train.parquet", "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 1\n", "train.parquet is a pointer of Git LFS, not the data")]
    [InlineData("train.jsonl", "\n<!doctype HTML><html></html>\n", "train.jsonl is a web page, not data")]
    [InlineData("train.csv", "PAR1\u0015", "train.csv is not what its name says: its beginning is Parquet's")]
    [InlineData("train.csv", "PK\u0003\u0004", "its beginning is that of a ZIP archive or an Excel sheet")]
    [InlineData("train.csv", "\"3\",\"Wall St.\",\"Short sellers\"\n", "the fields are: 3, Wall St., Short sellers. If that is the first row, say 'header: false'")]
    [InlineData("train.txt", "__label__a x __label__b\n", "train.txt(1): the line has several labels")]
    [InlineData("train.txt", "x __label__b\n", "train.txt(1): the label ('__label__…') does not stand at the beginning of the line")]
    [InlineData("train.csv.gz", "text,label\na,1\n", "Is the file cut short, or not what its name says?")]
    [InlineData("train.json", "{\"text\":[\"a\",\"b\"],\"label\":[0,1]}", "Where the file holds columns, pandas writes rows")]
    [InlineData("train.txt", "text\tlabel\na\t1\n", "For a table say 'format: tsv' or 'format: csv'")]
    public async Task What_is_wrong_is_said_with_a_cure(string name, string content, string message) =>
        Assert.Contains(message, await _in.With(name, content).FailAsync(Train));

    [Fact]
    public async Task A_delimiter_can_be_named()
    {
        _in.With("train.csv", "text;label\n\"a; b\";1\nc;0\n");
        Assert.Equal(["a; b/1", "c/0"], Imports.Of(await _in.RunAsync(Train with { Delimiter = ';' }), "train"));
    }

    [Fact]
    public async Task A_column_of_float16_closes_only_itself()
    {
        await Float16Async("train.parquet");
        var dataset = await _in.RunAsync(Train);
        Assert.Equal(["a/1", "b/0"], Imports.Of(dataset, "train"));

        var error = await _in.FailAsync(Train with { Fields = new SourceFields(Label: "half") });
        Assert.Contains("train.parquet: column 'half' is of type float16, which is not read; cast it to a string or a whole number first, or write JSON lines", error);
    }

    [Fact]
    public async Task Lists_in_parquet_are_asked_about_as_in_json()
    {
        var text = new DataField<string>("text");
        var labels = new ListField("labels", new DataField<int?>("element"));
        await using (var stream = File.Create(_in["train.parquet"]))
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, labels), stream))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(text, new[] { "a", "b" });
            await group.WriteAsync<int>((DataField)labels.Item, new int?[] { 1, 2, 0 }.AsMemory(), new[] { 0, 1, 0 });
        }

        Assert.Contains("column 'labels' holds lists: a row has one label here; for the first of a list say 'fields: { label: labels.0 }'", await _in.FailAsync(Train));
        Assert.Equal(["a/1", "b/0"], Imports.Of(await _in.RunAsync(Train with { Fields = new SourceFields(Label: "labels.0") }), "train"));
        Assert.Contains("column 'labels' holds lists: a row has one text", await _in.FailAsync(Train with { Fields = new SourceFields("labels", "text") }));
    }

    // As pyarrow writes half floats: two bytes of fixed length, and the logical type in the footer.
    private async Task Float16Async(string name)
    {
        var (text, half, label) = (new DataField<string>("text"), new DataField<int>("half"), new DataField<int>("label"));
        using var written = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, half, label), written))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(text, new[] { "a", "b" });
            await group.WriteAsync<int>(half, new[] { 1, 0 }.AsMemory());
            await group.WriteAsync<int>(label, new[] { 1, 0 }.AsMemory());
        }

        var bytes = written.ToArray();
        await using var reader = await ParquetReader.CreateAsync(new MemoryStream(bytes));
        var footer = reader.Metadata!;
        var element = footer.Schema.Single(column => column.Name == "half");
        (element.Type, element.TypeLength, element.ConvertedType) = (Parquet.Meta.Type.FIXED_LEN_BYTE_ARRAY, 2, null);
        element.LogicalType = new LogicalType { FLOAT16 = new Float16Type() };
        using var thrift = new MemoryStream();
        var protocol = Activator.CreateInstance(typeof(ParquetReader).Assembly.GetType("Parquet.Meta.Proto.ThriftCompactProtocolWriter")!, thrift)!;
        typeof(FileMetaData).GetMethod("Write", BindingFlags.Instance | BindingFlags.NonPublic)!.Invoke(footer, [protocol]);
        var length = BitConverter.ToInt32(bytes, bytes.Length - 8);
        await File.WriteAllBytesAsync(_in[name], [.. bytes[..(bytes.Length - 8 - length)], .. thrift.ToArray(), .. BitConverter.GetBytes((int)thrift.Length), .. "PAR1"u8]);
        // What makes the test one: the library alone refuses the file.
        await using var alone = await ParquetReader.CreateAsync(_in[name]);
        Assert.ThrowsAny<Exception>(() => alone.Schema);
    }
}
