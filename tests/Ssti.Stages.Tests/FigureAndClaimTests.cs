using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;

namespace Ssti.Stages.Tests;

/// <summary>Figures and claims out of measures over a grid of ranks, proportions and seeds.</summary>
public sealed class FigureAndClaimTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti figures ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_figure_has_a_point_for_each_cell_with_the_range_over_seeds_and_the_published_values_beside()
    {
        await RunAsync(new FigureStage(), new FigureParameters
        {
            Title = "Gap", Measure = "gap", X = "rank", By = "proportion",
            Published = [new() { Value = "0.5", Values = [20.1, 8.1], Errors = [1.5, 1.1] }],
        });
        Assert.Equal(["figure.json", "figure.svg"], Directory.GetFiles(Output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var figure = Assert.IsType<LineFigure>(Reporting.Figures.Figure.FromJson(Text("figure.json")));
        Assert.Equal(["1", "16"], figure.Positions);
        Assert.Equal(["proportion 0.5", "proportion 1", "proportion 0.5, published"], figure.Series.Select(series => series.Name));
        Assert.Equal(new FigurePoint(20, 19, 21), figure.Series[0].Points[0]);
        Assert.Equal(new FigurePoint(20.1, 18.6, 21.6), figure.Series[2].Points[0]);
        Assert.Contains("gap: how far.", figure.Notes);
        Assert.Contains(figure.Notes, note => note.Contains("seed 40, 45, 50; bars: smallest to largest"));
        Assert.StartsWith("<?xml", Text("figure.svg"));
    }

    [Fact]
    public async Task Bars_and_heat_maps_show_the_same_cells_and_histograms_what_was_counted()
    {
        await RunAsync(
            new FigureStage(),
            new FigureParameters
            {
                Title = "Gap", Form = FigureForm.Bars, Measure = "gap", X = "rank", By = "proportion",
                Spread = Reporting.Tables.SpreadKind.Deviation
            });
        var bars = Assert.IsType<BarFigure>(Reporting.Figures.Figure.FromJson(Text("figure.json")));
        Assert.Equal(new FigurePoint(20, 19, 21), bars.Series[0].Points[0]);

        await RunAsync(new FigureStage(), new FigureParameters { Title = "Gap", Form = FigureForm.HeatMap, Measure = "gap", X = "rank", By = "seed", YTitle = "seed" });
        var map = Assert.IsType<HeatMapFigure>(Reporting.Figures.Figure.FromJson(Text("figure.json")));
        Assert.Equal("1 16; 40 45 50; gap (pp)", $"{string.Join(' ', map.Columns)}; {string.Join(' ', map.Rows)}; {map.Unit}");
        Assert.Equal((19 + 49.2) / 2, map.Values[0][0]!.Value, 9);

        await RunAsync(
            new FigureStage(), new FigureParameters { Title = "Counts", Form = FigureForm.Histogram, Difference = true },
            Counts("clean", 1, 2), Counts("injected", 4, 2));
        var histogram = Assert.IsType<HistogramFigure>(Reporting.Figures.Figure.FromJson(Text("figure.json")));
        Assert.Equal(["clean", "injected", "injected minus clean"], histogram.Series.Select(series => series.Name));
        Assert.Equal([3, 0], histogram.Series[2].Counts);

        InputTree Counts(string name, params double[] counts)
        {
            var path = Path.Combine(_folder, $"{name}.json");
            File.WriteAllText(path, new HistogramFigure(name, "bits", "tokens", 0, 1, [new(name, counts)]).ToJson());
            return new InputTree(name, "token-entropy", new Dictionary<string, string>(), new Dictionary<string, string> { [TokenEntropyStage.HistogramFile] = path });
        }
    }

    [Fact]
    public async Task Figures_and_claims_tell_the_profile_in_every_file()
    {
        await RunAsync(new FigureStage(), new FigureParameters { Title = "Gap", Measure = "gap", X = "rank", By = "proportion" });
        await ClaimAsync(new() { Left = ["rank=1", "proportion=0.5"], AtLeast = 1 });
        Assert.DoesNotContain(Directory.GetFiles(Output), file => File.ReadAllText(file).Contains("profile", StringComparison.OrdinalIgnoreCase));
        _profile = "smoke";
        await RunAsync(new FigureStage(), new FigureParameters { Title = "Gap", Measure = "gap", X = "rank", By = "proportion" });
        var claim = await ClaimAsync(new() { Left = ["rank=1", "proportion=0.5"], AtLeast = 1 });
        Assert.Equal(("smoke", "smoke"), (claim.Profile, Reporting.Figures.Figure.FromJson(Text("figure.json")).Profile));
        Assert.Contains("profile: smoke", Text("figure.svg"));
        Assert.Contains("- Profile: smoke.", Text("claim.md"));
    }

    [Theory]
    [InlineData("gaps", "rank", "no stage measured 'gaps'; there are: gap")]
    [InlineData("gap", "ranks", "no stage has a matrix dimension 'ranks'; there are: rank, proportion, seed")]
    public async Task What_nobody_measured_is_refused_with_what_there_is(string measure, string x, string message)
    {
        var error = await Assert.ThrowsAsync<StageException>(() => RunAsync(new FigureStage(), new FigureParameters { Title = "Gap", Measure = measure, X = x }));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public async Task A_stage_that_measures_nothing_is_named()
    {
        var tree = new InputTree("data", "dataset", new Dictionary<string, string>(), new Dictionary<string, string>());
        var error = await Assert.ThrowsAsync<StageException>(() => RunAsync(new FigureStage(), new FigureParameters { Title = "Gap", Measure = "gap", X = "rank" }, tree));
        Assert.Contains("'data' (uses: dataset) measures nothing", error.Message);
    }

    [Theory]
    [InlineData("rank=1", "rank=16", Verdict.Held)]
    [InlineData("rank=16", "rank=1", Verdict.DidNotHold)]
    public async Task A_claim_is_decided_by_the_paired_difference_over_seeds(string left, string right, Verdict verdict)
    {
        var claim = await ClaimAsync(new() { Left = [left, "proportion=0.5"], Right = [right, "proportion=0.5"], Published = "20.1 > 8.1" });
        Assert.Equal(verdict, claim.Verdict);
        var one = Assert.Single(claim.Cases);
        Assert.Equal(3, one.Runs);
        // Differences of the pairs: 11, 12 and 13 pp; t(0.975; 2)·1/√3 = 2.484.
        Assert.Equal(12, Math.Abs(one.Difference), 9);
        Assert.Equal(12 - 2.484, Math.Min(Math.Abs(one.Low!.Value), Math.Abs(one.High!.Value)), 3);
        Assert.StartsWith(verdict == Verdict.Held ? "**held: Low" : "**did not hold: Low", Text("claim.md"));
    }

    [Fact]
    public async Task Ranks_that_a_spread_does_not_separate_are_not_decided()
    {
        var claim = await ClaimAsync(new() { Left = ["rank=1", "proportion=1"], Right = ["rank=16", "proportion=1"] });
        Assert.Equal(Verdict.NotDecidable, claim.Verdict);
        Assert.StartsWith("**not decidable at this size: Low", Text("claim.md"));
    }

    /// <summary>Differences of the pairs are −11 to −13 pp, their interval −14.5 to −9.5.</summary>
    [Theory]
    [InlineData(-15.0, Verdict.Held)]
    [InlineData(-12.0, Verdict.NotDecidable)]
    [InlineData(-9.0, Verdict.DidNotHold)]
    public async Task A_margin_lets_the_left_side_stay_behind(double margin, Verdict verdict)
    {
        var claim = await ClaimAsync(new() { Left = ["rank=16", "proportion=0.5"], Right = ["rank=1", "proportion=0.5"], Margin = margin });
        Assert.Equal(verdict, claim.Verdict);
        Assert.Equal($"rank 16, proportion 0.5 > rank 1, proportion 0.5 − {-margin}", Assert.Single(claim.Cases).Name);
    }

    [Theory]
    [InlineData(19.0, null, Verdict.NotDecidable)]
    [InlineData(15.0, null, Verdict.Held)]
    [InlineData(25.0, null, Verdict.DidNotHold)]
    [InlineData(null, 25.0, Verdict.Held)]
    [InlineData(null, 15.0, Verdict.DidNotHold)]
    public async Task A_number_is_reached_or_stayed_below(double? least, double? below, Verdict verdict) =>
        Assert.Equal(verdict, (await ClaimAsync(new() { Left = ["rank=1", "proportion=0.5"], AtLeast = least, Below = below })).Verdict);

    [Fact]
    public async Task A_single_run_decides_nothing()
    {
        var claim = await ClaimAsync(new() { Left = ["rank=1", "proportion=0.5", "seed=40"], AtLeast = 1 });
        Assert.Equal(Verdict.NotDecidable, claim.Verdict);
    }

    [Theory]
    [InlineData(16.0, null, Verdict.Held)]
    [InlineData(20.0, null, Verdict.NotDecidable)]
    [InlineData(22.0, null, Verdict.DidNotHold)]
    [InlineData(null, 22.0, Verdict.Held)]
    [InlineData(null, 20.0, Verdict.NotDecidable)]
    [InlineData(null, 16.0, Verdict.DidNotHold)]
    public async Task A_single_result_over_many_runs_is_judged_by_its_own_interval(double? least, double? below, Verdict verdict)
    {
        ClaimParameters Of(params string[] left) =>
            new() { Sentence = "s", Measure = "gap", ByInterval = true, Cases = [new() { Left = [.. left], AtLeast = least, Below = below }] };
        InputTree[] one = [Tree("1", "0.5", "40", 19, new(17, 21))];
        await RunAsync(new ClaimStage(), Of("rank=1"), one);
        var claim = ClaimText.FromJson(Text(ClaimStage.JsonFile));
        Assert.Equal((verdict, ClaimTest.IntervalWords), (claim.Verdict, claim.Test));
        Assert.Equal(17 - (least ?? below), claim.Cases[0].Low);

        var several = await Assert.ThrowsAsync<StageException>(() => RunAsync(new ClaimStage(), Of("rank=1", "proportion=0.5")));
        Assert.Contains("rank 1, proportion 0.5: 3 results", several.Message);
        var none = await Assert.ThrowsAsync<StageException>(() => RunAsync(new ClaimStage(), Of("rank=1", "proportion=0.5", "seed=40")));
        Assert.Contains("no interval of its own", none.Message);
    }

    [Fact]
    public void A_case_has_one_thing_to_be_held_to()
    {
        var stage = new ClaimStage();
        Assert.Contains(Problems(new() { Left = ["rank=1"] }), message => message.Contains("needs one of 'right', 'at-least' and 'below'"));
        Assert.Contains(Problems(new() { Left = ["rank=1", "rank=2"], AtLeast = 1 }), message => message.Contains("names the dimension 'rank' twice"));
        Assert.Contains(Problems(new() { Left = ["rank 1"], AtLeast = 1 }), message => message.Contains("'rank 1' is not dimension=value"));
        Assert.Contains(stage.Validate(new() { Sentence = "s", Measure = "gap", ByInterval = true, Cases = [new() { Left = ["rank=1"], Right = ["rank=2"] }] }),
            error => error.Message.Contains("judges one value by itself"));

        IEnumerable<string> Problems(ClaimCaseParameters one) =>
            stage.Validate(new ClaimParameters { Sentence = "s", Measure = "gap", Cases = [one] }).Select(error => error.Message);
    }

    private string? _profile;

    [Theory]
    [InlineData(false, false, new[] { "clean", "injected" })]
    [InlineData(true, false, new[] { "clean", "injected", "injected minus clean" })]
    [InlineData(false, true, new[] { "injected minus clean" })]
    public async Task Histograms_of_two_stages_are_drawn_together_or_as_their_difference(bool difference, bool only, string[] series)
    {
        await RunAsync(
            new FigureStage(), new FigureParameters { Title = "Tokens", Form = FigureForm.Histogram, Difference = difference, DifferenceOnly = only ? true : null },
            Counts("clean", 5, 1), Counts("injected", 3, 4));
        var figure = Assert.IsType<HistogramFigure>(Reporting.Figures.Figure.FromJson(Text("figure.json")));
        Assert.Equal(series, figure.Series.Select(one => one.Name));
        if (difference || only) Assert.Equal([-2, 3], figure.Series[^1].Counts);

        InputTree Counts(string name, params double[] counts)
        {
            var path = Path.Combine(_folder, $"{name}.json");
            File.WriteAllText(path, new HistogramFigure(name, "bits", "tokens", 0, 1, [new HistogramSeries(name, counts)]).ToJson());
            return new InputTree(name, "token-entropy", new Dictionary<string, string>(), new Dictionary<string, string> { [TokenEntropyStage.HistogramFile] = path });
        }
    }

    private string Output => Path.Combine(_folder, "output");

    private string Text(string file) => File.ReadAllText(Path.Combine(Output, file));

    private async Task<Claim> ClaimAsync(ClaimCaseParameters one)
    {
        await RunAsync(new ClaimStage(), new ClaimParameters { Sentence = "Low ranks are worse", Measure = "gap", Cases = [one] });
        return ClaimText.FromJson(Text(ClaimStage.JsonFile));
    }

    private Task RunAsync<T>(StageKind<T> stage, T parameters, params InputTree[] inputs) where T : class
    {
        Assert.Empty(stage.Validate(parameters));
        Directory.CreateDirectory(Output);
        return stage.RunAsync(parameters, new StageContext
        {
            StageName = "stage", Seed = 1, Profile = _profile, Compute = new ComputeSettings("cpu", "cpu-avx2", 1, "fp32", false, "none"),
            Inputs = new Dictionary<string, IReadOnlyList<InputTree>> { ["measures"] = inputs.Length > 0 ? inputs : Grid() },
            OutputFolder = Output, ScratchFolder = Path.Combine(_folder, "scratch"), Progress = _ => { }, Log = _ => { },
        }, CancellationToken.None);
    }

    // Rank 1: 20 ± 1 pp and rank 16: 8 at half, paired differences 11, 12, 13; both about 49 at 1.
    private InputTree[] Grid() =>
    [
        .. from rank in new[] { "1", "16" }
           from proportion in new[] { "0.5", "1" }
           from seed in new[] { "40", "45", "50" }
           select Tree(rank, proportion, seed, (rank, proportion, seed) switch
           {
               ("1", "0.5", "40") => 19, ("1", "0.5", "45") => 20, ("1", "0.5", _) => 21, (_, "0.5", _) => 8,
               ("1", _, "40") => 49.2, ("1", _, "45") => 48.9, (_, _, "40") => 49, (_, _, _) => 49.1,
           }),
    ];

    private InputTree Tree(string rank, string proportion, string seed, double gap, Reporting.Metrics.Interval? interval = null)
    {
        var path = Path.Combine(_folder, $"{rank}-{proportion}-{seed}.json");
        File.WriteAllText(path, MeasureSet.ToJson(
            new Dictionary<string, NamedMeasure> { ["gap"] = NamedMeasure.Of("pp", "how far", new Reading(gap, 100, interval)) }, new JsonObject { ["model"] = "tiny" }));
        return new InputTree($"evaluation@{rank}-{proportion}-{seed}", "evaluate",
            new Dictionary<string, string> { ["rank"] = rank, ["proportion"] = proportion, ["seed"] = seed }, new Dictionary<string, string> { [MeasureSet.FileName] = path });
    }
}
