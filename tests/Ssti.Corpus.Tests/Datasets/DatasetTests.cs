using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;

namespace Ssti.Corpus.Tests.Datasets;

public sealed class DatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_written_are_the_rows_read()
    {
        Row[] rows =
        [
            new("a", "plain", 0),
            new("b", "", 1),
            new("c", "quote \" back\\slash \n \r \t \u0001 \u007f \u0085 \u2028 é 漢字 😀 </p>", 1),
            new("long", new string('x', 300_000) + "😀" + new string('y', 300_001), 0),
        ];
        Write(rows);

        var reader = DatasetReader.OpenFolder(_folder.Root);

        Assert.Equal(rows, reader.Read("train"));
        Assert.Equal([2L, 2L], reader.Info.Split("train")!.Counts);
        Assert.Equal(4, reader.Info.Split("train")!.Rows);
    }

    [Fact]
    public void The_bytes_are_those_of_the_format()
    {
        Write([new("7", "Café \"déjà\" 😀\u2028\u0007", 1)]);

        Assert.Equal(
            "{\"id\":\"7\",\"text\":\"Café \\\"déjà\\\" 😀\u2028\\u0007\",\"label\":1}\n",
            File.ReadAllText(_folder["train.jsonl"], Encoding.UTF8));
        Assert.Equal(
            """
            {
              "name": "films",
              "labels": [
                "schlecht & öde",
                "pos"
              ],
              "splits": [
                {
                  "name": "train",
                  "file": "train.jsonl",
                  "rows": 1,
                  "counts": [
                    0,
                    1
                  ]
                }
              ],
              "provenance": {
                "source": "here"
              }
            }

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(_folder["dataset.json"], Encoding.UTF8));
    }

    [Fact]
    public void A_split_without_labels_counts_none()
    {
        Write([new("0", "some text", Row.Unlabelled), new("1", "more text", Row.Unlabelled)]);

        var split = DatasetReader.OpenFolder(_folder.Root).Info.Split("train")!;

        Assert.False(split.IsLabelled);
        Assert.Equal(2, split.Rows);
    }

    [Theory]
    [InlineData(0, Row.Unlabelled)]
    [InlineData(Row.Unlabelled, 0)]
    public void A_split_with_labels_in_some_rows_only_is_refused(int first, int second)
    {
        var error = Assert.Throws<CorpusException>(() => Write([new("0", "a", first), new("1", "b", second)]));
        Assert.Contains("train.jsonl(2)", error.Message);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-2)]
    public void A_label_out_of_range_is_refused_when_written(int label)
    {
        var error = Assert.Throws<CorpusException>(() => Write([new("0", "a", 0), new("x", "b", label)]));
        Assert.Contains("train.jsonl(2): row 'x' has label", error.Message);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused_when_written()
    {
        var error = Assert.Throws<CorpusException>(() => Write([new("0", "a\ud83d", 0)]));
        Assert.Contains("train.jsonl(1): row '0'", error.Message);
    }

    [Theory]
    [InlineData("{\"id\":\"1\",\"text\":\"b\"}", "needs")]
    [InlineData("{\"id\":\"1\",\"text\":\"b\",\"label\":2}", "label 2")]
    [InlineData("{\"id\":\"1\",\"text\":\"b\",\"label\":1", "not valid")]
    [InlineData("{\"id\":\"1\",\"text\":\"b\",\"label\":1} x", "not valid")]
    [InlineData("{\"id\":1,\"text\":\"b\",\"label\":1}", "not valid")]
    [InlineData("{\"id\":\"1\",\"text\":\"\\ud83d\",\"label\":1}", "not valid")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("", "not valid")]
    public void A_broken_row_is_named_by_file_and_row(string line, string message)
    {
        Write([new("0", "a", 0), new("1", "b", 1)]);
        var first = File.ReadLines(_folder["train.jsonl"]).First();
        _folder.Write("train.jsonl", first + "\n" + line + "\n");

        var error = Assert.Throws<CorpusException>(() => DatasetReader.OpenFolder(_folder.Root).Read("train").ToList());

        Assert.StartsWith("train.jsonl(2): ", error.Message);
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void A_file_cut_at_a_line_is_noticed()
    {
        Write([new("0", "a", 0), new("1", "b", 1)]);
        _folder.Write("train.jsonl", File.ReadLines(_folder["train.jsonl"]).First() + "\n");

        var error = Assert.Throws<CorpusException>(() => DatasetReader.OpenFolder(_folder.Root).Read("train").ToList());

        Assert.Equal("train.jsonl has 1 rows, but dataset.json says 2", error.Message);
    }

    [Fact]
    public void An_unknown_split_lists_the_known_ones()
    {
        Write([new("0", "a", 0)]);
        var error = Assert.Throws<CorpusException>(() => DatasetReader.OpenFolder(_folder.Root).Read("tset"));
        Assert.Equal("the dataset 'films' has no split 'tset'; it has: train", error.Message);
    }

    private void Write(IEnumerable<Row> rows)
    {
        using var writer = new DatasetWriter(_folder.Root, "films", ["schlecht & öde", "pos"]);
        using (var split = writer.OpenSplit("train"))
            foreach (var row in rows) split.Write(row);
        writer.Complete(new JsonObject { ["source"] = "here" });
    }
}
