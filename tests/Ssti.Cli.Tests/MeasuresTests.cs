using System.Text.Json.Nodes;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>measures</c>: a pipeline's history in long form.</summary>
public sealed class MeasuresTests : CliFixture
{
    private const string Head = "run,begun,pipeline,profile,stage,uses,key,matrix.seed,params.gap,params.seeds,measure,class,unit,value,low,high,rows,reason,definition";

    public MeasuresTests()
    {
        Kinds = [.. Kinds, new GapStage(), new ShareStage()];
        Write("p.yaml", """
            name: gaps
            params: { gap: 1, seeds: [40, 45] }
            profiles: { smoke: { params: { gap: 0.1, seeds: [40] } } }
            stages:
              gaps: { uses: gap, matrix: { seed: "${{ params.seeds }}" }, with: { value: "${{ params.gap }}" } }
              share: { uses: share }
              text: { uses: write }
            """);
        Write("other.yaml", "name: other\nparams: { word: \"a, b\" }\nstages: { alone: { uses: gap, with: { value: 7 } } }");
    }

    [Fact]
    public async Task A_line_is_a_measure_of_a_stage_of_a_run_with_all_that_says_where_it_was_taken()
    {
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--profile", "smoke");
        var answer = await RunAsync("measures", "p.yaml");
        Assert.Equal((0, ""), (answer.Code, answer.Error));
        var lines = answer.Out.Split("\r\n");
        Assert.Equal(("", Head, 9), (lines[^1], lines[0], lines.Length));
        var gap = lines.Where(line => line.Contains(",gaps@")).ToArray();
        Assert.Matches("^000001-....,20..-..-..T..:..:..Z,gaps,,gaps@40,gap,[0-9a-f]{64},40,1,", gap[0]);
        Assert.EndsWith(",40,1,'[40, 45]',gap,,pp,1,0.5,1.5,100,,'how far apart, as \"told\"'".Replace("\"", "\"\"").Replace('\'', '"'), gap[0]);
        Assert.Contains(",gaps,smoke,gaps@40,", gap[2]);
        Assert.Contains(",40,0.1,[40],gap,,pp,0.1,-0.4,0.6,100,,", gap[2]);
        Assert.Equal([",share,pos,fraction,0.25,,,4,,", ",share,neg,fraction,,,,0,the class has no rows,"],
            lines.Where(line => line.Contains(",share,share,"))
                .Take(2)
                .Select(line => line[line.IndexOf(",share,", line.IndexOf("[40", StringComparison.Ordinal))..line.IndexOf("of the class", StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task Runs_and_pipelines_are_named_as_everywhere_and_stages_are_chosen()
    {
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "other.yaml");
        await RunAsync("run", "p.yaml");
        async Task<int> Count(params string[] arguments) => (await RunAsync(["measures", .. arguments])).Out.Split("\r\n").Length - 2;
        Assert.Equal((9, 8, 8, 1, 5, 4), (await Count(), await Count("gaps"), await Count("-p", "gaps"), await Count("2"), await Count("other", "last"), await Count("last", "3")));
        Assert.Equal(2, await Count("last", "--stage", "gaps"));
        Assert.Contains(",\"a, b\",", (await RunAsync("measures", "other")).Out);
        var none = await RunAsync("measures", "gasp");
        Assert.Equal((2, ""), (none.Code, none.Out));
        Assert.Contains("'gasp' is neither a run nor a pipeline that was run here (did you mean 'gaps'?)", none.Error);
        Assert.Contains("may be any of", (await RunAsync("measures", "0000")).Error);
    }

    [Fact]
    public async Task A_file_is_whole_and_JSON_is_a_line_each()
    {
        await RunAsync("run", "p.yaml");
        Assert.Equal(new Answer(0, "", ""), await RunAsync("measures", "last", "-q", "-o", "m.csv"));
        Assert.Equal((await RunAsync("measures", "last")).Out, File.ReadAllText(Path.Combine(Folder, "m.csv")));
        var lines = (await RunAsync("measures", "last", "--json", "--stage", "gaps@45")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var line = JsonNode.Parse(Assert.Single(lines))!;
        Assert.Equal(("gap", 1.0, 0.5, 100, "45", "1"),
            ((string)line["measure"]!, (double)line["value"]!, (double)line["low"]!, (int)line["rows"]!, (string)line["matrix"]!["seed"]!, (string)line["params"]!["gap"]!));
        Assert.Empty(Directory.GetFiles(Folder, "*.tmp"));
    }

    [Fact]
    public async Task What_was_collected_or_damaged_since_is_left_out_and_told()
    {
        await RunAsync("run", "other.yaml");
        await DamageAsync(".ssti", "alone");
        var damaged = await RunAsync("measures");
        Assert.Contains("warning: alone of run 000001-", damaged.Error);
        Assert.Single(damaged.Out.Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
        foreach (var blob in Directory.GetFiles(Path.Combine(Folder, ".ssti/cas"), "*", SearchOption.AllDirectories))
        {
            File.SetAttributes(blob, FileAttributes.Normal);
            File.Delete(blob);
        }

        Assert.Contains("note: the outputs of 1 stage are not in the store any more", (await RunAsync("measures")).Error);
    }

    /// <summary>A measure of each class, one of which has no rows.</summary>
    private sealed class ShareStage : StageKind<WaitParameters>
    {
        public override string Name => "share";

        public override int Version => 1;

        public override string Summary => "Measures by class.";

        public override Task RunAsync(WaitParameters parameters, StageContext context, CancellationToken cancellation) =>
            File.WriteAllTextAsync(context.Output("measures.json"), """
            { "schema": 1, "labels": ["pos", "neg"], "measures": { "share": { "unit": "fraction", "definition": "of the class",
              "classes": [{ "class": 0, "value": 0.25, "n": 4 }, { "class": 1, "value": null, "n": 0, "reason": "the class has no rows" }] } } }
            """, cancellation);
    }
}
