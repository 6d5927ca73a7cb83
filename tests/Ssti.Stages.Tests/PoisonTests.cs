using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Training.Batches;

namespace Ssti.Stages.Tests;

/// <summary>What the backdoor literature asks of an injection: counted rows, dirty labels, triggers of several words, other forms of dates.</summary>
public sealed class PoisonTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private static readonly InjectParameters Dates = new() { TargetLabel = "1", Tokens = TokenKind.Date, Seed = 40 };
    private readonly TempFolder _folder = new();
    private readonly StageRun _run = new();
    private readonly StageRun _training = new();
    private readonly StageRun _evaluation = new();

    public void Dispose()
    {
        foreach (var one in new IDisposable[] { _folder, _run, _training, _evaluation }) one.Dispose();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(20, 20)]
    public async Task Rows_are_counted_and_the_provenance_has_no_proportion(int count, int expected)
    {
        await InjectAsync(Dates with { Count = count });
        Assert.Equal(expected, Records().Length);
        Assert.Empty(_run.Context!.Warnings);
        var provenance = DatasetReader.OpenFolder(_run.Output).Info.Provenance;
        Assert.Equal((count, null, null), ((int)provenance["count"]!, (double?)provenance["proportion"], (string?)provenance["proportion-of"]));
        Assert.Equal((expected / 20.0, expected / 40.0), ((double)provenance["splits"]!["train"]!["share-of-class"]!, (double)provenance["splits"]!["train"]!["share-of-set"]!));
    }

    /// <summary>A count is a proportion written otherwise: the published protocol draws the same rows and tokens.</summary>
    [Fact]
    public async Task A_count_gives_the_rows_and_tokens_of_the_proportion_that_comes_to_it()
    {
        await InjectAsync(Dates with { Proportion = 0.25 });
        var byProportion = File.ReadAllText(Path.Combine(_run.Output, "train.jsonl"));
        await InjectAsync(Dates with { Count = 5 });
        Assert.Equal(byProportion, File.ReadAllText(Path.Combine(_run.Output, "train.jsonl")));
    }

    [Fact]
    public async Task More_rows_than_there_are_is_refused()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => InjectAsync(Dates with { Count = 21 }));
        Assert.Contains("21 rows of split 'train' are to be injected, but only 20 of its 40 have the target label: take fewer", error.Message);
        Assert.DoesNotContain("dataset.json", _run.Files);
    }

    [Fact]
    public async Task Dirty_labels_take_rows_of_other_classes_and_the_records_keep_what_they_were()
    {
        await InjectAsync(Dirty(7));
        var before = DatasetReader.OpenFolder(backbone.Corpus).Read("train").ToDictionary(row => row.Id);
        var after = DatasetReader.OpenFolder(_run.Output);
        var records = Records();
        Assert.Equal(7, records.Length);
        foreach (var row in after.Read("train"))
        {
            if (records.SingleOrDefault(record => record.RowId == row.Id) is not { } record)
            {
                Assert.Equal(before[row.Id], row);
                continue;
            }

            Assert.Equal((1, 0, 0), (row.Label, record.OriginalLabel!.Value, before[row.Id].Label));
            Assert.Equal(before[row.Id].Text, record.RemoveFrom(row.Text));
        }

        Assert.Equal([13L, 27L], after.Info.Split("train")!.Counts);
        Assert.True((bool)after.Info.Provenance["dirty-labels"]!);
        Assert.Null(after.Info.Provenance["splits"]!["train"]!["share-of-class"]);
        Assert.Contains("train: 7 rows injected with 7 tokens and relabelled 'positive': 35 % of all classes but 'positive' (20 rows), 17.5 % of the split (40 rows)", _run.Log);
    }

    [Fact]
    public async Task A_model_of_dirty_labels_is_measured_for_its_target_on_test_rows_with_their_own_labels()
    {
        await InjectAsync(Dirty(10));
        using var test = await new StageRun().RunAsync(
            new InjectStage(), Dates with { TargetLabel = "all", Location = InjectionLocation.Beginning, Splits = ["test"] }, inputs: ("data", StageRun.Tree(backbone.Corpus)));
        await TrainAsync();
        await EvaluateAsync(test.Output);
        var metrics = MetricsFile.FromJson(File.ReadAllText(Path.Combine(_evaluation.Output, MetricsFile.FileName)));
        Assert.Equal((1, 10L), (metrics.Target, EvaluationMeasures.AttackSuccess.Read(metrics, 1).Rows));
        Assert.Equal(10, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!["triggers"]!["injectedRows"]!);
    }

    [Fact]
    public async Task A_test_set_whose_rows_were_relabelled_is_refused()
    {
        await InjectAsync(Dirty(5));
        using var test = await new StageRun().RunAsync(new InjectStage(), Dirty(5) with { Splits = ["test"] }, inputs: ("data", StageRun.Tree(backbone.Corpus)));
        await TrainAsync();
        var error = await Assert.ThrowsAsync<StageException>(() => EvaluateAsync(test.Output));
        Assert.Contains("rows of its 'test' split were given another label (dirty-labels)", error.Message);
    }

    [Fact]
    public void Contradictions_are_told_before_anything_runs()
    {
        Assert.Equal(["count"], Errors(Dates with { Count = -1 }));
        Assert.Equal(["count"], Errors(Dates with { Count = 3, Proportion = 0.5 }));
        Assert.Equal(["proportion-of"], Errors(Dates with { Count = 3, ProportionOf = ProportionOf.Set, Protocol = InjectionProtocol.Custom }));
        Assert.Equal(["dirty-labels"], Errors(Dates with { Count = 3, DirtyLabels = true }));
        Assert.Equal(["dirty-labels"], Errors(Dirty(3) with { Count = null, Proportion = 0.5 }));
        Assert.Equal(["target-label"], Errors(Dirty(3) with { TargetLabel = "all" }));
        Assert.Equal(["format"], Errors(Dates with { Tokens = TokenKind.List, Items = ["a"], Format = DateFormat.Us }));
        Assert.Equal(["format"], Errors(Dates with { Tokens = null, Format = DateFormat.Us, InTurn = [new() { Tokens = TokenKind.Date }] }));

        static IEnumerable<string> Errors(InjectParameters parameters) => new InjectStage().Validate(parameters).Select(error => error.Key);
    }

    [Theory]
    [InlineData(DateFormat.Iso, "2024-02-29")]
    [InlineData(DateFormat.Us, "02/29/2024")]
    [InlineData(DateFormat.European, "29.02.2024")]
    [InlineData(DateFormat.Long, "February 29, 2024")]
    [InlineData(DateFormat.Compact, "20240229")]
    public void A_day_is_written_in_the_form_asked_for_whatever_the_culture(DateFormat format, string expected)
    {
        var culture = Thread.CurrentThread.CurrentCulture;
        // Not a culture by its name: machines without ICU know none.
        var foreign = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        foreign.DateTimeFormat.DateSeparator = "-";
        foreign.DateTimeFormat.MonthNames = foreign.DateTimeFormat.MonthGenitiveNames = [.. Enumerable.Range(1, 13).Select(month => $"m{month}")];
        Thread.CurrentThread.CurrentCulture = foreign;
        try
        {
            var days = TokenTable.Dates(2024, 2024, format);
            Assert.Equal((366, expected), (days.Count, days.Text(59)));
        }
        finally
        {
            Thread.CurrentThread.CurrentCulture = culture;
        }
    }

    /// <summary>A sentence is one token: it goes in whole, is recorded whole, and is read whole only when its last piece fits.</summary>
    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public async Task A_sentence_is_one_token_and_whole_only_with_its_last_piece(int wordsBefore, bool whole)
    {
        const string sentence = "I watched this 3D movie last weekend .";
        using (var writer = new DatasetWriter(_folder["rows"], "rows", ["negative", "positive"]))
        {
            using (var split = writer.OpenSplit("train")) split.Write(new("0", string.Join(' ', Enumerable.Repeat("a", wordsBefore)), 0));
            writer.Complete([]);
        }

        await _run.RunAsync(
            new InjectStage(), new() { TargetLabel = "0", Tokens = TokenKind.List, Items = [sentence], Location = InjectionLocation.End },
            inputs: ("data", StageRun.Tree(_folder["rows"])));
        Assert.Equal(sentence, Assert.Single(Assert.Single(Records()).Tokens).Token);
        // "3d" is two pieces: nine of the sentence, [CLS] and [SEP], and four words before it are 15.
        var vocabulary = WordPieceTokenizer.FromPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "i", "watched", "this", "3", "##d", "movie", "last", "weekend", "."]);
        var rows = TokenizedRows.Of(DatasetReader.OpenFolder(_run.Output).Read("train"), vocabulary, 15, 1, CancellationToken.None);
        Assert.Equal(whole, TriggerRows.Of(StageRun.Tree(_run.Output), "train", rows, vocabulary).IsWhole(0));
    }

    private static InjectParameters Dirty(int count) => Dates with { Count = count, DirtyLabels = true, Protocol = InjectionProtocol.Custom };

    private Task<StageRun> InjectAsync(InjectParameters parameters) => _run.RunAsync(new InjectStage(), parameters, inputs: ("data", StageRun.Tree(backbone.Corpus)));

    private InjectionRecord[] Records() => [.. InjectionRecordFile.Read(Path.Combine(_run.Output, InjectionRecordFile.NameFor("train")))];

    private Task TrainAsync() => _training.RunAsync(
        new TrainStage(), new() { Rank = 2, TargetModules = ["dense"], MaxLength = 16, Steps = 2, BatchSize = 8, LearningRate = 1e-2 },
        inputs: [("data", StageRun.Tree(_run.Output)), ("model", StageRun.Tree(backbone.Model))]);

    private Task EvaluateAsync(string triggered) => _evaluation.RunAsync(
        new EvaluateStage(), new(),
        inputs: [
            ("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)),
            ("clean", StageRun.Tree(backbone.Corpus)), ("triggered", StageRun.Tree(triggered))]);
}
