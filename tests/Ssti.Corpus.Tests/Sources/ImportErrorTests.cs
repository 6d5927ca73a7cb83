using System.IO.Compression;
using System.Text;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>What is wrong with a source is said by file and row, with a cure, and leaves no dataset behind.</summary>
public sealed class ImportErrorTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":1", "train.jsonl(2): not a JSON object")]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":0}\n\n[1]", "train.jsonl(3): a row must be a JSON object, not Array")]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":0.5}", "train.jsonl(1): the label is 0.5, neither a name nor a whole number")]
    [InlineData("train.jsonl", "{\"text\":7,\"label\":0}", "train.jsonl(1): the text is Number, not a string")]
    [InlineData("train.jsonl", "{\"text\":\"\\ud800\",\"label\":0}", "train.jsonl(1): a string holds half of a surrogate pair")]
    [InlineData("train.jsonl", "{\"words\":\"a\",\"label\":0}", "train.jsonl(1): no field that looks like the text; the fields are: words, label")]
    [InlineData("train.jsonl", "", "train.jsonl has no rows")]
    [InlineData("train.jsonl", "{\"text\":\"a\"}", "train.jsonl: no field that looks like the label; the fields are: text")]
    [InlineData("train.jsonl", "{\"text\":\"a\",\"label\":-1}", "no row of 'train' has a label")]
    [InlineData("train.tsv", "sentence\tlabel\na\t0\nb", "train.tsv(3): 1 fields, but the header has 2")]
    [InlineData("train.tsv", "sentence\tlabel\n", "train.tsv has no rows")]
    [InlineData("train.tsv", "a\t0\na\t1\n", "train.tsv(1): no field that looks like the text; the fields are: a, 0")]
    [InlineData("train.csv", "text,label\n\"a\" b,0\n", "train.csv(2): ")]
    [InlineData("train.csv", "text,label\na,0\n\"b,1\n", "train.csv(3): ")]
    [InlineData("train.csv", "text,text\na,0\n", "train.csv(1): two columns have one name")]
    [InlineData("Sentences_AllAgree.txt", "a@positive\nno label here\n", "Sentences_AllAgree.txt(2): a line of Financial PhraseBank is 'sentence@label'")]
    [InlineData("Sentences_AllAgree.txt", "a@positive\nb@great\n", "Sentences_AllAgree.txt(2): unknown label 'great'; the labels are: negative, neutral, positive")]
    [InlineData("train.parquet", "PAR1 but not really PAR1", "train.parquet: not a readable Parquet file")]
    [InlineData(
        "train.jsonl", "{\"question\":{\"stem\":\"q\",\"choices\":[{\"label\":\"B\",\"text\":\"x\"}]},\"answerKey\":\"B\"}",
        "train.jsonl(1): the choices are labelled B, not A")]
    [InlineData("train.jsonl", "{\"question\":{\"choices\":[]}}", "train.jsonl(1): not a row of CommonsenseQA")]
    public async Task A_bad_file_is_named_with_its_row(string name, string content, string message)
    {
        _folder.Write("in/" + name, content);
        Assert.Contains(message, await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
    }

    [Theory]
    [InlineData("utf-8", "in/rt.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"caf\u00e9\",\"label\":0}\n", "rt.jsonl(2): byte 0xe9 at offset 35 is not utf-8")]
    [InlineData("ascii", "in/rt.tsv", "text\tlabel\ncaf\u00e9\t0\n", "rt.tsv(2): byte 0xe9 at offset ")]
    [InlineData("ascii", "in/rt.csv", "text,label\n\"caf\u00e9\",0\n", "rt.csv(2): byte 0xe9 at offset ")]
    [InlineData("ascii", "in/rt-polarity.neg", "fine\ncaf\u00e9\n", "rt-polarity.neg(2): byte 0xe9 at offset 8 is not us-ascii")]
    public async Task Bytes_of_another_encoding_are_named_by_offset(string encoding, string name, string content, string message)
    {
        _folder.Write(name, Encoding.Latin1.GetBytes(content));
        if (name.EndsWith("neg", StringComparison.Ordinal)) _folder.Write("in/rt-polarity.pos", "good\n");

        var error = await FailAsync(new ImportOptions { Name = "x", Splits = ["train"], Encoding = encoding });

        Assert.Contains(message, error);
        Assert.Contains("'encoding: latin-1'", error);
    }

    [Fact]
    public async Task A_label_out_of_range_is_named_by_row()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"label\":0}\n{\"text\":\"b\",\"label\":2}\n");
        Assert.Contains(
            "train.jsonl(2): label 2 is out of range: there are 2 labels, 0 to 1 (no, yes)",
            await FailAsync(new ImportOptions { Name = "x", Splits = ["train"], Labels = ["no", "yes"] }));
    }

    [Fact]
    public async Task An_id_twice_is_an_error_only_where_ids_were_asked_for()
    {
        _folder.Write("in/train.jsonl", "{\"key\":\"k\",\"text\":\"a\",\"label\":0}\n{\"key\":\"k\",\"text\":\"b\",\"label\":1}\n");
        Assert.Contains(
            "train.jsonl(2): the id 'k' is that of row 1 of 'train' too",
            await FailAsync(new ImportOptions { Name = "x", Splits = ["train"], Fields = new SourceFields(Id: "key") }));
    }

    [Fact]
    public async Task A_compressed_file_cut_short_is_an_error()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            for (var row = 0; row < 2000; row++) gzip.Write(Encoding.UTF8.GetBytes($"{{\"text\":\"text {row * 7919}\",\"label\":{row % 2}}}\n"));
        _folder.Write("in/train.jsonl.gz", packed.ToArray()[..(int)(packed.Length / 2)]);
        Assert.Contains("The gzip file is not whole", await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));

        _folder.Write("in/train.jsonl.gz", "this is not gzip");
        Assert.Contains("train.jsonl.gz(1): cannot be read", await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
    }

    [Fact]
    public async Task A_split_the_source_lacks_lists_those_it_has()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"label\":0}\n");
        Assert.Contains("has no split 'validation'; it has: train", await FailAsync(new ImportOptions { Name = "x", Splits = ["validation"] }));
    }

    [Fact]
    public async Task A_folder_of_nothing_known_lists_what_is_there()
    {
        _folder.Write("in/notes.doc", "x");
        Assert.Contains("no file of a known format; it has: notes.doc. Set 'format' or 'files'", await FailAsync(new ImportOptions { Name = "x" }));
        Assert.Contains("no file fits the pattern '*.tsv'", await FailAsync(new ImportOptions { Name = "x", Files = ["*.tsv"] }));
    }

    [Fact]
    public async Task An_empty_line_among_sentences_is_an_error()
    {
        _folder.Write("in/a.neg", "bad\n\nworse\n");
        _folder.Write("in/a.pos", "good\n");
        Assert.Contains("a.neg(2): an empty line", await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
    }

    [Fact]
    public async Task A_field_that_a_row_has_twice_is_an_error_where_it_is_used()
    {
        _folder.Write("in/train.jsonl", "{\"text\":\"a\",\"note\":1,\"note\":2,\"label\":0}\n{\"text\":\"b\",\"text\":\"other\",\"label\":1}\n");
        Assert.Contains("train.jsonl(2): two fields of the row have one name ('text')", await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
    }

    [Theory]
    [InlineData("utf-16", "is UTF-16 without a byte-order mark: save it as UTF-8 ('iconv -f utf-16le -t utf-8')")]
    [InlineData("utf-16BE", "is UTF-16 without a byte-order mark: save it as UTF-8 ('iconv -f utf-16be -t utf-8')")]
    [InlineData("utf-32", "begins with zero bytes")]
    public async Task Text_in_words_of_two_or_four_bytes_without_a_mark_is_told_as_that(string encoding, string told)
    {
        _folder.Write("in/train.csv", Encoding.GetEncoding(encoding).GetBytes("text,label\nthe film was good,1\nthe film was bad,0\n"));
        Assert.Contains($"train.csv {told}", await FailAsync(new ImportOptions { Name = "x", Splits = ["train"] }));
    }

    [Fact]
    public async Task A_second_mark_before_the_header_is_no_part_of_a_name()
    {
        _folder.Write("in/train.csv", "\uFEFF\uFEFFtext,label\na,0\nb,1\n");
        await new DatasetImporter(new LocalFolder(Path.Combine(_folder.Root, "in")), new ImportOptions { Name = "x", Splits = ["train"] })
            .ImportAsync(_folder["out"], CancellationToken.None);
        Assert.Equal(["a", "b"], DatasetReader.OpenFolder(_folder["out"]).Read("train").Select(row => row.Text));
    }

    private async Task<string> FailAsync(ImportOptions options)
    {
        var importer = new DatasetImporter(new LocalFolder(Path.Combine(_folder.Root, "in")), options);
        var error = await Assert.ThrowsAsync<CorpusException>(() => importer.ImportAsync(_folder["out"], CancellationToken.None));
        Assert.False(File.Exists(Path.Combine(_folder.Root, "out", DatasetInfo.FileName)));
        return error.Message;
    }
}
