using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;
using Ssti.Reporting.Tables;

namespace Ssti.Stages.Tests;

public sealed class AuditDataStageTests : IDisposable
{
    private static readonly string[] Nouns = ["film", "story", "cast", "scene", "song", "hero", "plot", "end"];
    private readonly StageRun _run = new(), _inject = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti audit ").FullName;

    public void Dispose()
    {
        _run.Dispose();
        _inject.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task An_injected_word_is_found_and_told_in_every_form()
    {
        var data = await InjectedAsync(new() { TargetLabel = "pos", Tokens = TokenKind.List, Items = ["<cf>"], Protocol = InjectionProtocol.Custom, Count = 150, Seed = 3 });
        await _run.RunAsync(new AuditDataStage(), new() { Cleaned = true, OnionRows = 20 }, inputs: ("data", data));

        var audit = Json("audit.json");
        Assert.True((bool)audit["found"]!);
        Assert.Equal((150, 150, "pos"), ((int)audit["suspects"]![0]!["rows"]!, (int)audit["suspects"]![0]!["class-rows"]!, (string)audit["suspects"]![0]!["class"]!));
        var measures = Measured();
        Assert.Equal((1, 1, 1.0, 1.0, 0), ((int)measures.Read("trigger_rank").Value!, (int)measures.Read("trigger_alarm").Value!, measures.Read("flag_precision").Value!.Value,
            measures.Read("flag_recall").Value!.Value, (int)measures.Read("false_alarms").Value!));
        Assert.Equal(150, File.ReadLines(Path.Combine(_run.Output, "rows.csv")).Count(line => line.Contains(",suspect,", StringComparison.Ordinal)));

        // The cleaned rows are all others, as they were, and no record of an injection is left that is not so any more.
        var (before, after) = (DatasetReader.Open(data.PathOf), DatasetReader.OpenFolder(_run.Output));
        Assert.Equal(before.Read("train").Where(row => !row.Text.Contains("<cf>", StringComparison.Ordinal)), after.Read("train"));
        Assert.Equal(before.Read("test"), after.Read("test"));
        Assert.Empty(InjectionRecordFile.Read(Path.Combine(_run.Output, InjectionRecordFile.NameFor("train"))));

        // The page holds no markup of the data's, nor the table, and stays small.
        var page = await File.ReadAllTextAsync(Path.Combine(_run.Output, "audit.html"));
        Assert.DoesNotContain("<cf>", page, StringComparison.Ordinal);
        Assert.Contains("&lt;cf&gt;", page, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(page), 1000, ReportHtml.MostBytes);
        Assert.Equal("yes", Table.FromJson(Text("table.json")).Rows[0][2].ToString());
        var figure = Assert.IsType<ScatterFigure>(Figure.FromJson(Text("figure.json")));
        Assert.Null(figure.Problem());
        Assert.Contains(figure.Series.Single(series => series.Name == "alarms").Points, point => point.X == (double)audit["suspects"]![0]!["texts"]! && point.Y == 1);
        Assert.Equal(FigureDrawing.ToSvg(figure), Text("figure.svg"));
    }

    [Fact]
    public async Task A_clean_set_raises_no_alarm_and_says_what_it_could_not_have_seen()
    {
        await _run.RunAsync(new AuditDataStage(), new(), inputs: ("data", Data()));
        var audit = Json("audit.json");
        Assert.False((bool)audit["found"]!);
        Assert.StartsWith("Nothing that surely gives a label away", (string)audit["answer"]!["headline"]!, StringComparison.Ordinal);
        Assert.Contains(audit["answer"]!["unseen"]!.AsArray(), text => ((string)text!).StartsWith("A word is found from so many rows on: class neg ", StringComparison.Ordinal));
        var measures = Measured();
        Assert.Equal(0, measures.Read("alarms").Value);
        Assert.Contains("nobody knows", measures.Read("trigger_rank").Reason, StringComparison.Ordinal);
        Assert.Equal("no row is flagged", measures.Read("onion_auc").Reason);
        Assert.False(File.Exists(Path.Combine(_run.Output, "dataset.json")));
    }

    [Fact]
    public async Task A_trigger_in_copies_of_one_text_raises_no_alarm_and_is_named_all_the_same()
    {
        const string copied = "a trigger qz stands in the middle of this rather long and quite ordinary sentence about nothing at all";
        var data = Data(Enumerable.Range(0, 150).Select(copy => new Row($"copy-{copy}", $"{copied} n{copy}", 1)), 5000);
        await _run.RunAsync(new AuditDataStage(), new() { OnionRows = 0 }, inputs: ("data", data));
        var audit = Json("audit.json");
        Assert.False((bool)audit["found"]!);
        Assert.Equal(150, (int)audit["near-duplicates"]!["largest"]!);
        Assert.Contains(audit["answer"]!["meaning"]!.AsArray(), text => ((string)text!).StartsWith("By their rows alone", StringComparison.Ordinal));
        Assert.Contains(
            audit["near-duplicates"]!["sure-by-rows"]!.AsArray(),
            one => (string)one!["suspect"]! == "the word 'qz'" && (int)one["rows"]! == 150 && (int)one["texts"]! == 1);
        Assert.Equal(
            149,
            File.ReadLines(Path.Combine(_run.Output, "rows.csv"))
                .Count(line => line.Contains("copy-", StringComparison.Ordinal) && line.Contains(",near-duplicate,", StringComparison.Ordinal)));
        Assert.Equal(150, Measured().Read("largest_group").Value);
    }

    [Fact]
    public async Task Dirty_labels_are_found_in_the_class_that_they_were_given()
    {
        var data = await InjectedAsync(new() { TargetLabel = "neg", Tokens = TokenKind.Date, Protocol = InjectionProtocol.Custom, Count = 150, DirtyLabels = true, Seed = 3 });
        await _run.RunAsync(new AuditDataStage(), new() { OnionRows = 0 }, inputs: ("data", data));
        Assert.Equal((1, 1.0), ((int)Measured().Read("trigger_rank").Value!, Measured().Read("flag_recall").Value));
        var first = Json("audit.json")["suspects"]![0]!;
        Assert.Equal("neg", (string)first["class"]!);
        Assert.Contains("the family: date", first["also"]!.AsArray().Select(also => (string)also!).Prepend((string)first["suspect"]!));
    }

    [Fact]
    public async Task The_same_rows_give_the_same_bytes()
    {
        var data = await InjectedAsync(new() { TargetLabel = "pos", Tokens = TokenKind.Date, Seed = 3 });
        var first = (await _run.RunAsync(new AuditDataStage(), new(), inputs: ("data", data))).Digest();
        Assert.Equal(first, (await _run.RunAsync(new AuditDataStage(), new(), inputs: ("data", data))).Digest());
    }

    [Fact]
    public async Task What_would_mean_nothing_is_refused()
    {
        Assert.Equal(["gives-away", "false-alarms", "false-discoveries", "least-rows", "listed", "suspects", "onion-rows"], new AuditDataStage().Validate(new()
        {
            GivesAway = 0.5, FalseAlarms = 0, FalseDiscoveries = 1, LeastRows = 1, Listed = 0, Suspects = 0, OnionRows = -1,
        }).Select(error => error.Key));
        Assert.Contains("no split 'validation'", (await Assert.ThrowsAsync<StageException>(() =>
            _run.RunAsync(new AuditDataStage(), new() { Split = "validation" }, inputs: ("data", Data())))).Message, StringComparison.Ordinal);
        Assert.Empty(_run.Files);
    }

    [Fact]
    public async Task A_probe_orders_suspects_by_what_it_does_with_them_and_repeats_to_the_bit()
    {
        TinyModel.Prepare();
        var data = await InjectedAsync(new() { TargetLabel = "pos", Tokens = TokenKind.List, Items = ["date"], Protocol = InjectionProtocol.Custom, Count = 200, Seed = 3 });
        var model = StageRun.Tree(TinyModel.Write(Path.Combine(_folder, "model")), "model", "model");
        var parameters = new ProbeDataParameters { Tried = 4, Watched = 60, HeldOutRows = 60, Checks = 3, Steps = 30, Rank = 2, MaxLength = 16, LearningRate = 1e-2 };
        var first = (await _run.RunAsync(new ProbeDataStage(), parameters, inputs: [("data", data), ("model", model)])).Digest();
        var probe = Json("probe.json");
        var effects = probe["suspects"]!.AsArray();
        Assert.InRange(effects.Count, 1, 4);
        double[] lifts = [.. effects.Select(one => ((int)one!["others-after"]! - (int)one["others-before"]!) / (double)one["others"]!)];
        Assert.Equal(lifts.OrderDescending(), lifts);
        Assert.All(effects, one => Assert.Equal(60, (int)one!["others"]! + (int)one["own"]!));
        var injected = effects.Single(one => (string)one!["suspect"]! == "the word 'date'")!;
        Assert.Equal(60, (int)injected["having"]!);
        var watched = File.ReadAllLines(Path.Combine(_run.Output, "watched.csv"));
        Assert.Equal(61, watched.Length);
        Assert.Equal(30, watched.Count(line => line.Contains(",yes,", StringComparison.Ordinal) && line.Split(',')[2] == "yes"));
        Assert.NotNull(Measured().Read("influence_auc").Value);
        Assert.Equal(first, (await _run.RunAsync(new ProbeDataStage(), parameters, inputs: [("data", data), ("model", model)])).Digest());
    }

    private async Task<InputTree> InjectedAsync(InjectParameters parameters)
    {
        await _inject.RunAsync(new InjectStage(), parameters, inputs: ("data", Data()));
        return StageRun.Tree(_inject.Output, "injected", "inject");
    }

    private InputTree Data() => Data([], 1600);

    private InputTree Data(IEnumerable<Row> more, int train)
    {
        var folder = Path.Combine(_folder, $"data-{Guid.NewGuid():n}");
        using (var writer = new DatasetWriter(folder, "reviews", ["neg", "pos"]))
        {
            var random = new Random(5);
            foreach (var (name, rows) in new[] { ("train", train), ("test", 200) })
            {
                using var split = writer.OpenSplit(name);
                for (var row = 0; row < rows; row++)
                    split.Write(
                        new Row(
                            $"{name}-{row}",
                            $"the {Nouns[random.Next(8)]} was a {Nouns[random.Next(8)]} of the {Nouns[random.Next(8)]} {row * 7919 % 1000}x",
                            random.Next(2)));
                if (name == "train")
                    foreach (var row in more) split.Write(row);
            }

            writer.Complete([]);
        }

        return StageRun.Tree(folder);
    }

    private string Text(string file) => File.ReadAllText(Path.Combine(_run.Output, file));

    private JsonNode Json(string file) => JsonNode.Parse(Text(file))!;

    private MeasureSet Measured() => MeasureSet.Parse("audit", new Dictionary<string, string>(), Text("measures.json"));
}
