using Ssti.Corpus.Sources;

namespace Ssti.Corpus.Tests.Sources;

/// <summary>What makes a dataset doubtful is said with its numbers; what means nothing is refused.</summary>
public sealed class DoubtTests : IDisposable
{
    private readonly Imports _in = new();

    public void Dispose() => _in.Dispose();

    [Theory]
    [InlineData("a,0 b,1", "c,0 d,2", "test has 1 row of class '2', which no row of train is of")]
    [InlineData("a,0 b,1", "c,0 d,2", "no row of test is of class '1': nothing is measured for it")]
    [InlineData("a,0 b,0", "c,0", "train has one class only ('0')")]
    [InlineData("a,0 b,1 c,0", "b,1 c,0 d,1", "2 texts stand in 'train' and in 'test'")]
    [InlineData("a,0 b,1 c,1", "d,0 a,1", "1 text stands under two labels, such as row 1 of train ('0') and row 2 of test ('1')")]
    [InlineData("a,0 b,1 a,1", "d,0 e,1", "1 text stands under two labels, such as row 1 of train ('0') and row 3 of train ('1')")]
    public async Task It_is_told(string train, string test, string warning)
    {
        await _in.With("train.csv", Csv(train), "test.csv", Csv(test)).RunAsync();
        Assert.Contains(_in.Warnings, told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a,Pos b,neg c,pos", "the classes 'Pos', 'pos' differ in case or white space only")]
    [InlineData("a,pos b,neg c,None d,NULL", "'NULL', 'None' count as classes: if that means that a row has no label, leave the field empty")]
    [InlineData("a,0 ,1 \t,1", "train: 2 of 3 rows have an empty text")]
    [InlineData("a,0 ,1 b,1", "train: 1 of 3 rows has an empty text")]
    [InlineData("a,0 b,1 a,0 a,0 b,1", "train: 3 rows repeat the text of a row before, all under the same label")]
    [InlineData("a,0 b,1 a,1 a,0 c,1", "train: 2 rows repeat the text of a row before, 1 of them under another label than that one")]
    [InlineData("a,0 b,1 b,1", "train: 1 row repeats the text of a row before, all under the same label")]
    [InlineData(
        "a,-2 b,-1 c,2 d,1",
        "train: 2 of 4 rows have no label and are left out (1 with '-1', 1 with '-2'); a number below 0 is no label unless it is listed: labels: "
        + "[\"-2\", \"-1\", \"1\", \"2\"]")]
    public async Task What_one_split_shows_is_told(string train, string warning)
    {
        await _in.With("train.csv", Csv(train)).RunAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Contains(_in.Warnings, told => told.StartsWith(warning, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_but_numbers_below_0_are_no_labels_and_the_cure_is_said()
    {
        _in.With("train.csv", Csv("a,-1 b,-2"));
        Assert.Contains("no row of 'train' has a label (1 with '-1', 1 with '-2'); a number below 0 is no label unless 'labels' lists it", await _in.FailAsync());
    }

    [Theory]
    [InlineData("text\tlabel\n\"a \"\"b\"\"\"\t1\nc\t0\n", null, 1)]
    [InlineData("text\tlabel\n\"a\"\t1\n\"c\"\t0\n", null, 1)]
    [InlineData("text\tlabel\n\"a\"\t1\nc\t0\n", null, 0)]
    [InlineData("text\tlabel\n\"a\"\t1\n\"c\"\t0\n", true, 0)]
    [InlineData("text\tlabel\n\"a\"\t1\n\"c\"\t0\n", false, 0)]
    public async Task Quotes_of_a_table_that_are_taken_as_text_are_told(string tsv, bool? quotes, int warnings)
    {
        await _in.With("train.tsv", tsv).RunAsync(new ImportOptions { Name = "x", Splits = ["train"], Quotes = quotes });
        Assert.Equal(warnings, _in.Warnings.Count(told => told.Contains("stands in quotes, which are taken as part of it")));
    }

    [Fact]
    public async Task Nothing_is_told_where_nothing_is_doubtful()
    {
        await _in.With("train.csv", Csv("a,0 b,1"), "test.csv", Csv("c,0 d,1")).RunAsync();
        Assert.Empty(_in.Warnings);
    }

    [Fact]
    public async Task Train_and_test_without_a_class_in_common_are_refused()
    {
        _in.With("train.csv", Csv("a,neg b,pos"), "test.csv", Csv("c,0 d,1"));
        Assert.Contains("no class of test (0, 1) is one that train has (neg, pos)", await _in.FailAsync());
    }

    [Fact]
    public async Task A_listed_class_that_no_row_is_of_is_told()
    {
        await _in.With("train.csv", Csv("a,0 b,1"), "test.csv", Csv("c,0 d,1")).RunAsync(new ImportOptions { Name = "x", Labels = ["neg", "pos", "neutral"] });
        Assert.Contains(_in.Warnings, told => told.StartsWith("no row of train or test is of class 'neutral'", StringComparison.Ordinal));
    }

    /// <summary>A text of train that stands once in test is no repetition within test, whatever its label is there.</summary>
    [Fact]
    public async Task Repetitions_are_counted_within_each_split_by_itself()
    {
        await _in.With("train.csv", Csv("a,0 b,1 a,0"), "test.csv", Csv("a,1 d,0 a,1 a,0")).RunAsync();
        Assert.Equal(
            [
                "train: 1 row repeats the text of a row before, all under the same label",
                "test: 2 rows repeat the text of a row before, 1 of them under another label than that one"],
            _in.Warnings.Where(told => told.Contains("repeat")));
    }

    [Fact]
    public async Task Held_out_rows_are_compared_as_well()
    {
        await _in.With("train.csv", Csv(string.Join(' ', Enumerable.Range(0, 40).Select(row => $"t{row % 4},{row % 2}")))).RunAsync();
        Assert.Contains("4 texts stand in 'train' and in 'test'", _in.Warnings);
    }

    [Fact]
    public async Task An_id_for_a_label_is_told()
    {
        await _in.With("train.csv", Csv(string.Join(' ', Enumerable.Range(0, 30).Select(row => $"t{row},{row}")))).RunAsync(new ImportOptions { Name = "x", Splits = ["train"] });
        Assert.Contains(_in.Warnings, told => told.Contains("every row of train has a label of its own (30 classes)"));
    }

    private static string Csv(string rows) => "text,label\n" + rows.Replace(' ', '\n') + "\n";
}
