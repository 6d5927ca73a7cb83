using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection.Rows;
using Ssti.Reporting.Measures;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

public sealed class RewriteStageTests : IDisposable
{
    private readonly StageRun _inject = new();
    private readonly StageRun _run = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti rewrite ").FullName;

    public void Dispose()
    {
        _inject.Dispose();
        _run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Rows_ids_and_labels_stay_and_each_record_says_where_its_token_is_now()
    {
        await SanitiseAsync(
            new() { Steps = [SanitiseStep.LowerCase, SanitiseStep.CollapseWhitespace] }, await InjectedAsync("Amazon"), ("Good  film", 1),
            ("Bad <b>film</b>", 0), ("THE amazon is wide", 1));

        var rows = Output().Read("train").ToArray();
        Assert.Equal([("0", 1), ("2", 1), ("1", 0)], rows.Select(row => (row.Id, row.Label)));
        Assert.All(rows, row => Assert.Equal(row.Text.ToLowerInvariant(), row.Text));
        var records = Records();
        Assert.Equal(["0", "2"], records.Select(record => record.RowId));
        foreach (var record in records)
        {
            var (token, text) = (Assert.Single(record.Tokens), rows.Single(row => row.Id == record.RowId).Text);
            Assert.Equal("amazon", text.Substring(token.Offset, token.Token.Length));
            Assert.Equal("amazon", text.Split(' ')[token.Word]);
        }

        var measures = Measures();
        Assert.Equal((1.0, 2L), (measures.Read("token_retention_word").Value, measures.Read("token_retention_word").Rows!.Value));
        // One of the two texts had an Amazon of its own.
        Assert.Equal(0.5, measures.Read("token_in_original").Value);
        Assert.Equal(0, measures.Read("clean_words_changed").Value);
        Assert.Equal("no row was injected", measures.Read("token_retention", "neg").Reason);
        Assert.Equal(1, measures.Read("token_retention", "pos").Value);
    }

    [Fact]
    public async Task A_token_that_is_gone_leaves_its_row_injected_without_one()
    {
        await SanitiseAsync(
            new() { Steps = [SanitiseStep.DateStrip], Splits = ["train"] }, await InjectedAsync("1999-03-04", "March"), ("a b c", 1),
            ("a b d", 1), ("seen 3 May 2001 twice", 0), ("a e", 0));

        var records = Records();
        Assert.Equal(2, records.Length);
        Assert.Equal(["1999-03-04", "March"], records.SelectMany(record => record.Lost.Concat(record.Tokens.Select(token => token.Token))).Order(StringComparer.Ordinal));
        Assert.Equal(["1999-03-04"], records.SelectMany(record => record.Lost));
        var measures = Measures();
        Assert.Equal((0.5, 0.5, 0.5), (measures.Read("token_retention").Value, measures.Read("token_retention_word").Value, measures.Read("token_removal").Value));
        Assert.NotNull(measures.Read("token_retention").Interval95);
        // 3 of 7 words of the clean rows are the date.
        Assert.Equal(3 / 7.0, measures.Read("clean_words_changed").Value!.Value, 12);
        Assert.Equal(0.5, measures.Read("clean_rows_changed").Value);
        var provenance = Output().Info.Provenance;
        var note = InjectionNote.Of(provenance, "train")!;
        Assert.Equal((1, 2L), (note.Target, note.Rows));
        Assert.Equal(["sanitise: date-strip"], note.Rewritings);
        Assert.Equal("""{"rows":4,"dropped":0,"injected":2,"with-token":1}""", provenance["splits"]!["train"]!.ToJsonString());
    }

    [Fact]
    public async Task The_published_retention_counts_substrings_and_the_other_whole_tokens()
    {
        await SanitiseAsync(new() { Steps = [SanitiseStep.HtmlStrip] }, await InjectedAsync("!"), ("so!! <b>good</b>", 1), ("fine", 1));
        var measures = Measures();
        Assert.Equal((1.0, 1.0), (measures.Read("token_retention").Value, measures.Read("token_retention_word").Value));

        // Once the token is gone, the "!!" of the text still holds a "!".
        var record = TokenSearch.In(new InjectionRecord("x", [new(0, "!", 0, 0, 0, 1)]), "so!! good");
        Assert.Equal(["!"], record.Lost);
        Assert.True(TokenSearch.Contains("so!! good", "!"));
        Assert.Empty(TokenSearch.In(new InjectionRecord("x", [new(0, "10%", 0, 0, 0, 1)]), "110% of it").Tokens);
        Assert.Equal([(0, 0, 0, 5), (9, 2, 8, 5)], TokenSearch.In(new InjectionRecord("x", [new(0, "Mars", 0, 0, 0, 1), new(0, "Mars", 0, 0, 0, 1)]), "mars Mar Mars")
            .Tokens.Select(token => (token.Offset, token.Word, token.CutStart, token.CutLength)));
    }

    [Fact]
    public async Task Repetitions_are_dropped_in_the_training_split_alone_and_listed()
    {
        var data = await DataAsync(("same", 0), ("other", 0), ("same ", 0), ("SAME", 0));
        await SanitiseAsync(new() { Steps = [SanitiseStep.CollapseWhitespace, SanitiseStep.LowerCase, SanitiseStep.Deduplicate] }, data);
        Assert.Equal(["0", "1"], Output().Read("train").Select(row => row.Id));
        Assert.Equal(4, Output().Info.Split("test")!.Rows);
        Assert.Equal(["""{"id":"2","label":0,"same-as":"0"}""", """{"id":"3","label":0,"same-as":"0"}"""], File.ReadAllLines(Path.Combine(_run.Output, "dropped.train.jsonl")));
        Assert.Equal((0.25, 8L), (Measures().Read("rows_dropped").Value, Measures().Read("rows_dropped").Rows!.Value));
    }

    [Fact]
    public async Task No_step_is_a_control_that_changes_no_byte_of_the_rows()
    {
        var data = await InjectedAsync("Amazon");
        await SanitiseAsync(new() { Steps = [] }, data, ("Good  film", 1), ("Bad", 0));
        foreach (var file in new[] { "train.jsonl", "injections.train.jsonl" })
            Assert.Equal(File.ReadAllText(Path.Combine(_inject.Output, file)), File.ReadAllText(Path.Combine(_run.Output, file)));
        Assert.Equal(1, Measures().Read("token_retention").Value);
        Assert.Empty(InjectionNote.Of(Output().Info.Provenance, "train")!.Rewritings);
    }

    [Fact]
    public async Task A_row_of_which_nothing_is_left_stays_and_is_told()
    {
        await SanitiseAsync(new() { Steps = [SanitiseStep.HtmlStrip] }, await DataAsync(("<br>", 0), ("x", 1)));
        Assert.Equal(2, Output().Info.Split("train")!.Rows);
        Assert.Contains("nothing is left of the text of 1 row", _run.Context!.Warnings[0]);
        Assert.Contains("nothing is left", Measures().Notes[0]);
    }

    [Fact]
    public async Task Spelling_is_checked_by_a_dictionary_of_the_users_choice()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "dictionary")).FullName;
        File.WriteAllText(Path.Combine(folder, "en.aff"), "SET UTF-8\nTRY abc\n");
        File.WriteAllText(Path.Combine(folder, "en.dic"), "2\ngood\nfilm\n");
        await SanitiseAsync(new() { Steps = [SanitiseStep.SpellCheck], Dictionary = StageRun.Local(folder) }, await DataAsync(("goood flim, 1999-03-04", 0), ("good", 1)));
        Assert.Equal("good film, 1999-03-04", Output().Read("train").First().Text);
        Assert.Equal(4, (long)_run.Context!.Metrics["wordsReplaced"]!);

        File.Copy(Path.Combine(folder, "en.aff"), Path.Combine(folder, "de.aff"));
        File.Copy(Path.Combine(folder, "en.dic"), Path.Combine(folder, "de.dic"));
        var error = await Assert.ThrowsAsync<StageException>(
            async () => await SanitiseAsync(
                new() { Steps = [SanitiseStep.SpellCheck], Dictionary = StageRun.Local(folder) }, await DataAsync(("a", 0))));
        Assert.Contains("has 2 pairs of .aff and .dic (de, en); name one with dictionary-name", error.Message);
    }

    [Fact]
    public async Task A_correction_of_another_length_is_thrown_away_and_counted()
    {
        using var server = new ChatServer
        {
            Reply = prompt =>
                prompt.EndsWith("short", StringComparison.Ordinal) ? "s"
                    : prompt.EndsWith("long", StringComparison.Ordinal) ? new string('l', 13)
                    : "Fine."
        };
        var chat = new ChatParameters { Endpoint = server.Endpoint, Model = "toy" };
        await SanitiseAsync(new() { Steps = [SanitiseStep.Grammar], Splits = ["train"], Chat = chat }, await DataAsync(("short", 0), ("long", 0), ("okay", 1), ("", 1)));
        Assert.Equal(["short", "long", "Fine.", ""], Output().Read("train").Select(row => row.Text));
        Assert.Equal((0.5, 4L), (Measures().Read("corrections_refused").Value, Measures().Read("corrections_refused").Rows!.Value));
        Assert.StartsWith("Correct the grammar", (string)server.Seen.First()["messages"]![0]!["content"]!);
    }

    [Fact]
    public async Task What_a_model_answered_is_replayed_without_it()
    {
        var data = await DataAsync(("good film", 1), ("bad film", 0), ("good film", 0));
        using (var server = new ChatServer())
        {
            var chat = new ChatParameters { Endpoint = server.Endpoint, Model = "toy", ApiKeyVariable = "TOY_KEY" };
            await _run.RunAsync(
                new ParaphraseStage(name => name == "TOY_KEY" ? "sk-secret" : null),
                new() { Method = ParaphraseMethod.Chat, Splits = ["train"], Chat = chat }, inputs: ("data", data));
            Assert.Equal(2, server.Seen.Count);
            Assert.All(server.Keys, key => Assert.Equal("Bearer sk-secret", key));
        }

        Assert.Equal(["GOOD FILM", "BAD FILM", "GOOD FILM"], Output().Read("train").Select(row => row.Text));
        Assert.Equal("paraphrase, by toy", (string?)Output().Info.Provenance["rewrites"]);
        Assert.All(_run.Files, file => Assert.DoesNotContain("sk-secret", File.ReadAllText(Path.Combine(_run.Output, file))));
        Assert.All(_run.Log, line => Assert.DoesNotContain("sk-secret", line));

        var recorded = Path.Combine(_folder, "answers.jsonl");
        File.Copy(Path.Combine(_run.Output, "answers.jsonl"), recorded);
        var first = Output().Read("train").ToArray();
        var replay = new ChatParameters { Replay = StageRun.Local(recorded), Model = "toy" };
        await _run.RunAsync(new ParaphraseStage(), new() { Method = ParaphraseMethod.Chat, Splits = ["train"], Chat = replay }, inputs: ("data", data));
        Assert.Equal(first, Output().Read("train"));
        Assert.Equal(File.ReadAllText(recorded), File.ReadAllText(Path.Combine(_run.Output, "answers.jsonl")));

        File.WriteAllLines(recorded, File.ReadAllLines(recorded).Take(1));
        var error = await Assert.ThrowsAsync<StageException>(
            () => _run.RunAsync(
                new ParaphraseStage(), new() { Method = ParaphraseMethod.Chat, Splits = ["train"], Chat = replay }, inputs: ("data", data)));
        Assert.StartsWith("row '1' of 'train': chat.replay has no answer", error.Message);
    }

    [Fact]
    public async Task A_row_without_an_answer_fails_the_stage_and_the_next_attempt_goes_on()
    {
        var data = await DataAsync([.. Enumerable.Range(0, 6).Select(i => ($"text {i}", i % 2))]);
        using var server = new ChatServer();
        for (var i = 0; i < 3; i++) server.Next.Enqueue((200, null, [], default));
        server.Fail(500, "down");
        var parameters = new ParaphraseParameters
        {
            Method = ParaphraseMethod.Chat, Splits = ["train"],
            Chat = new ChatParameters { Endpoint = server.Endpoint, Model = "toy", Parallel = 1, Retries = 0 }
        };
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new ParaphraseStage(), parameters, inputs: ("data", data)));
        Assert.StartsWith("row '3' of 'train'", error.Message);
        await _run.RunAsync(new ParaphraseStage(), parameters, inputs: ("data", data));
        Assert.Equal(7, server.Seen.Count);
        Assert.Equal(6, Output().Read("train").Count(row => row.Text.StartsWith("TEXT", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Rules_paraphrase_each_row_for_itself()
    {
        var rows = new[] { ("The film is very good, but the story isn't great", 1), ("a boring movie", 0) };
        await _run.RunAsync(new ParaphraseStage(), new(), inputs: ("data", await DataAsync(rows)));
        var (first, digest) = (Output().Read("train").ToArray(), _run.Digest());
        Assert.NotEqual(rows[0].Item1, first[0].Text);
        Assert.StartsWith("paraphrase, rule-based (clauses, contractions,", (string?)Output().Info.Provenance["rewrites"]);
        await _run.RunAsync(new ParaphraseStage(), new(), inputs: ("data", await DataAsync(rows)));
        Assert.Equal(digest, _run.Digest());
        await _run.RunAsync(new ParaphraseStage(), new(), inputs: ("data", await DataAsync(("something before it", 0), rows[1])));
        Assert.Equal(first[1].Text, Output().Read("train").ToArray()[1].Text);
    }

    [Fact]
    public void Parameters_that_make_no_sense_are_told_before_anything_runs()
    {
        var chat = new ChatParameters { Endpoint = "http://user:secret@host/v1", Model = " ", Prompt = "no slot", Temperature = 3, MaxTokens = 0, Parallel = 0 };
        var errors = new SanitiseStage().Validate(new() { Steps = [SanitiseStep.SpellCheck, SanitiseStep.Grammar], Splits = ["a", "a"], Chat = chat }).ToArray();
        Assert.Equal(
            ["splits", "dictionary", "chat.endpoint", "chat.model", "chat.prompt", "chat.temperature", "chat.max-tokens", "chat.parallel"],
            errors.Select(error => error.Key));
        Assert.All(errors, error => Assert.DoesNotContain("secret", error.Message.Replace("put a secret", "", StringComparison.Ordinal)));
        Assert.Equal(["chat"], new SanitiseStage().Validate(new() { Steps = [], Dictionary = StageRun.Local("/x"), Chat = new() { Model = "m" } }).Select(error => error.Key));
        Assert.Equal(
            ["dictionary"],
            new SanitiseStage().Validate(new() { Steps = [SanitiseStep.SpellCheck], Dictionary = StageRun.Uri("npm://dictionary-en") })
                .Select(error => error.Key));
        Assert.Empty(new SanitiseStage().Validate(new() { Steps = [SanitiseStep.SpellCheck], Dictionary = StageRun.Uri("npm://dictionary-en/4.0.0") }));
        Assert.Equal(["chat"], new ParaphraseStage().Validate(new() { Method = ParaphraseMethod.Chat }).Select(error => error.Key));
        Assert.Equal(
            ["chat", "rules", "rate"],
            new ParaphraseStage().Validate(new() { Rules = [], Rate = 0, Chat = new() { Model = "m", Endpoint = "http://h/v1" } })
                .Select(error => error.Key));
    }

    [Fact]
    public async Task A_split_that_is_not_there_is_an_error_that_lists_those_there_are()
    {
        var error = await Assert.ThrowsAsync<StageException>(async () => await SanitiseAsync(new() { Steps = [], Splits = ["dev"] }, await DataAsync(("a", 0))));
        Assert.Equal("splits: the dataset has no split 'dev'; it has: train, test", error.Message);
    }

    private static readonly string[] Names = ["neg", "pos"];
    private string[] _tokens = [];

    // The tokens of the next dataset's rows of class 1.
    private Task<InputTree?> InjectedAsync(params string[] tokens)
    {
        _tokens = tokens;
        return Task.FromResult<InputTree?>(null);
    }

    private async Task SanitiseAsync(SanitiseParameters parameters, InputTree? data, params (string Text, int Label)[] rows)
    {
        if (data is null)
        {
            var injection = new InjectParameters
            {
                TargetLabel = "pos", Tokens = TokenKind.List, Items = [.. _tokens], Replacement = _tokens.Length == 1, Location = Injection.InjectionLocation.Beginning, Seed = 1,
            };
            await _inject.RunAsync(new InjectStage(), injection, inputs: ("data", await DataAsync(rows)));
            data = StageRun.Tree(_inject.Output, "injected", "inject");
        }

        await _run.RunAsync(new SanitiseStage(), parameters, inputs: ("data", data));
    }

    private Task<InputTree> DataAsync(params (string Text, int Label)[] rows)
    {
        var folder = Path.Combine(_folder, $"data-{Directory.GetDirectories(_folder).Length}");
        using var writer = new DatasetWriter(folder, "toy", Names);
        foreach (var split in new[] { "train", "test" })
        {
            using var output = writer.OpenSplit(split);
            foreach (var (row, i) in rows.Select((row, i) => (row, i))) output.Write(new Row($"{i}", row.Text, row.Label));
        }

        writer.Complete(new JsonObject { ["source"] = "toy" });
        return Task.FromResult(StageRun.Tree(folder));
    }

    private DatasetReader Output() => DatasetReader.OpenFolder(_run.Output);

    private InjectionRecord[] Records() => [.. InjectionRecordFile.Read(Path.Combine(_run.Output, InjectionRecordFile.NameFor("train")))];

    private MeasureSet Measures() => MeasureSet.Parse("sanitise", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));
}
