using System.Text.Json.Nodes;
using Snapshooter.Xunit;

namespace Ssti.Cli.Tests;

/// <summary><c>trace</c> and <c>graph</c>.</summary>
public sealed class TraceTests : CliFixture
{
    [Fact]
    public async Task A_trace_is_what_Chrome_and_Perfetto_read()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml", "--set", "second.fail=true", "-k");
        var trace = JsonNode.Parse((await RunAsync("trace")).Out)!;
        var events = trace["traceEvents"]!.AsArray();
        Assert.All(events, e => Assert.Contains((string?)e!["ph"], (string[])["X", "M"]));
        var stages = events.Where(e => (string?)e!["ph"] == "X" && (string?)e["cat"] == "write").ToList();
        Assert.Equal([("first", "done"), ("second@a", "failed"), ("second@b", "failed")], stages
            .Select(e => ((string?)e!["name"], (string?)e["args"]!["state"])).Order());
        Assert.All(stages, e => Assert.True((double)e!["ts"]! >= 0 && (double)e["dur"]! >= 0));
    }

    [Fact]
    public async Task The_page_needs_nothing_from_elsewhere_and_no_name_can_break_it()
    {
        Write("p.yaml", "stages: { first: { uses: write, with: { text: \"</script><b>{{rows}}\" , fail: true } } }");
        await RunAsync("run", "p.yaml");
        await RunAsync("run", "p.yaml", "--set", "first.fail=false", "--set", "first.text=<img src=x>");
        var page = (await RunAsync("trace", "--html")).Out;
        Assert.DoesNotMatch("(src|href)=\"", page);
        Assert.DoesNotMatch("https?://", page);
        Assert.DoesNotContain("{{", page);
        Assert.Contains("default-src 'none'", page);
        Assert.DoesNotContain("<img", page);
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(page, "</script>"));
        Assert.Contains("<tr class=\"done\"><td>first</td>", page);
        Assert.Equal(0, (await RunAsync("trace", "1", "--html", "-o", "t.html")).Code);
        Assert.Contains("fail is true", File.ReadAllText(Path.Combine(Folder, "t.html")));
    }

    [Fact]
    public async Task A_run_that_is_not_there_has_no_trace()
    {
        Assert.Equal(2, (await RunAsync("trace")).Code);
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Assert.Equal(2, (await RunAsync("trace", "7")).Code);
        Assert.Equal(1, (await RunAsync("trace", "-o", "no/such/folder/t.json")).Code);
    }

    [Fact]
    public async Task A_graph_in_Mermaid()
    {
        Write("p.yaml", TwoStages);
        Snapshot.Match((await RunAsync("graph", "p.yaml")).Out);
    }

    [Fact]
    public async Task A_graph_of_cells_in_DOT_once_all_is_cached()
    {
        Write("p.yaml", TwoStages);
        await RunAsync("run", "p.yaml");
        Snapshot.Match((await RunAsync("graph", "p.yaml", "--dot", "--cells")).Out);
    }
}
