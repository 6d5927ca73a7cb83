using System.Text.Json.Nodes;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti report</c>, and what a run tells of its claims and pictures.</summary>
public sealed class RunReportTests : CliFixture
{
    // Two seeds: gaps of 20 and 22 pp at rank 1, of 8 at rank 16.
    private const string Ranks = """
        name: ranks
        params: { note: "</script><img src=x onerror=alert(1)>" }
        stages:
          low:
            uses: write
            matrix: { rank: [1], seed: [40, 45] }
            with: { file: measures.json, text: '{"schema":1,"measures":{"gap":{"unit":"pp","definition":"how far","value":${{ matrix.seed }},"n":10}}}' }
          high:
            uses: write
            matrix: { rank: [16], seed: [40, 45] }
            with: { file: measures.json, text: '{"schema":1,"measures":{"gap":{"unit":"pp","definition":"how far","value":8,"n":10}}}' }
          low-is-worse:
            uses: claim
            needs: { measures: [low, high] }
            with: { sentence: Rank 1 has a larger gap, measure: gap, cases: [{ left: [rank=16], right: [rank=1], published: "20.1 ± 1.5" }] }
          gaps:
            uses: figure
            needs: { measures: [low, high] }
            with: { title: Gaps, measure: gap, x: rank }
          page:
            uses: report
            needs: { parts: [low-is-worse, gaps] }
            with: { title: Ranks }
        """;

    public RunReportTests() => Kinds = [new WriteStage(), new WarnStage(), new TableStage(), new ClaimStage(), new FigureStage(), new ReportStage()];

    [Fact]
    public async Task A_claim_that_did_not_hold_is_a_result_that_a_run_prints()
    {
        Write("p.yaml", Ranks);
        var run = await RunAsync("run", "p.yaml", "-q");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("did not hold: Rank 1 has a larger gap\n", run.Out);
        Assert.Matches(@"rank 16 > rank 1 +20\.1 ± 1\.5 +\+8\.0 pp +\+42\.5 pp \[\+40\.0–\+45\.0\] +-34\.5 pp .* 2  did not hold", run.Out);
        Assert.Contains("figure.svg of gaps (Gaps): ssti export ", run.Out);
        Assert.Contains("report.html of page: ssti export ", run.Out);
        // The second time, from the cache, as well; and for programs.
        var json = (await RunAsync("run", "p.yaml", "--json")).Json;
        Assert.Equal("DidNotHold", (string?)json["claims"]!["low-is-worse"]!["verdict"]);
        Assert.Equal(("figure.svg", "Gaps"), ((string?)json["pictures"]!["gaps"]!["file"], (string?)json["pictures"]!["gaps"]!["title"]));
        Assert.Empty(json["tables"]!.AsObject());
        Assert.Equal(0, (await RunAsync("export", "p.yaml", "gaps", "out")).Code);
        // The command that is printed means this run's figure, not that of the file as it stands.
        Assert.Contains(" gaps FOLDER --set 'gaps.title=It'\\''s'\n", (await RunAsync("run", "p.yaml", "--set", "gaps.title=It's")).Out);
        Assert.StartsWith("<?xml", File.ReadAllText(Path.Combine(Folder, "out", "figure.svg")));
    }

    [Fact]
    public async Task Show_lists_the_claims_of_a_run()
    {
        Write("p.yaml", Ranks);
        await RunAsync("run", "p.yaml");
        Assert.Contains("claims:\n  stage low-is-worse  verdict did not hold  sentence Rank 1 has a larger gap\n", (await RunAsync("show", "last")).Out);
        Assert.Equal("did not hold", (string?)(await RunAsync("show", "last", "--json")).Json["claims"]![0]!["verdict"]);
    }

    [Fact]
    public async Task A_report_shows_a_run_whether_executed_or_cached()
    {
        Write("p.yaml", Ranks);
        await RunAsync("run", "p.yaml");
        var first = await RunAsync("report");
        await RunAsync("run", "p.yaml");
        var second = await RunAsync("report", "last");
        foreach (var (html, state) in new[] { (first.Out, "done"), (second.Out, "cached") })
        {
            Assert.Contains("did not hold</span> Rank 1 has a larger gap", html);
            Assert.Contains("aria-label=\"Gaps. gap", html);
            Assert.Contains($"<td class=\"state {state}\">{state}</td>", html);
            // Its graph, its cells by dimension, what made them; and no parameter of it is markup.
            Assert.Contains("Graph of 5 stages", html);
            Assert.Contains("<legend>seed</legend>", html);
            Assert.Matches("<th scope=\"row\">low@1-40</th><td>1</td><td>40</td><td>write</td><td class=\"n\">1</td>", html);
            Assert.Matches("<td>000001-[0-9a-f]{4}</td>", html);
            Assert.DoesNotContain("<img", html);
            Assert.Contains("&lt;/script&gt;&lt;img", html);
        }

        Assert.Contains("Where the time went", first.Out);
        Assert.DoesNotContain("Where the time went", second.Out);
        Assert.Contains("note: last is run 000002-", second.Error);
    }

    [Fact]
    public async Task A_report_goes_into_a_file_whole_and_into_json()
    {
        Write("p.yaml", Ranks);
        await RunAsync("run", "p.yaml");
        var file = await RunAsync("report", "1", "-o", "r.html");
        Assert.Equal((0, ""), (file.Code, file.Out));
        var html = File.ReadAllText(Path.Combine(Folder, "r.html")).Replace(Folder, "~");
        Assert.Equal((await RunAsync("report", "1")).Out, html);
        var json = (await RunAsync("report", "1", "--json")).Json;
        Assert.Equal((html, "DidNotHold"), ((string?)json["html"], (string?)json["claims"]!["low-is-worse"]));
        Assert.Equal(2, (await RunAsync("report", "7")).Code);
        Assert.Equal(2, (await RunAsync("report", "1", "--rows", "51")).Code);
        Assert.Equal(2, (await RunAsync("report", "1", "-o", ".")).Code);
        Assert.Equal(["p.yaml", "r.html"], Directory.GetFiles(Folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task What_failed_was_skipped_or_warned_is_said()
    {
        Kinds = [.. Kinds];
        Write("p.yaml", """
            name: odd
            stages:
              warned: { uses: warn, with: { warnings: [63 triggers were cut off] } }
              broken: { uses: write, with: { fail: true }, needs: { data: warned } }
              after: { uses: write, needs: { data: broken } }
            """);
        Assert.Equal(1, (await RunAsync("run", "p.yaml", "-k")).Code);
        var html = (await RunAsync("report")).Out;
        Assert.Contains("<b>warned</b>: 63 triggers were cut off", html);
        Assert.Contains("<b>broken</b>: failed: the text cannot be written", html);
        Assert.Matches("<b>after</b>: skipped: [^<]*broken", html);
        Assert.Contains("No claim: no stage of kind claim left one.", html);
        Assert.Contains("class=\"node failed\"", html);
    }

    [Fact]
    public async Task A_run_that_was_killed_and_one_of_an_older_version_say_what_is_not_known()
    {
        Write("p.yaml", Ranks);
        await RunAsync("run", "p.yaml");
        var journal = Directory.GetFiles(Path.Combine(Folder, ".ssti", "runs"), "journal.jsonl", SearchOption.AllDirectories).Single();
        var lines = File.ReadAllLines(journal);
        File.WriteAllLines(journal, lines[..4]);
        var killed = (await RunAsync("report")).Out;
        Assert.Contains("Under way, or killed: 2 of 7 cells over.", killed);
        Assert.Contains("page</b>: not over yet", killed);
        Assert.Contains("class=\"node waiting\"", killed);
        File.WriteAllLines(journal, lines.Where(line => (string?)JsonNode.Parse(line)!["event"] != "plan"));
        var older = (await RunAsync("report")).Out;
        Assert.Contains("No graph: the journal of this run, written by an older version, does not hold it.", older);
        Assert.DoesNotContain("id=\"graph\"", older);
    }

    [Fact]
    public async Task What_is_gone_or_damaged_is_said_and_the_rest_is_shown()
    {
        Write("p.yaml", Ranks);
        await RunAsync("run", "p.yaml");
        var claim = (string)(await RunAsync("show", "p.yaml", "low-is-worse", "--json")).Json["stages"]![0]!["files"]![0]!["digest"]!;
        var blob = Path.Combine(Folder, ".ssti", "cas", claim[..2], claim);
        var text = File.ReadAllText(blob);
        File.SetAttributes(blob, FileAttributes.Normal);
        File.WriteAllText(blob, text.Replace("larger", "lesser"));
        var html = (await RunAsync("report")).Out;
        Assert.Matches("<b>low-is-worse</b>: its output cannot be shown: the blob [^<]* is damaged", html);
        Assert.Contains("<h3 id=\"figure-1\">Gaps</h3>", html);
        Directory.Delete(Path.Combine(Folder, ".ssti", "ac"), recursive: true);
        Assert.Contains("its output is not in the store any more", (await RunAsync("report")).Out);
    }
}
