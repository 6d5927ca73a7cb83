using Ssti.Corpus.Datasets;
using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;

namespace Ssti.Injection.Tests.Rows;

public sealed class SplitInjectorTests
{
    private static readonly TokenTable Marks = TokenTable.Of(["!", "!!"]);

    [Fact]
    public void Rows_keep_their_order_when_asked_to()
    {
        var (rows, records, counts) = Run(Plan() with { Order = RowOrder.Kept });
        Assert.Equal(Rows.Select(row => row.Id), rows.Select(row => row.Id));
        Assert.Equal(Rows.Where(row => row.Label == 1).Select(row => row.Id), records.Select(record => record.RowId));
        Assert.Equal(new InjectionCounts(100, 40, 40, 40), counts);
    }

    [Fact]
    public void Rows_of_other_labels_are_passed_on_untouched()
    {
        var (rows, _, _) = Run(Plan());
        Assert.Equal(Rows.Where(row => row.Label == 0), rows.Where(row => row.Label == 0));
        Assert.All(rows.Take(40), row => Assert.Contains('!', row.Text));
    }

    [Fact]
    public void A_null_target_injects_every_class()
    {
        var (rows, _, counts) = Run(Plan() with { TargetLabel = null });
        Assert.All(rows, row => Assert.Contains('!', row.Text));
        Assert.Equal(new InjectionCounts(100, 100, 100, 100), counts);
    }

    [Theory]
    [InlineData(0.5, ProportionOf.Class, 20)]
    [InlineData(0.2, ProportionOf.Set, 20)]
    [InlineData(0.0625, ProportionOf.Class, 2)]
    [InlineData(0.0375, ProportionOf.Class, 2)]
    public void A_proportion_is_of_the_class_or_of_the_set_and_halves_go_to_even(double proportion, ProportionOf of, int expected)
    {
        var (_, records, counts) = Run(Plan() with { Proportion = proportion, ProportionOf = of });
        Assert.Equal(expected, records.Count);
        Assert.Equal(expected / 40.0, counts.ShareOfClass);
        Assert.Equal(expected / 100.0, counts.ShareOfSet);
    }

    [Fact]
    public void More_of_the_set_than_the_class_has_is_refused()
    {
        var error = Assert.Throws<InjectionException>(() => Run(Plan() with { Proportion = 0.5, ProportionOf = ProportionOf.Set }));
        Assert.Contains("is 50 rows, but only 40 of its 100", error.Message);
    }

    [Fact]
    public void Tokens_that_run_out_are_known_before_a_row_is_written()
    {
        var plan = Plan() with { Steps = [new() { Tokens = TokenTable.Dates(2001, 2001), WordShare = 1, Replacement = false, Seed = 1, TokenSeed = 1 }], TargetLabel = null };
        var written = 0;
        var error = Assert.Throws<InjectionException>(() => new SplitInjector(plan).Inject(Split, () => Rows, _ => written++, _ => written++));
        Assert.Equal(0, written);
        Assert.Contains("all 365 tokens have been used", error.Message);
        Assert.Contains("row '91': after 91 of 100", error.Message);
    }

    [Fact]
    public void Without_replacement_no_token_comes_twice_even_one_that_the_list_holds_twice()
    {
        var plan = Plan() with { Steps = [new() { Tokens = TokenTable.Of([.. Enumerable.Range(0, 100).Select(i => $"t{i / 2}")]), Replacement = false, Seed = 1 }] };
        var (_, records, _) = Run(plan);
        Assert.Equal(40, records.SelectMany(record => record.Tokens).Select(token => token.Token).Distinct().Count());
        var all = Assert.Throws<InjectionException>(() => Run(plan with { TargetLabel = null }));
        Assert.Contains("all 50 tokens", all.Message);
    }

    [Fact]
    public void With_per_row_streams_a_larger_proportion_holds_the_rows_of_a_smaller_and_their_tokens()
    {
        var plan = Plan() with { Streams = RandomStreams.PerRow };
        var (_, some, _) = Run(plan with { Proportion = 0.25 });
        var (_, more, _) = Run(plan with { Proportion = 0.75 });
        Assert.Equal((10, 30), (some.Count, more.Count));
        foreach (var record in some) Assert.Equal(record.Tokens, more.Single(other => other.RowId == record.RowId).Tokens);
    }

    [Fact]
    public void Per_row_streams_without_replacement_contradict_each_other()
    {
        var plan = Plan() with { Streams = RandomStreams.PerRow, Steps = [new() { Tokens = Marks, Replacement = false, Seed = 1 }] };
        Assert.Contains("use sequential streams", Assert.Throws<InjectionException>(() => Run(plan)).Message);
    }

    [Fact]
    public void Rows_are_streamed_and_not_held()
    {
        // 400 rows of 2 MB, together far more than what may be alive at any time.
        const int count = 400;
        var split = new SplitInfo("train", "train.jsonl", count, [count / 2, count / 2]);
        IEnumerable<Row> Large() => Enumerable.Range(0, count).Select(i => new Row($"{i}", new string((char)('a' + i % 26), 1_000_000), i % 2));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0, written = 0;
        new SplitInjector(Plan()).Inject(split, Large, _ => written++, _ => { }, done =>
        {
            if (done % 50 == 0) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        });
        Assert.Equal(count, written);
        Assert.InRange(most, 0, 60_000_000);
    }

    [Fact]
    public void A_label_nobody_has_is_refused() => Assert.Throws<InjectionException>(() => Run(Plan() with { TargetLabel = 2 }));

    [Fact]
    public void Records_come_back_from_their_file_as_they_went()
    {
        var path = Path.GetTempFileName();
        try
        {
            var (rows, records, _) = Run(Plan() with { Steps = [.. Samples.Steps().Last()], Whitespace = WhitespaceHandling.Kept });
            using (var writer = new InjectionRecordWriter(path))
                foreach (var record in records) writer.Write(record);
            var read = InjectionRecordFile.Read(path).ToArray();
            Assert.Equal(records.Select(record => record.RowId), read.Select(record => record.RowId));
            Assert.Equal(records.SelectMany(record => record.Tokens), read.SelectMany(record => record.Tokens));
            foreach (var record in read)
                Assert.Equal(Rows.Single(row => row.Id == record.RowId).Text, record.RemoveFrom(rows.Single(row => row.Id == record.RowId).Text));
            File.AppendAllText(path, "{\"id\":\"1\"}\n");
            Assert.Contains("(41): the line is not an injection record", Assert.Throws<InjectionException>(() => InjectionRecordFile.Read(path).ToArray()).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static readonly Row[] Rows = [.. Enumerable.Range(0, 100).Select(i => new Row($"{i}", $"text  number\n{i} here", i % 5 < 2 ? 1 : 0))];

    private static readonly SplitInfo Split = new("train", "train.jsonl", 100, [60, 40]);

    private static InjectionPlan Plan() => new() { Steps = [new() { Tokens = Marks, Seed = 1 }], TargetLabel = 1, RowSeed = 1 };

    private static (List<Row> Rows, List<InjectionRecord> Records, InjectionCounts Counts) Run(InjectionPlan plan)
    {
        var (rows, records) = (new List<Row>(), new List<InjectionRecord>());
        var counts = new SplitInjector(plan).Inject(Split, () => Rows, rows.Add, records.Add);
        return (rows, records, counts);
    }
}
