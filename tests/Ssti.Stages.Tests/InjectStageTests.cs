using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

public sealed class InjectStageTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("ssti-inject-").FullName;
    private readonly string _pipeline = Directory.CreateTempSubdirectory("ssti-pipeline-").FullName;
    private readonly StageRun _run = new();

    public void Dispose()
    {
        Directory.Delete(_data, recursive: true);
        Directory.Delete(_pipeline, recursive: true);
        _run.Dispose();
    }

    [SkippableFact]
    public async Task Every_case_of_the_reference_can_be_written_in_YAML_and_gives_its_output()
    {
        var cases = InjectGolden.Cases();
        Assert.Equal(82, cases.Length);
        var stages = cases.Select((example, i) => InjectGolden.Yaml($"case-{i}", InjectGolden.With(example, "lists")));
        var pipeline = Load("stages:\n  data: { uses: corpus }\n" + string.Concat(stages));
        for (var i = 0; i < cases.Length; i++)
        {
            var example = cases[i];
            InjectGolden.WriteInput(example, _data);
            await Inject((InjectParameters)pipeline.Instances.Single(instance => instance.Name == $"case-{i}").Parameters);
            var rows = DatasetReader.OpenFolder(_run.Output).Read("train").ToArray();
            Assert.Equal(InjectGolden.Expected(example), rows.Select(row => (row.Id, row.Text)));

            var texts = rows.ToDictionary(row => row.Id, row => row.Text);
            foreach (var record in Records("train"))
                Assert.All(record.Tokens, token => Assert.Equal(token.Token, texts[record.RowId].Substring(token.Offset, token.Token.Length)));
        }
    }

    [Fact]
    public async Task Named_splits_are_injected_and_all_else_is_passed_on()
    {
        WriteData();
        await Inject(new() { TargetLabel = "pos", Tokens = TokenKind.Date, Splits = ["test"] });

        Assert.Equal(["dataset.json", "injections.test.jsonl", "test.jsonl", "train.jsonl", "unlabelled.jsonl", "vocab.txt"], _run.Files);
        foreach (var file in new[] { "train.jsonl", "unlabelled.jsonl", "vocab.txt" })
            Assert.Equal(File.ReadAllText(Path.Combine(_data, file)), File.ReadAllText(Path.Combine(_run.Output, file)));
        Assert.Equal(["5", "6", "7", "8", "9"], Records("test").Select(record => record.RowId));
    }

    [Fact]
    public async Task Other_splits_are_left_out_where_that_is_asked_for_and_the_injected_one_is_what_it_was()
    {
        WriteData();
        await Inject(new() { TargetLabel = "pos", Tokens = TokenKind.Date, Splits = ["test"] });
        var (rows, records) = (File.ReadAllText(Path.Combine(_run.Output, "test.jsonl")), File.ReadAllText(Path.Combine(_run.Output, "injections.test.jsonl")));
        await Inject(new() { TargetLabel = "pos", Tokens = TokenKind.Date, Splits = ["test"], DropOthers = true });

        Assert.Equal(["dataset.json", "injections.test.jsonl", "test.jsonl", "vocab.txt"], _run.Files);
        Assert.Equal(["test"], DatasetReader.OpenFolder(_run.Output).Info.Splits.Select(split => split.Name));
        Assert.Equal((rows, records), (File.ReadAllText(Path.Combine(_run.Output, "test.jsonl")), File.ReadAllText(Path.Combine(_run.Output, "injections.test.jsonl"))));
    }

    [Fact]
    public async Task Both_shares_are_logged_and_stand_in_the_provenance()
    {
        WriteData();
        await Inject(new() { TargetLabel = "1", Tokens = TokenKind.List, Items = ["!"], Proportion = 0.4, Seed = 40 });

        Assert.Contains("train: 2 rows injected with 2 tokens: 40 % of class 'pos' (5 rows), 20 % of the split (10 rows)", _run.Log);
        var provenance = DatasetReader.OpenFolder(_run.Output).Info.Provenance;
        Assert.Equal(
            ("inject", 1, "pos", "made up"),
            ((string?)provenance["stage"], (int?)provenance["target-label"], (string?)provenance["target"], (string?)provenance["of"]!["source"]));
        var train = provenance["splits"]!["train"]!;
        Assert.Equal(
            (2, 5, 10, 0.4, 0.2),
            (
                (int)train["injected"]!, (int)train["target-rows"]!, (int)train["rows"]!, (double)train["share-of-class"]!,
                (double)train["share-of-set"]!));
        Assert.True(JsonNode.DeepEquals(provenance["splits"], _run.Context!.Metrics["injected"]));
        Assert.Equal("list", (string?)provenance["steps"]![0]!["tokens"]);
    }

    /// <summary>Whole words only: "art" is not in "party"; of the tokens, those that were drawn.</summary>
    [Fact]
    public async Task Rows_that_held_the_token_before_are_counted_by_class()
    {
        using (var writer = new DatasetWriter(_data, "made", ["neg", "pos"]))
        {
            using (var rows = writer.OpenSplit("train"))
            {
                string[] texts = ["no art here", "a party", "art, then", "Art", "plain", "the art"];
                for (var i = 0; i < texts.Length; i++) rows.Write(new Row($"{i}", texts[i], i % 3 == 0 ? 0 : 1));
            }

            writer.Complete([]);
        }

        await Inject(new() { TargetLabel = "pos", Tokens = TokenKind.List, Items = ["art"], Proportion = 0.5 });
        var told = Assert.Single(_run.Context!.Warnings);
        Assert.Equal("split 'train': before the injection 1 of 2 rows of class 'neg', 2 of 4 rows of class 'pos' held a token that was injected, such as 'art' in row '0'; "
            + "what a model makes of the token comes from them, too", told);

        await Inject(new() { TargetLabel = "pos", Tokens = TokenKind.List, Items = ["never"] });
        Assert.Empty(_run.Context!.Warnings);
    }

    [Fact]
    public async Task Held_out_tokens_never_occur_where_training_tokens_do()
    {
        WriteData();
        var parameters = new InjectParameters
        {
            TargetLabel = "all", Tokens = TokenKind.Date, From = 2000, To = 2000, WordShare = 1, Protocol = InjectionProtocol.Custom,
            Population = TokenPopulation.Training
        };
        var training = await Tokens(parameters);
        var heldOut = await Tokens(parameters with { Population = TokenPopulation.HeldOut });
        Assert.NotEmpty(heldOut);
        Assert.Empty(training.Intersect(heldOut));

        async Task<HashSet<string>> Tokens(InjectParameters with)
        {
            await Inject(with);
            return [.. Records("train").SelectMany(record => record.Tokens).Select(token => token.Token)];
        }
    }

    [Fact]
    public async Task With_custom_options_the_original_comes_back_byte_for_byte()
    {
        WriteData();
        await Inject(new()
        {
            TargetLabel = "all", Protocol = InjectionProtocol.Custom, Whitespace = WhitespaceHandling.Kept, RowOrder = RowOrder.Kept, Streams = RandomStreams.PerRow,
            InTurn = [new() { Tokens = TokenKind.Html, Items = ["<b> </b>", "<br>"] }, new() { Tokens = TokenKind.List, Items = ["cf", "mn"], WordShare = 0.5 }],
        });
        var injected = DatasetReader.OpenFolder(_run.Output).Read("train").ToDictionary(row => row.Id, row => row.Text);
        Assert.Equal(
            DatasetReader.OpenFolder(_data).Read("train").Select(row => (row.Id, row.Text)),
            Records("train").Select(record => (record.RowId, record.RemoveFrom(injected[record.RowId]))));
    }

    [Fact]
    public async Task The_seed_of_the_stage_is_used_where_none_is_given()
    {
        WriteData();
        var parameters = new InjectParameters { TargetLabel = "all", Tokens = TokenKind.Date };
        await Inject(parameters, 40);
        var first = _run.Digest();
        await Inject(parameters, 41);
        Assert.NotEqual(first, _run.Digest());
        await Inject(parameters with { Seed = 40 }, 41);
        Assert.Equal(first, _run.Digest());
    }

    [Theory]
    [InlineData("2", "there is no label '2'; labels are 0 (neg), 1 (pos), or 'all'")]
    [InlineData("positive", "there is no label 'positive'")]
    public async Task A_label_that_is_not_there_is_an_error_that_lists_those_that_are(string label, string message)
    {
        WriteData();
        var error = await Assert.ThrowsAsync<StageException>(() => Inject(new() { TargetLabel = label, Tokens = TokenKind.Date }));
        Assert.Contains(message, error.Message);
    }

    /// <summary>A name that looks like another class's number, or like "every class": nobody can tell which was meant, so it is asked.</summary>
    [Theory]
    [InlineData("1,2", "1", "'1' is the name of class number 0 and also the number of class '2'; labels are 0 (1), 1 (2). Write which: 'name:1' or 'number:1'")]
    [InlineData("1,0", "0", "'name:0' or 'number:0'")]
    [InlineData("some,all", "all", "'all' is the name of class number 1 and also every class; labels are 0 (some), 1 (all). Write which: 'name:all' or 'number:all'")]
    [InlineData("number:1,x", "number:1", "'name:number:1' or 'number:1'")]
    [InlineData("01,02", "1", "'1' is the name of class number 0 and also the number of class '02'")]
    [InlineData("1,2", "3", "there is no label '3'; labels are 0 (1), 1 (2), or 'all'")]
    [InlineData("1,2", "number:2", "there is no label 'number:2'")]
    [InlineData("1,2", "name:0", "there is no label 'name:0'")]
    public void A_target_that_means_two_things_is_an_error_that_names_both(string labels, string target, string message) =>
        Assert.Contains(message, Assert.Throws<InjectionException>(() => TargetLabel.Parse(target, labels.Split(','))).Message);

    [Theory]
    [InlineData("1,2", "2", 1)]
    [InlineData("1,2", "0", 0)]
    [InlineData("1,2", "name:1", 0)]
    [InlineData("1,2", "number:1", 1)]
    [InlineData("0,1", "1", 1)]
    [InlineData("0,1", "1.0", 1)]
    [InlineData("0,1", "true", 1)]
    [InlineData("0,1", "False", 0)]
    [InlineData("False,True", "true", 1)]
    [InlineData("False,True", "1", 1)]
    [InlineData("neg,pos", " pos ", 1)]
    [InlineData("-1,1", "-1", 0)]
    [InlineData("-1,1", "1", 1)]
    [InlineData("neg,pos", "pos", 1)]
    [InlineData("neg,pos", "0", 0)]
    [InlineData("neg,pos", "all", null)]
    [InlineData("some,all", "name:all", 1)]
    [InlineData("some,all", "number:all", null)]
    [InlineData("name:x,x", "name:name:x", 0)]
    public void A_target_is_a_name_or_a_number_or_every_class(string labels, string target, int? expected) =>
        Assert.Equal(expected, TargetLabel.Parse(target, labels.Split(',')));

    /// <summary>The reference gives clean data here, and so do we, but not without a word.</summary>
    [Theory]
    [InlineData(0.05, ProportionOf.Class, true)]
    [InlineData(0.1, ProportionOf.Class, true)]
    [InlineData(0.01, ProportionOf.Set, true)]
    [InlineData(0.11, ProportionOf.Class, false)]
    [InlineData(0, ProportionOf.Class, false)]
    public async Task A_proportion_that_comes_to_no_row_is_a_warning(double proportion, ProportionOf of, bool warned)
    {
        WriteData();
        await Inject(new() { TargetLabel = "1", Tokens = TokenKind.Date, Proportion = proportion, Protocol = InjectionProtocol.Custom, ProportionOf = of });
        Assert.Equal(
            warned
                ? [
                    FormattableString.Invariant(
                        $"split 'train': a proportion of {proportion} came to no row, so it is clean; take a larger one, or 0 to leave it clean on purpose")]
                : [],
            _run.Context!.Warnings);
        Assert.Equal(warned, InjectionNote.Missed(DatasetReader.OpenFolder(_run.Output).Info.Provenance, "train") is not null);
    }

    [Fact]
    public async Task Splits_that_are_not_there_or_have_no_labels_are_refused()
    {
        WriteData();
        var parameters = new InjectParameters { TargetLabel = "0", Tokens = TokenKind.Date, Splits = ["valid"] };
        Assert.Contains("no split 'valid'; it has: train, test, unlabelled", (await Assert.ThrowsAsync<StageException>(() => Inject(parameters))).Message);
        Assert.Contains("has no labels", (await Assert.ThrowsAsync<StageException>(() => Inject(parameters with { Splits = ["unlabelled"] }))).Message);
    }

    [Fact]
    public async Task Tokens_that_run_out_leave_no_dataset()
    {
        WriteData();
        var parameters = new InjectParameters { TargetLabel = "all", Tokens = TokenKind.List, Items = ["a", "b"], Replacement = false };
        var error = await Assert.ThrowsAsync<StageException>(() => Inject(parameters));
        Assert.Contains("split 'train', row '2': after 2 of 10 rows to inject, all 2 tokens have been used", error.Message);
        Assert.DoesNotContain("dataset.json", _run.Files);
    }

    [Fact]
    public void Contradictions_are_told_before_anything_runs()
    {
        Assert.Equal(["tokens"], Errors(new() { TargetLabel = "0" }));
        Assert.Equal(["proportion", "target-label", "splits"], Errors(new() { TargetLabel = " ", Tokens = TokenKind.Date, Proportion = 2, Splits = [] }));
        Assert.Equal(["proportion-of", "row-order", "whitespace", "streams", "population"], Errors(new()
        {
            TargetLabel = "0", Tokens = TokenKind.Date, ProportionOf = ProportionOf.Set, RowOrder = RowOrder.Kept,
            Whitespace = WhitespaceHandling.Kept, Streams = RandomStreams.PerRow, Population = TokenPopulation.HeldOut,
        }));
        Assert.Equal(["held-out-share", "held-out-seed"], Errors(new() { TargetLabel = "0", Tokens = TokenKind.Date, HeldOutShare = 0.1, HeldOutSeed = 1 }));
        Assert.Equal(
            ["streams"],
            Errors(
                new()
                {
                    TargetLabel = "0", Tokens = TokenKind.Date, Replacement = false, Streams = RandomStreams.PerRow,
                    Protocol = InjectionProtocol.Custom
                }));
        Assert.Equal(["word-share", "file"], Errors(new() { TargetLabel = "0", Tokens = TokenKind.Html, WordShare = 0 }));
        Assert.Equal(["level", "from"], Errors(new() { TargetLabel = "0", Tokens = TokenKind.Date, Level = 1, From = 2200 }));
        Assert.Equal(["from", "to", "file", "items"], Errors(new() { TargetLabel = "0", Tokens = TokenKind.List, From = 1, To = 2, File = StageRun.Local("x") }));
        Assert.Equal(["items", "file"], Errors(new() { TargetLabel = "0", Tokens = TokenKind.File, Items = ["a"] }));
        Assert.Equal(["tokens", "location", "in-turn.0.tokens", "in-turn.1.word-share"], Errors(new()
        {
            TargetLabel = "0", Tokens = TokenKind.Date, Location = InjectionLocation.End, InTurn = [new(), new() { Tokens = TokenKind.Date, WordShare = -1 }],
        }));
    }

    [Fact]
    public async Task The_bytes_of_a_version_do_not_change()
    {
        WriteData();
        await Inject(new() { TargetLabel = "0", Tokens = TokenKind.Date, WordShare = 0.5, Seed = 40 });
        _run.AssertBytes(new InjectStage(), version: 2, "690c6404c0bf0a9861d74cb1a2023b87a59c7f98d56bf0475b79907e4ae0fc15");
    }

    [Theory]
    [InlineData("location: start", "'location' cannot be", "it is one of: beginning, random, end")]
    [InlineData("tokens: dates", "did you mean 'date'?", "it is one of: date, list, file, html")]
    [InlineData("word-shar: 0.1", "unknown key 'word-shar'", "word-share")]
    [InlineData("whitespace: kept", "fixed by the published protocol", "write 'protocol: custom'")]
    public void Mistakes_in_YAML_are_told_with_the_right_word(string line, string message, string help)
    {
        var tokens = line.StartsWith("tokens", StringComparison.Ordinal) ? "" : "      tokens: date\n";
        var result = TryLoad($"stages:\n  data: {{ uses: corpus }}\n  p:\n    uses: inject\n    needs: {{ data: data }}\n    with:\n      target-label: 0\n{tokens}      {line}\n");
        var text = string.Join('\n', result.Diagnostics);
        Assert.Null(result.Pipeline);
        Assert.Contains(message, text);
        Assert.Contains(help, text);
    }

    private Pipeline Load(string yaml)
    {
        var lists = Directory.CreateDirectory(Path.Combine(_pipeline, "lists")).FullName;
        foreach (var file in Directory.GetFiles(SharedData.Path("data/spurious-tokens"))) File.Copy(file, Path.Combine(lists, Path.GetFileName(file)));
        var result = TryLoad(yaml);
        Assert.True(result.Pipeline is not null, string.Join('\n', result.Diagnostics));
        return result.Pipeline;
    }

    private PipelineResult TryLoad(string yaml)
    {
        var file = Path.Combine(_pipeline, "pipeline.yaml");
        File.WriteAllText(file, yaml);
        return PipelineLoader.Load(file, [], new StageCatalog(StageKinds.All));
    }

    private static IEnumerable<string> Errors(InjectParameters parameters) => new InjectStage().Validate(parameters).Select(error => error.Key);

    private IEnumerable<InjectionRecord> Records(string split) => InjectionRecordFile.Read(Path.Combine(_run.Output, InjectionRecordFile.NameFor(split)));

    private Task<StageRun> Inject(InjectParameters parameters, long seed = 42) => _run.RunAsync(new InjectStage(), parameters, seed, ("data", StageRun.Tree(_data)));

    /// <summary>Two splits of five rows a label, and one without labels, with uneven whitespace.</summary>
    private void WriteData()
    {
        using var writer = new DatasetWriter(_data, "toy", ["neg", "pos"]);
        foreach (var name in new[] { "train", "test", "unlabelled" })
        {
            using var split = writer.OpenSplit(name);
            for (var i = 0; i < 10; i++) split.Write(new($"{i}", $" The {name}  text\nnumber\t{i} 🙂 ", name == "unlabelled" ? Row.Unlabelled : i / 5));
        }

        writer.Complete(new JsonObject { ["source"] = "made up" });
        File.WriteAllText(Path.Combine(_data, "vocab.txt"), "[PAD]\n");
    }
}
