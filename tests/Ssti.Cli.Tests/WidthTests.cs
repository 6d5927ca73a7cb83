namespace Ssti.Cli.Tests;

/// <summary>What is shown on a terminal fits it: a line that the terminal breaks in the middle of a cell is read wrongly.</summary>
public sealed class WidthTests : CliFixture
{
    private const string Long = """
        name: a-pipeline-with-quite-a-name
        description: What it is for takes a sentence, and this sentence does not fit into the eighty columns of a terminal.
        stages:
          the-first-of-the-stages-in-it: { uses: write, with: { text: one } }
          the-second-of-the-stages-in-it:
            uses: write
            matrix: { direction: [forwards-and-onwards, back-to-where-it-began] }
            needs: { data: the-first-of-the-stages-in-it }
            with: { text: "${{ matrix.direction }}" }
        """;

    [Theory]
    [InlineData(80)]
    [InlineData(60)]
    public async Task No_line_of_a_run_a_plan_a_status_or_a_list_is_longer_than_the_terminal_is_wide(int columns)
    {
        Write("p.yaml", Long);
        // Wide without a terminal, or there would be nothing to fit.
        Columns = null;
        Assert.Contains((await RunAsync("plan", "p.yaml")).Out.Split('\n'), line => line.Length > columns);
        Columns = columns;
        foreach (var verb in (string[][])[["plan", "p.yaml"], ["run", "p.yaml", "-v"], ["run", "p.yaml", "--set", "the-first-of-the-stages-in-it.text=another"], ["runs"],
            ["status", "p.yaml", "--set", "the-first-of-the-stages-in-it.text=the third"], ["show", "last"], ["diff", "last~1", "last"],
            ["kinds", "write"]])
        {
            var answer = await RunAsync(verb);
            Assert.Equal(0, answer.Code);
            // A sentence around a table is the terminal's to break; rows of a table are not.
            var rows = answer.Out.Split('\n').Where(line => line.Contains("  ") && !line.StartsWith("command:", StringComparison.Ordinal)).ToList();
            Assert.NotEmpty(rows);
            Assert.All(rows, line => Assert.True(line.Length <= columns, $"{verb[0]}: {line.Length} columns: {line}"));
        }
    }

    [Fact]
    public async Task What_goes_into_a_pipe_stays_a_line_a_row()
    {
        Write("p.yaml", Long);
        var plan = await RunAsync("plan", "p.yaml");
        Assert.Single(plan.Out.Split('\n'), line => line.StartsWith("the-second-of-the-stages-in-it@back-to-where-it-began", StringComparison.Ordinal));
    }
}
