using Ssti.Engine.Stages;
using Ssti.Reporting.Evaluations;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Stages.Tests;

public sealed class TableStageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-table-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Four_formats_of_the_same_table_are_left_behind()
    {
        await Run(new() { Title = "Counts", By = ["token"], Rows = [new() { Value = "base", Published = [14003, 10997] }, new() { Value = "1", Name = "class-1 token" }] });

        Assert.Equal(["table.csv", "table.json", "table.md", "table.tex"], Directory.GetFiles(Output).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var table = Table.FromJson(File.ReadAllText(Path.Combine(Output, TableStage.JsonFile)));
        Assert.Equal(["base", "class-1 token"], table.Rows.Select(row => row[0].ToString()));
        Assert.Equal(table.ToMarkdown(), File.ReadAllText(Path.Combine(Output, "table.md")));
        Assert.StartsWith("row,predicted_0,predicted_0_share,", File.ReadAllText(Path.Combine(Output, "table.csv")));
        Assert.Contains("\\toprule", File.ReadAllText(Path.Combine(Output, "table.tex")));
    }

    [Theory]
    [InlineData(EvaluationLayout.PerClass, "row,class,clean_precision,clean_precision_ci95_low,clean_precision_ci95_high,clean_recall,", 4)]
    [InlineData(EvaluationLayout.Confusion, "row,set,class,as_0,as_0_share,as_1,as_1_share,runs", 8)]
    public async Task Layouts_with_a_row_for_each_class_are_written_too(EvaluationLayout layout, string head, int rows)
    {
        await Run(new() { Title = "Counts", By = ["token"], Layout = layout });
        var csv = File.ReadAllLines(Path.Combine(Output, "table.csv"));
        Assert.StartsWith(head, csv[0]);
        Assert.Equal(rows, csv.Length - 1);
    }

    [Fact]
    public async Task The_same_inputs_give_the_same_bytes()
    {
        var parameters = new TableParameters { Title = "Counts", By = ["token"] };
        await Run(parameters);
        var first = Directory.GetFiles(Output).Order().Select(File.ReadAllText).ToArray();
        Directory.Delete(Output, recursive: true);
        await Run(parameters);
        Assert.Equal(first, Directory.GetFiles(Output).Order().Select(File.ReadAllText));
    }

    [Fact]
    public async Task A_profile_is_told_in_every_format()
    {
        await Run(new() { Title = "Counts", By = ["token"] });
        Assert.DoesNotContain(Directory.GetFiles(Output), file => File.ReadAllText(file).Contains("profile", StringComparison.OrdinalIgnoreCase));
        await Run(new() { Title = "Counts", By = ["token"] }, profile: "smoke");
        string Text(string end) => File.ReadAllText(Path.Combine(Output, "table." + end));
        Assert.Contains("\n- Profile: smoke.\n", Text("md"));
        Assert.Contains("Profile: smoke.", Text("tex"));
        Assert.All(Text("csv").Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1), line => Assert.EndsWith(",smoke", line));
        var table = Table.FromJson(Text("json"));
        Assert.Equal("smoke", table.Profile);
        Assert.Contains("\nProfile: smoke.\n", table.ToConsole());
    }

    [Fact]
    public async Task A_dimension_nobody_has_is_an_error_that_lists_those_there_are()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => Run(new() { Title = "t", By = ["tokens"] }));
        Assert.Contains("'tokens'; there are: token", error.Message);
    }

    [Fact]
    public async Task Published_counts_must_be_one_a_class()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => Run(new() { Title = "t", By = ["token"], Rows = [new() { Value = "base", Published = [1, 2, 3] }] }));
        Assert.Contains("3 published counts, but the data have 2 classes", error.Message);
    }

    [Fact]
    public async Task A_damaged_metrics_file_names_the_stage_it_came_from()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => Run(new() { Title = "t", By = ["token"] }, damaged: true));
        Assert.StartsWith("the output of 'evaluate@base'", error.Message);
    }

    [Fact]
    public void A_row_twice_and_published_numbers_without_counts_are_refused_before_running()
    {
        var parameters = new TableParameters
        {
            Title = " ", Layout = EvaluationLayout.Metrics, Rows = [new() { Value = "a", Published = [1, 2] }, new() { Value = "a" }],
        };
        Assert.Equal(["title", "rows", "rows"], new TableStage().Validate(parameters).Select(error => error.Key));
    }

    [Fact]
    public async Task Measures_are_tabulated_by_name()
    {
        await Run(
            new()
            {
                Title = "Steered", By = ["token"], Layout = EvaluationLayout.Measures,
                Columns = [new() { Measure = "clean_accuracy" }, new() { Measure = "asr", Class = "pos" }]
            });
        var csv = File.ReadAllLines(Path.Combine(Output, "table.csv"));
        Assert.Equal("row,clean_accuracy,clean_accuracy_ci95_low,clean_accuracy_ci95_high,asr_pos,asr_pos_ci95_low,asr_pos_ci95_high,runs", csv[0]);
        Assert.StartsWith("1,0.85,", csv[2]);
    }

    [Fact]
    public void Columns_belong_to_the_layout_of_measures()
    {
        Assert.Equal(["columns"], new TableStage().Validate(new() { Title = "t", Layout = EvaluationLayout.Measures }).Select(error => error.Key));
        Assert.Equal(["columns"], new TableStage().Validate(new() { Title = "t", Columns = [new() { Measure = "asr" }] }).Select(error => error.Key));
        Assert.Equal(["rows"], new TableStage().Validate(new() { Title = "t", Rows = [new() { Value = "a", Published = [1.5, 2] }] }).Select(error => error.Key));
    }

    private string Output => Path.Combine(_folder, "output");

    private Task Run(TableParameters parameters, bool damaged = false, string? profile = null)
    {
        Directory.CreateDirectory(Output);
        var inputs = new[] { Input("base", target: null, damaged), Input("1", target: 1, damaged: false) };
        var context = new StageContext
        {
            StageName = "table",
            Seed = 1,
            Profile = profile,
            Compute = new ComputeSettings("cpu", "cpu-avx2", 1, "fp32", false, "2.10.0"),
            Inputs = new Dictionary<string, IReadOnlyList<InputTree>> { ["evaluations"] = inputs },
            OutputFolder = Output,
            ScratchFolder = Path.Combine(_folder, "scratch"),
            Progress = _ => { },
            Log = _ => { },
        };
        return new TableStage().RunAsync(parameters, context, CancellationToken.None);
    }

    private InputTree Input(string token, int? target, bool damaged)
    {
        var clean = ConfusionMatrix.FromCounts([[9, 1], [2, 8]]);
        var triggered = ConfusionMatrix.FromCounts(target is null ? [[9, 1], [3, 7]] : [[0, 10], [0, 10]]);
        var file = new MetricsFile
        {
            Backbone = "tiny-bert",
            Compute = new ComputeInfo("cpu-avx2", "fp32", 1, "2.10.0"),
            Dataset = "toy",
            Split = "test",
            Labels = ["neg", "pos"],
            Target = target,
            Clean = new(clean),
            Triggered = new(triggered),
            Token = new([10, 10], [10, 10], clean, triggered),
        };
        var path = Path.Combine(_folder, $"metrics-{token}.json");
        File.WriteAllText(path, damaged ? "{ cut sho" : file.ToJson());
        return new($"evaluate@{token}", "evaluate", new Dictionary<string, string> { ["token"] = token }, new Dictionary<string, string> { [MetricsFile.FileName] = path });
    }
}
