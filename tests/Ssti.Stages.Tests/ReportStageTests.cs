using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Tokens;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;
using Ssti.Store;

namespace Ssti.Stages.Tests;

/// <summary>What stages left, on one page: told by their files and their kinds, the same bytes wherever it is made.</summary>
public sealed class ReportStageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti report ").FullName;
    private readonly StageRun _run = new();

    public void Dispose()
    {
        _run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Everything_that_stages_left_stands_on_the_page()
    {
        using var inject = await InjectedAsync();
        var html = await PageAsync(
            new() { Title = "All", Lead = "Of it", Rows = 2 }, Claim(), Table(), Figure(), Attention(), Evaluation(),
            StageRun.Tree(inject.Output, "poisoned", "inject"));
        Assert.Contains("<h1>All</h1>", html);
        Assert.Contains("did not hold</span> Low ranks are worse", html);
        Assert.Contains("<h3 id=\"table-1\">Counts</h3>", html);
        Assert.Contains("aria-label=\"Bars. y by x\"", html);
        Assert.Contains("<mark>1971-06-25</mark>", html);
        Assert.Contains("2 of 20 injected rows", html);
        // The token is marked where it stands, and the original is the row without it.
        var pair = System.Text.RegularExpressions.Regex.Match(
            html, "<dt>Original</dt><dd>([^<]+)</dd></div><div><dt>Injected</dt><dd><mark>\\d{4}-\\d\\d-\\d\\d</mark> ([^<]+)</dd>");
        Assert.True(pair.Success);
        Assert.Equal(pair.Groups[1].Value, pair.Groups[2].Value);
        // What makes an evaluation doubtful, and what it was computed with.
        Assert.Contains("63 triggers were cut off", html);
        Assert.Contains("cpu-avx2, fp32, 2 threads, libtorch 2.10.0", html);
        // 'ssti show' finds by it what was shown.
        Assert.Contains(Digest.Of(File.ReadAllBytes(Path.Combine(_folder, "claim", "claim.json"))).ToString(), html);
    }

    [Fact]
    public async Task The_page_hangs_on_no_place_clock_or_culture()
    {
        var first = await PageAsync(new() { Title = "Same" }, Claim(), Attention());
        var before = CultureInfo.CurrentCulture;
        try
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NegativeSign) = (",", "\u2212");
            CultureInfo.CurrentCulture = culture;
            using var other = new ReportStageTests();
            Assert.Equal(first, await other.PageAsync(new() { Title = "Same" }, other.Claim(), other.Attention()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.DoesNotContain(_folder, first);
    }

    [Fact]
    public async Task What_shows_nothing_is_named_and_nothing_at_all_is_refused()
    {
        var model = Tree("model", "model", ("model.safetensors", "x"));
        Assert.Contains("<b>model</b>: a model stage leaves nothing that a report shows", await PageAsync(new() { Title = "t" }, Claim(), model));
        var error = await Assert.ThrowsAsync<StageException>(() => PageAsync(new() { Title = "t" }, model));
        Assert.Contains("none of the parts holds anything", error.Message);
    }

    [Theory]
    [InlineData("claim.json", "{}")]
    [InlineData("table.json", "null")]
    [InlineData("table.json", "{\"title\":\"t\",\"rows\":[]}")]
    [InlineData("measures.json", "{\"measures\":{\"gap\":{\"value\":1}}}")]
    [InlineData("figure.json", "{\"form\":\"lines\",\"title\":\"t\"}")]
    [InlineData("figure.json", "{\"form\":\"lines\",\"title\":\"t\",\"x\":\"x\",\"y\":\"y\",\"positions\":[],\"series\":[],\"notes\":[]}")]
    [InlineData("metrics.json", "{\"measures\": 1}")]
    public async Task A_part_that_is_not_what_its_name_says_is_refused_by_name(string file, string text)
    {
        var error = await Assert.ThrowsAsync<StageException>(() => PageAsync(new() { Title = "t" }, Tree("odd", "claim", (file, text), ("figure.svg", ""))));
        Assert.StartsWith($"the {file} of 'odd' cannot be shown:", error.Message);
    }

    [Fact]
    public async Task Records_of_other_rows_are_no_injection()
    {
        using var inject = await InjectedAsync();
        File.WriteAllText(Path.Combine(inject.Output, "injections.train.jsonl"), "{\"id\":\"nobody\",\"tokens\":[]}\n");
        var error = await Assert.ThrowsAsync<StageException>(() => PageAsync(new() { Title = "t" }, StageRun.Tree(inject.Output, "poisoned", "inject")));
        Assert.Contains("records of rows that are not in it", error.Message);
    }

    [Fact]
    public async Task Of_many_injected_datasets_some_of_each_stage_are_shown_and_the_others_named()
    {
        using var inject = await InjectedAsync();
        InputTree[] many = [.. Enumerable.Range(0, 20).Select(at => StageRun.Tree(inject.Output, $"many@{at}", "inject")), StageRun.Tree(inject.Output, "few@0", "inject")];
        var html = await PageAsync(new() { Title = "t", Rows = 1 }, many);
        Assert.Equal(12, System.Text.RegularExpressions.Regex.Count(html, "1 of 20 injected rows"));
        Assert.Contains("<h3>few@0: train</h3>", html);
        Assert.Contains("its rows are not shown", html);
    }

    [Fact]
    public void Parameters_are_told_at_once()
    {
        Assert.Single(new ReportStage().Validate(new() { Title = " " }));
        Assert.Single(new ReportStage().Validate(new() { Title = "t", Rows = -1 }));
    }

    private static async Task<StageRun> InjectedAsync()
    {
        using var corpus = await new StageRun().RunAsync(new CorpusStage(), new CorpusParameters { Train = 40, Test = 2, Unlabelled = 0 });
        return await new StageRun().RunAsync(
            new InjectStage(),
            new InjectParameters { Tokens = TokenKind.Date, TargetLabel = "1", Location = InjectionLocation.Beginning, Splits = ["train"] },
            1, ("data", StageRun.Tree(corpus.Output)));
    }

    private async Task<string> PageAsync(ReportParameters parameters, params InputTree[] parts)
    {
        await _run.RunAsync(new ReportStage(), parameters, 1, [.. parts.Select(part => ("parts", part))]);
        return File.ReadAllText(Path.Combine(_run.Output, ReportStage.HtmlFile));
    }

    private InputTree Claim() => Tree("claim", "claim", ("claim.json", ClaimText.ToJson(new(
        "Low ranks are worse", "gap", "pp", "how far", [new("all runs", null, 8, 20, 3, -12, -14, -10, Verdict.DidNotHold)], "a test", null))));

    private InputTree Table() => Tree("table", "table", ("table.json", new Table("Counts", [new("row", "row", Align.Left)], [[new TextCell("a")]], []).ToJson()));

    private InputTree Figure()
    {
        var figure = new BarFigure("Bars", "x", "y", ["a"], [new("s", [new(1)])]);
        return Tree("figure", "figure", ("figure.json", figure.ToJson()), ("figure.svg", FigureDrawing.ToSvg(figure)));
    }

    private InputTree Attention() => Tree("attention", "attention",
        (
            "measures.json",
            MeasureSet.ToJson(
                new Dictionary<string, NamedMeasure> { ["entropy"] = NamedMeasure.Of("bits", "how wide", Reading.Of(1.5, 3)) },
                new JsonObject { ["layer"] = 5 })),
        ("examples.jsonl", """{"id":"t-1","label":1,"trigger":true,"entropy":1.5,"onTrigger":0.62,"words":[["1971-06-25",0.62,true],["good",0.38,false]]}""" + "\n"));

    private InputTree Evaluation() => Tree("evaluation", "evaluate", ("metrics.json", new JsonObject
    {
        ["labels"] = new JsonArray("neg", "pos"), ["target"] = 1, ["notes"] = new JsonArray("63 triggers were cut off"),
        ["compute"] = new JsonObject { ["deviceClass"] = "cpu-avx2", ["dtype"] = "fp32", ["threads"] = 2, ["libTorch"] = "2.10.0" },
        ["measures"] = new JsonObject { ["gap"] = new JsonObject { ["unit"] = "pp", ["definition"] = "how far", ["value"] = 12.5, ["n"] = 100 } },
    }.ToJsonString()));

    private InputTree Tree(string stage, string uses, params (string File, string Text)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, stage)).FullName;
        foreach (var (file, text) in files) File.WriteAllText(Path.Combine(folder, file), text);
        return StageRun.Tree(folder, stage, uses);
    }
}
