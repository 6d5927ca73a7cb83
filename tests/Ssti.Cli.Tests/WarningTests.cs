namespace Ssti.Cli.Tests;

/// <summary>Warnings: told at the end of a run, kept with what they are about, and failures for who asks so.</summary>
public sealed class WarningTests : CliFixture
{
    private const string Yaml = """
        name: doubtful
        stages:
          rows: { uses: warn, with: { warnings: ["12 of 500 rows were dropped"] } }
          train: { uses: warn, needs: { data: rows }, matrix: { r: [1, 2, 3] }, with: { warnings: ["the loss rose", "seed ${{ matrix.r }} is odd"] } }
          clean: { uses: write }
          report: { uses: write, needs: { data: train } }
        """;

    private const string List = """
        5 warnings:
          rows: 12 of 500 rows were dropped
          train (all 3 cells): the loss rose
          train@1: seed 1 is odd
          train@2: seed 2 is odd
          train@3: seed 3 is odd

        """;

    public WarningTests() => Kinds = [new WriteStage(), new WarnStage()];

    [Fact]
    public async Task The_end_of_a_run_lists_them_by_stage_and_what_cells_say_alike_once_also_from_the_cache()
    {
        Write("p.yaml", Yaml);
        var first = await RunAsync("run", "p.yaml", "-j", "1");
        Assert.Equal(0, first.Code);
        Assert.EndsWith(List, first.Error);
        Assert.Matches("rows: done in .* \\(.*\\), 1 warning\n", first.Error);
        var cached = await RunAsync("run", "p.yaml", "-q");
        Assert.Equal((0, List), (cached.Code, cached.Error));
        Assert.Equal(List, (await RunAsync("plan", "p.yaml")).Error);
    }

    [Fact]
    public async Task Some_of_many_cells_are_named()
    {
        Write("p.yaml", """
            stages:
              t: { uses: warn, matrix: { say: [a, a1, b], also: [x, y] }, exclude: [], with: { warnings: ["${{ matrix.say }}"] } }
            """.Replace(" exclude: [],", ""));
        var run = await RunAsync("run", "p.yaml");
        Assert.Contains("  t (2 cells: a-x, a-y): a\n", run.Error);
        Assert.Contains("  t (2 cells: b-x, b-y): b\n", run.Error);
    }

    [Fact]
    public async Task Json_of_run_plan_and_show_has_them_and_show_keeps_them()
    {
        Write("p.yaml", Yaml);
        // One after the other: a journal has stages in the order in which they ended.
        var run = await RunAsync("run", "p.yaml", "--json", "-j", "1");
        Assert.Equal(["the loss rose", "seed 2 is odd"], Texts(Of(run, "train@2")));
        Assert.Empty(run.Json["warnings"]!.AsArray());
        Assert.Equal(["the loss rose", "seed 2 is odd"], Texts(Of(await RunAsync("plan", "p.yaml", "--json"), "train@2")));
        Assert.Empty(Texts(Of(await RunAsync("plan", "p.yaml", "--json", "-f", "train"), "train@2")));
        Assert.Equal(["12 of 500 rows were dropped"], Texts(Of(await RunAsync("show", "p.yaml", "rows", "--json"), "rows")));
        Assert.Equal(["12 of 500 rows were dropped"], Texts(Of(await RunAsync("show", "last", "--json"), "rows")));
        Assert.Contains("warnings:\n  12 of 500 rows were dropped\n", (await RunAsync("show", "p.yaml", "rows")).Out);
        Assert.EndsWith(List, (await RunAsync("show", "last")).Out);
        Assert.Contains("warning: 12 of 500 rows were dropped", (await RunAsync("log", "rows")).Out);
    }

    [Fact]
    public async Task Strict_makes_them_failures_and_the_same_run_without_it_goes_on_from_the_cache()
    {
        Write("p.yaml", Yaml);
        var strict = await RunAsync("run", "p.yaml", "--strict", "-k");
        Assert.Equal(1, strict.Code);
        Assert.Contains("rows failed: strict: it warns: 12 of 500 rows were dropped\n", strict.Error);
        var lenient = await RunAsync("run", "p.yaml", "--json");
        Assert.Equal(("cached", "done", "cached"), (State(lenient, "rows"), State(lenient, "train@1"), State(lenient, "clean")));
        var again = await RunAsync("run", "p.yaml", "--strict", "--json");
        Assert.Equal(1, again.Code);
        Assert.Equal(("failed", "skipped", "skipped"), (State(again, "rows"), State(again, "train@1"), State(again, "report")));
        Assert.Equal("failed", (string?)again.Json["outcome"]);
        Assert.Equal(0, (await RunAsync("run", "p.yaml")).Code);
    }

    [Fact]
    public async Task What_is_odd_about_the_store_is_in_the_list_and_fails_a_strict_run()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "-q");
        await DamageAsync(".ssti", "first");
        Write("p.yaml", TwoStages.Replace("letter: [a, b]", "letter: [c]"));
        var strict = await RunAsync("run", "p.yaml", "--strict", "--json");
        Assert.Equal((1, "failed"), (strict.Code, (string?)strict.Json["outcome"]));
        Assert.Contains("it is rebuilt in this run", (string?)strict.Json["warnings"]![0]);
        Assert.Equal("done", State(strict, "second@c"));
        Assert.Contains("the run failed: strict, and 2 warnings about the run itself", strict.Error);
        Assert.Equal(0, (await RunAsync("run", "p.yaml", "--strict")).Code);
    }

    [Fact]
    public async Task A_damaged_table_is_rebuilt_before_it_is_printed()
    {
        Kinds = [new TableMaker()];
        Write("p.yaml", "stages: { scores: { uses: table } }");
        var first = await RunAsync("run", "p.yaml", "-q");
        Assert.Contains("A small table", first.Out);
        await DamageAsync(".ssti", "scores");
        var again = await RunAsync("run", "p.yaml", "-q");
        Assert.Equal((0, first.Out), (again.Code, again.Out));
        Assert.Matches("warning: a result cannot be printed: the blob .* is damaged, and was put aside as .*; it is rebuilt\n", again.Error);
    }

    public sealed record TableMakerParameters;

    /// <summary>Leaves a table, as other kinds of that name may.</summary>
    public sealed class TableMaker : Engine.Stages.StageKind<TableMakerParameters>
    {
        public override string Name => "table";

        public override int Version => 1;

        public override string Summary => "A table.";

        public override Task RunAsync(TableMakerParameters parameters, Engine.Stages.StageContext context, CancellationToken cancellation) =>
            File.WriteAllTextAsync(context.Output("table.json"),
                new Reporting.Tables.Table("A small table", [new("a", "a")], [[new Reporting.Tables.TextCell("1")]], []).ToJson(), cancellation);
    }

    private static System.Text.Json.Nodes.JsonNode Of(Answer answer, string stage) =>
        answer.Json["stages"]!.AsArray().Single(one => (string?)one!["stage"] == stage)!;

    private static IEnumerable<string?> Texts(System.Text.Json.Nodes.JsonNode stage) => stage["warnings"]!.AsArray().Select(text => (string?)text);

    private static string? State(Answer answer, string stage) => (string?)Of(answer, stage)["state"];
}
