namespace Ssti.Cli.Tests;

/// <summary>Stores that somebody, or something, has been at.</summary>
public sealed class DamageTests : CliFixture
{
    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0")]
    [InlineData("not json\n")]
    [InlineData("{\"event\":5}\n{\"event\":\"run\",\"params\":[1]}\n")]
    [InlineData("{\"event\":\"run\",\"pipeline\":7}\n")]
    [InlineData("[]\nnull\n{\"event\":\"stage\"}\n")]
    public async Task A_journal_that_is_garbage_hides_no_other_run(string garbage)
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml");
        var second = Directory.GetDirectories(Path.Combine(Folder, ".ssti", "runs")).Order().Last();
        File.WriteAllText(Path.Combine(second, "journal.jsonl"), garbage);
        Assert.StartsWith("run: 000001-", (await RunAsync("show", "last")).Out);
        Assert.Contains("writing one", (await RunAsync("log", "first")).Out);
        Assert.Contains("000001-", (await RunAsync("status", "p.yaml")).Out);
        var named = await RunAsync("diff", "1", "2");
        Assert.Equal(2, named.Code);
        Assert.Contains("cannot be read", named.Error);
        Assert.Equal(0, (await RunAsync("gc", "--keep-last", "1", "--yes")).Code);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--question")).Code);
    }

    [Theory]
    [InlineData("ac")]
    [InlineData("runs")]
    [InlineData("history")]
    [InlineData("cas")]
    [InlineData("locks")]
    public async Task A_file_where_a_folder_belongs_is_said_in_a_line(string folder)
    {
        Write("p.yaml", TwoStages);
        Write($".ssti/{folder}", "a file");
        foreach (var verb in (string[][])[["run", "p.yaml"], ["verify"], ["gc", "--yes"], ["show", "last"], ["status", "p.yaml"], ["push", "shared"]])
        {
            var answer = await RunAsync(verb);
            Assert.InRange(answer.Code, 0, 4);
            Assert.DoesNotContain("   at ", answer.Error);
        }
    }

    [Fact]
    public async Task Records_with_any_bit_turned_are_never_served_as_something_else()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var record = Directory.GetFiles(Path.Combine(Folder, ".ssti", "ac"), "*.json", SearchOption.AllDirectories).Order().First();
        var whole = File.ReadAllBytes(record);
        var random = new Random(7);
        for (var i = 0; i < 60; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(record, bytes);
            foreach (var verb in (string[][])[["plan", "p.yaml"], ["why", "p.yaml", "*"], ["show", "p.yaml", "*"], ["verify", "-q"], ["gc"]])
            {
                var answer = await RunAsync(verb);
                Assert.InRange(answer.Code, 0, 4);
                Assert.DoesNotContain("   at ", answer.Error + answer.Out);
            }
        }
    }

    [Fact]
    public async Task A_page_of_a_run_under_way_or_killed_says_unfinished()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        var journal = Directory.GetFiles(Path.Combine(Folder, ".ssti", "runs"), "journal.jsonl", SearchOption.AllDirectories).Single();
        var text = File.ReadAllText(journal);
        File.WriteAllText(journal, text[..(text.IndexOf("\"second@a\"", StringComparison.Ordinal) + 4)]);
        Assert.Contains("outcome: unfinished", (await RunAsync("show", "last")).Out);
        Assert.Contains("<b>unfinished</b>", (await RunAsync("trace", "--html")).Out);
        Assert.Contains("unfinished", (await RunAsync("status", "p.yaml")).Out);
        Assert.Equal(0, (await RunAsync("export", "last", "run.tar")).Code);
    }
}
