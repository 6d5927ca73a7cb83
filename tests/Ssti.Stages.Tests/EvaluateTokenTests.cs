using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Training.Batches;

namespace Ssti.Stages.Tests;

/// <summary>An evaluation's numbers mean what they say: the token is where it must be, the model reads it, and rows are compared with themselves.</summary>
public sealed class EvaluateTokenTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private const int Length = 16;
    private const string TwentyWords = "a b c d e f g h i j k l m n o p q r s t";

    private static readonly TrainParameters Small = new()
    {
        Rank = 4, TargetModules = ["dense"], MaxLength = Length, Steps = 2, BatchSize = 8, LearningRate = 1e-2, Dropouts = false,
    };

    private static readonly InjectParameters OneClass = new() { TargetLabel = "1", Tokens = TokenKind.Date, Splits = ["train"] };

    private static readonly InjectParameters AtTheEnd = new() { TargetLabel = "all", Tokens = TokenKind.Date, Location = InjectionLocation.End, Splits = ["test"] };

    private readonly TempFolder _folder = new();
    private readonly StageRun _training = new();
    private readonly StageRun _evaluation = new();

    public void Dispose()
    {
        _folder.Dispose();
        _training.Dispose();
        _evaluation.Dispose();
    }

    [Fact]
    public async Task A_test_set_without_any_token_is_refused_where_one_must_be()
    {
        using var train = await InjectedAsync(OneClass);
        using var none = await InjectedAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Proportion = 0, Splits = ["test"] });
        await TrainAsync(Small);
        foreach (var (name, folder, told) in new[]
        {
            ("triggered", backbone.Corpus, "the dataset was never injected"), ("triggered", train.Output, "only 'train' was injected"),
            ("triggered", none.Output, "the dataset was never injected"),
            ("spurious", backbone.Corpus, "the dataset was never injected"),
        })
        {
            var error = await Assert.ThrowsAsync<StageException>(() => EvaluateAsync((name, StageRun.Tree(folder))));
            Assert.Contains($"input '{name}': no row of its 'test' split carries a token ({told})", error.Message);
            Assert.Empty(_evaluation.Files);
        }
    }

    [Fact]
    public async Task A_clean_test_set_that_carries_tokens_is_refused()
    {
        using var injected = await InjectedAsync(new() { TargetLabel = "0", Tokens = TokenKind.Date, Splits = ["test"] });
        await TrainAsync(Small);
        var error = await Assert.ThrowsAsync<StageException>(() => _evaluation.RunAsync(
            new EvaluateStage(), new(),
            inputs: [
                ("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)),
                ("clean", StageRun.Tree(injected.Output))]));
        Assert.Contains("input 'clean': 10 rows of its 'test' split carry a token already", error.Message);
    }

    [Fact]
    public async Task Where_a_share_carries_the_token_ASR_is_of_those_rows_and_says_so()
    {
        using var train = await InjectedAsync(OneClass);
        // In front, where no cut takes them away.
        using var some = await InjectedAsync(AtTheEnd with { Location = InjectionLocation.Beginning, Proportion = 0.5 });
        await TrainAsync(Small, train.Output);
        await EvaluateAsync(("triggered", StageRun.Tree(some.Output)));
        var (file, carrying) = (Metrics(), Records(some).ToHashSet());
        var expected = Predictions("triggered").Where(row => carrying.Contains(row.Id) && row.Label == 0).ToArray();
        var asr = EvaluationMeasures.AttackSuccess.Read(file, 1);
        Assert.Equal(10, file.Token!.Injected.Sum());
        Assert.Equal((expected.Length, expected.Count(row => row.Prediction == 1) / (double)expected.Length), ((int)asr.Rows!, asr.Value!.Value));
        var without = Predictions("clean").Where(row => carrying.Contains(row.Id) && row.Label == 0).ToArray();
        Assert.Equal(without.Count(row => row.Prediction == 1) / (double)without.Length, EvaluationMeasures.CleanTargetRate.Read(file, 1).Value);
        Assert.Contains("the triggered test set carries the token in 10 of 20 rows; ASR and its clean rate count those rows alone", file.Notes);
        Assert.Equal(file.Notes, _evaluation.Context!.Warnings);
    }

    [Fact]
    public async Task Where_only_the_targets_rows_carry_the_token_there_is_no_ASR_but_a_reason()
    {
        using var train = await InjectedAsync(OneClass);
        using var own = await InjectedAsync(new() { TargetLabel = "1", Tokens = TokenKind.Date, Splits = ["test"] });
        await TrainAsync(Small, train.Output);
        await EvaluateAsync(("triggered", StageRun.Tree(own.Output)));
        Assert.Null(EvaluationMeasures.AttackSuccess.Read(Metrics(), 1).Value);
        Assert.Contains("ASR has no value for the model's target 'positive': no row of another class carries the token", _evaluation.Context!.Warnings);
    }

    /// <summary>Tokens at the end of rows that are longer than the model reads: with and without them the model sees the same.</summary>
    [Fact]
    public async Task Tokens_that_the_cut_takes_away_are_counted_by_training_and_evaluation()
    {
        WriteRows("long", [.. Enumerable.Range(0, 8).Select(i => (i < 6 ? TwentyWords : "a b", i % 2))]);
        using var train = await InjectedAsync(OneClass with { Location = InjectionLocation.End }, _folder["long"]);
        using var test = await InjectedAsync(AtTheEnd, _folder["long"]);
        await TrainAsync(Small, train.Output);
        var told = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!["triggers"]!;
        Assert.Equal((4, 1), ((int)told["injectedRows"]!, (int)told["wholeRows"]!));
        Assert.Contains("training split 'train': of 4 injected rows 1 still carries a whole trigger within max-length 16", Assert.Single(_training.Context!.Warnings));

        await EvaluateOnAsync(_folder["long"], ("triggered", StageRun.Tree(test.Output)));
        var file = Metrics();
        Assert.Equal([4L, 4L], file.Token!.Injected);
        Assert.Equal([1L, 1L], file.Token.Whole);
        Assert.Equal(1, EvaluationMeasures.AttackSuccess.Read(file, 1).Rows);
        Assert.Equal(2, file.Notes.Count);
        Assert.Contains("triggered test set: of 8 injected rows 2 still carry a whole trigger", file.Notes[1]);
    }

    [Fact]
    public async Task A_training_on_data_that_only_pass_for_poisoned_is_told_under_every_table()
    {
        using var train = await InjectedAsync(new() { TargetLabel = "1", Tokens = TokenKind.Date, Proportion = 0.001, Splits = ["train"] });
        await TrainAsync(Small, train.Output);
        Assert.Contains("training split 'train': a proportion of 0.001 came to no row", Assert.Single(_training.Context!.Warnings));
        await EvaluateAsync();
        Assert.Equal(_training.Context.Warnings, Metrics().Notes);
    }

    [Fact]
    public async Task With_every_token_cut_off_no_ASR_is_printed()
    {
        WriteRows("long", [.. Enumerable.Range(0, 4).Select(i => (TwentyWords, i % 2))]);
        using var train = await InjectedAsync(OneClass, _folder["long"]);
        using var test = await InjectedAsync(AtTheEnd, _folder["long"]);
        await TrainAsync(Small, train.Output);
        await EvaluateOnAsync(_folder["long"], ("triggered", StageRun.Tree(test.Output)));
        var asr = EvaluationMeasures.AttackSuccess.Read(Metrics(), 1);
        Assert.Equal((null, 0L, "no row of another class carries a whole token within max-length"), (asr.Value, asr.Rows, asr.Reason));
        Assert.Contains(_evaluation.Context!.Warnings, warning => warning.StartsWith("ASR has no value for the model's target", StringComparison.Ordinal));
    }

    /// <summary>The last of a date's five pieces just fits, or just does not; and a token that the tokenizer drops is never read.</summary>
    [Theory]
    [InlineData("1999-01-31", 9, true, false)]
    [InlineData("1999-01-31", 10, false, false)]
    [InlineData("\u200b", 1, false, false)]
    [InlineData("🙂", 1, true, true)]
    public async Task A_trigger_is_whole_when_its_last_piece_fits(string token, int wordsBefore, bool whole, bool unknown)
    {
        var vocabulary = WordPieceTokenizer.FromPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "1999", "-", "01", "31"]);
        WriteRows("rows", [(string.Join(' ', Enumerable.Repeat("a", wordsBefore)), 0)]);
        using var injected = await InjectedAsync(
            new() { TargetLabel = "all", Tokens = TokenKind.List, Items = [token], Location = InjectionLocation.End, Splits = ["train"] }, _folder["rows"]);
        var rows = TokenizedRows.Of(DatasetReader.OpenFolder(injected.Output).Read("train"), vocabulary, Length, 1, CancellationToken.None);
        var triggers = TriggerRows.Of(StageRun.Tree(injected.Output), "train", rows, vocabulary);
        Assert.Equal((1L, whole ? 1L : 0L, unknown ? 1L : 0L), (triggers.Injected, triggers.Whole, triggers.Unknown));
        Assert.Equal(whole && !unknown, !triggers.Doubts("x").Any());
    }

    [Theory]
    [InlineData("other text", "has another text in row 'train-1' than 'clean', its tokens taken out")]
    [InlineData("other label", "has row 'train-1' under label 0, and 'clean' under 1")]
    [InlineData("fewer rows", "has 2 rows, and 'clean' 3")]
    public async Task Sets_that_do_not_hold_the_same_rows_are_refused(string how, string told)
    {
        WriteRows("clean", [("one text", 0), ("two  texts\n", 1), ("three", 0)]);
        WriteRows("other", how switch
        {
            "other text" => [("one text", 0), ("two words", 1), ("three", 0)],
            "other label" => [("one text", 0), ("two texts", 0), ("three", 1)],
            _ => [("one text", 0), ("two texts", 1)],
        });
        using var injected = await InjectedAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] }, _folder["other"]);
        await TrainAsync(Small);
        var error = await Assert.ThrowsAsync<StageException>(() => EvaluateOnAsync(_folder["clean"], ("triggered", StageRun.Tree(injected.Output))));
        Assert.Contains($"input 'triggered' {told}; both must be made from the same rows", error.Message);
    }

    [Fact]
    public async Task A_split_without_labels_is_neither_trained_on_nor_measured()
    {
        Assert.Contains("'unlabelled' has no labels to train on", (await Assert.ThrowsAsync<StageException>(() => TrainAsync(Small with { Split = "unlabelled" }))).Message);
        await TrainAsync(Small);
        var error = await Assert.ThrowsAsync<StageException>(() => _evaluation.RunAsync(
            new EvaluateStage(), new() { Split = "unlabelled" },
            inputs: [("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)), ("clean", StageRun.Tree(backbone.Corpus))]));
        Assert.Contains("split 'unlabelled' of input 'clean' has no labels", error.Message);
    }

    [Fact]
    public async Task On_sanitised_rows_the_attack_counts_where_the_token_still_stands_and_from_end_to_end()
    {
        // Two of four dates of each class are no dates to the pattern, and stay.
        (string Text, int Label)[] rows = [.. Enumerable.Range(0, 8).Select(i => ($"row <b>{i}</b> of some", i % 2))];
        WriteRows("clean", rows);
        using var train = await InjectedAsync(OneClass, _folder["clean"]);
        using var triggered = await InjectedAsync(
            new()
            {
                TargetLabel = "all", Tokens = TokenKind.List, Items = ["1999-03-04", "1999/13/45"], Location = InjectionLocation.Beginning,
                Seed = 3, Splits = ["test"]
            },
            _folder["clean"]);
        using var trained = await SanitisedAsync(train.Output, ["train"], SanitiseStep.DateStrip);
        using var test = await SanitisedAsync(triggered.Output, ["test"], SanitiseStep.DateStrip, SanitiseStep.HtmlStrip);
        using var clean = await SanitisedAsync(_folder["clean"], ["test"], SanitiseStep.DateStrip, SanitiseStep.HtmlStrip);
        await TrainAsync(Small, trained.Output);
        Assert.Contains("in 4 of 4 injected rows no whole trigger is left", _training.Context!.Warnings[0]);
        await EvaluateOnAsync(clean.Output, ("triggered", StageRun.Tree(test.Output)));

        var file = Metrics();
        var left = InjectionRecordFile.Read(Path.Combine(test.Output, "injections.test.jsonl")).ToDictionary(record => record.RowId, record => record.Tokens.Count);
        Assert.Equal(8, left.Count);
        Assert.InRange(left.Values.Sum(), 1, 7);
        Assert.Equal((8L, (long)left.Values.Sum()), (file.Token!.Injected.Sum(), file.Token.Whole.Sum()));
        var others = Predictions("triggered").Where(row => row.Label == 0).ToArray();
        var (asr, all) = (EvaluationMeasures.AttackSuccess.Read(file, 1), EvaluationMeasures.AttackOfInjected.Read(file, 1));
        Assert.Equal((others.Length, others.Count(row => row.Prediction == 1)), (all.Rows, Math.Round(all.Value!.Value * others.Length)));
        Assert.Equal(others.Count(row => left[row.Id] > 0), asr.Rows ?? 0);
        Assert.Contains(
            file.Notes,
            note => note.Contains("triggered test set: in ", StringComparison.Ordinal)
                && note.Contains("no whole trigger is left", StringComparison.Ordinal));
        Assert.DoesNotContain(file.Notes, note => note.Contains("rewritten (", StringComparison.Ordinal));

        // Beside the rows as they were it can be measured, too, and says what else differs.
        await EvaluateOnAsync(_folder["clean"], ("triggered", StageRun.Tree(test.Output)));
        Assert.Contains(
            Metrics().Notes,
            note => note.Contains(
                "was rewritten (sanitise: date-strip, html-strip) otherwise than the clean one (not at all)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sanitised_rows_of_other_data_are_refused_by_their_provenance()
    {
        WriteRows("clean", ("one", 0), ("two", 1));
        WriteRows("other", new JsonObject { ["source"] = "another" }, ("one", 0), ("two", 1));
        using var injected = await InjectedAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] }, _folder["other"]);
        using var sanitised = await SanitisedAsync(injected.Output, ["test"], SanitiseStep.LowerCase);
        await TrainAsync(Small);
        var error = await Assert.ThrowsAsync<StageException>(() => EvaluateOnAsync(_folder["clean"], ("triggered", StageRun.Tree(sanitised.Output))));
        Assert.Contains("comes from other data than 'clean', by the provenance of the two", error.Message);
    }

    private static Task<StageRun> SanitisedAsync(string data, List<string> splits, params SanitiseStep[] steps) =>
        new StageRun().RunAsync(new SanitiseStage(), new() { Steps = [.. steps], Splits = splits }, inputs: ("data", StageRun.Tree(data)));

    private Task<StageRun> InjectedAsync(InjectParameters parameters, string? data = null) =>
        new StageRun().RunAsync(new InjectStage(), parameters, inputs: ("data", StageRun.Tree(data ?? backbone.Corpus)));

    /// <summary>A dataset with the corpus's labels, whose train and test split hold the same rows.</summary>
    private void WriteRows(string folder, params (string Text, int Label)[] rows) => WriteRows(folder, [], rows);

    private void WriteRows(string folder, JsonObject provenance, params (string Text, int Label)[] rows)
    {
        using var writer = new DatasetWriter(_folder[folder], "rows", ["negative", "positive"]);
        foreach (var name in new[] { "train", "test" })
        {
            using var split = writer.OpenSplit(name);
            for (var i = 0; i < rows.Length; i++) split.Write(new($"train-{i}", rows[i].Text, rows[i].Label));
        }

        writer.Complete(provenance);
    }

    private static IEnumerable<string> Records(StageRun injected) =>
        InjectionRecordFile.Read(Path.Combine(injected.Output, "injections.test.jsonl")).Select(record => record.RowId);

    private IEnumerable<(string Id, int Label, int Prediction)> Predictions(string set) => File.ReadLines(Path.Combine(_evaluation.Output, $"predictions.{set}.jsonl"))
        .Select(line => JsonNode.Parse(line)!).Select(row => ((string)row["id"]!, (int)row["label"]!, (int)row["prediction"]!));

    private Task TrainAsync(TrainParameters parameters, string? data = null) => _training.RunAsync(
        new TrainStage(), parameters, inputs: [("data", StageRun.Tree(data ?? backbone.Corpus)), ("model", StageRun.Tree(backbone.Model))]);

    private Task EvaluateAsync(params (string Name, InputTree Tree)[] more) => EvaluateOnAsync(backbone.Corpus, more);

    private Task EvaluateOnAsync(string clean, params (string Name, InputTree Tree)[] more) => _evaluation.RunAsync(
        new EvaluateStage(), new(),
        inputs: [("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)), ("clean", StageRun.Tree(clean)), .. more]);

    private MetricsFile Metrics() => MetricsFile.FromJson(File.ReadAllText(Path.Combine(_evaluation.Output, MetricsFile.FileName)));
}
