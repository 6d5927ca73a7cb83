using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Defenses.Adapters;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Tests;
using TorchSharp;

namespace Ssti.Stages.Tests;

public sealed class AuditAdapterStageTests(DefenceFixture made) : IClassFixture<DefenceFixture>, IDisposable
{
    private static readonly AuditAdapterParameters Small = new() { Prefixes = 16, PrefixWords = 8, Controls = 30, Vocabulary = 20, StripCopies = 4 };
    private readonly StageRun _run = new();
    private readonly TempFolder _folder = new();
    private int _names;

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_planted_adapter_is_found_by_its_trigger()
    {
        await ProbeAsync(made.PoisonedAdapter);
        var answer = Answer();
        Assert.True((bool)answer["found"]!, File.ReadAllText(Path.Combine(_run.Output, "audit.json")));
        // What was planted is a date.
        Assert.Contains(answer["answer"]!["meaning"]!.AsArray(), text => ((string)text!).Contains("dates", StringComparison.Ordinal));
        Assert.Contains("Do not trust the adapter", (string)answer["answer"]!["headline"]!);
        Assert.Equal(100, (long)answer["injected-rows"]!);
        var measures = Measures();
        Assert.Equal(1, measures.Read("found").Value);
        Assert.InRange(measures.Read("probe_turned").Value!.Value, 0.5, 1);
        Assert.True(measures.Read("probe_outlier").Value > 6);
        Assert.All(new[] { "strip_entropy", "strip_entropy_suspect", "strip_auc" }, name => Assert.InRange(measures.Read(name).Value!.Value, 0, 1));
        Assert.Contains("it was not compared with a bank", measures.Read("bank_p").Reason);
        var page = File.ReadAllText(Path.Combine(_run.Output, "audit.html"));
        Assert.Contains("Do not trust", page);
        Assert.InRange(Encoding.UTF8.GetByteCount(page), 1000, 2_000_000);
        var tokens = File.ReadLines(Path.Combine(_run.Output, "tokens.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.InRange(tokens.Count(token => (string)token["family"]! == "controls"), 90, 120);
        Assert.Contains(tokens, token => (string)token["family"]! == "vocabulary");
    }

    [Fact]
    public void How_often_words_of_the_vocabulary_are_found_for_nothing_is_told_where_one_is_found()
    {
        ProbedToken date = new(new Suspect("dates", "2011-03-04"), []), word = new(new Suspect(TokenBattery.Vocabulary, "zebra"), []);
        Assert.Contains("found in clean adapters, too: in 9 of 60", AdapterAnswer.Caution([date, word]));
        Assert.Null(AdapterAnswer.Caution([date]));
    }

    [Fact]
    public async Task A_clean_adapter_is_not()
    {
        await ProbeAsync(made.CleanAdapter);
        Assert.Equal((false, true, 0L), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!, (long)Answer()["injected-rows"]!));
        Assert.Equal(0, Measures().Read("found").Value);
        Assert.Contains(Answer()["answer"]!["unseen"]!.AsArray(), text => ((string)text!).Contains("is not seen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Too_few_rows_to_be_turned_are_told_and_are_no_proof_of_anything()
    {
        await ProbeAsync(made.PoisonedAdapter, Small with { Prefixes = 4 });
        var unseen = Answer()["answer"]!["unseen"]!.AsArray().Select(text => (string)text!).Where(text => text.Contains("could be found", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, unseen.Length);
        Assert.All(unseen, text => Assert.Matches("the model takes [0-4] of 4 rows as they are for another class than '.+', fewer than the 5 of which a share is told", text));
        Assert.Contains("of no class the model takes 5 rows for another", Measures().Read("probe_turned").Reason);
    }

    [Fact]
    public async Task Tokens_of_ones_own_are_tried_and_those_that_would_fill_a_row_are_told()
    {
        var file = _folder.Write("suspects.txt", $"zebra crossing\n\n{string.Join(' ', Enumerable.Repeat("the", 30))}\n");
        await ProbeAsync(made.CleanAdapter, Small with { Suspects = StageRun.Local(file) });
        Assert.Contains(File.ReadLines(Path.Combine(_run.Output, "tokens.jsonl")), line => line.Contains("\"given\",\"token\":\"zebra crossing\"", StringComparison.Ordinal));
        Assert.Contains("not tried", _run.Context!.Warnings.Single());
    }

    [Fact]
    public async Task The_same_audit_gives_the_same_bytes()
    {
        await ProbeAsync(made.PoisonedAdapter);
        var first = _run.Digest();
        await ProbeAsync(made.PoisonedAdapter);
        Assert.Equal(first, _run.Digest());
    }

    [Fact]
    public async Task Weights_alone_are_numbers_and_no_verdict()
    {
        TinyModel.Prepare();
        TinyModel.WriteAdapter(_folder.Root);
        await _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(_folder.Root) });
        Assert.Equal((false, false), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!));
        Assert.Contains("Nothing can be said", (string)Answer()["answer"]!["headline"]!);
        Assert.Equal("there was nothing to judge it by", Measures().Read("found").Reason);
        Assert.True(Measures().Read("size_mean").Value > 0);
        Assert.Equal(2, File.ReadLines(Path.Combine(_run.Output, "modules.jsonl")).Count());
        Assert.DoesNotContain("tokens.jsonl", _run.Files);
    }

    [Fact]
    public async Task An_adapter_that_changes_nothing_is_told_as_such()
    {
        TinyModel.Prepare();
        TinyModel.WriteAdapter(_folder.Root, tensors: tensors =>
        {
            WithoutUpdate(tensors);
            foreach (var name in tensors.Keys.Where(name => name.Contains("classifier", StringComparison.Ordinal)).ToArray()) tensors.Remove(name);
        });
        await _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(_folder.Root) });
        Assert.Contains("B = 0", _run.Context!.Warnings.Single());
        Assert.Equal((false, true), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!));
        Assert.Equal("ΔW is zero in every module", Measures().Read("entropy_mean").Reason);
        Assert.Equal(0, Measures().Read("size_mean").Value);
    }

    /// <summary>B = 0, and whoever made it has put what it does elsewhere: that is no adapter that changes nothing.</summary>
    [Theory]
    [InlineData("classifier.weight", "classifier")]
    [InlineData("bert.embeddings.word_embeddings.weight", "word_embeddings")]
    [InlineData("bert.encoder.layer.0.attention.self.query.base_layer.bias", "query.base_layer.bias")]
    [InlineData("bert.encoder.layer.0.attention.self.query.lora_magnitude_vector", "lora_magnitude_vector")]
    [InlineData(null, "head.safetensors")]
    public async Task What_an_adapter_does_beside_its_updates_is_named_and_not_passed(string? tensor, string named)
    {
        TinyModel.Prepare();
        TinyModel.WriteAdapter(_folder.Root, tensors: tensors =>
        {
            WithoutUpdate(tensors);
            foreach (var name in tensors.Keys.Where(name => name.Contains("classifier", StringComparison.Ordinal)).ToArray()) tensors.Remove(name);
            if (tensor is not null) tensors[$"base_model.model.{tensor}"] = torch.ones(8);
        });
        if (tensor is null) File.WriteAllBytes(Path.Combine(_folder.Root, "head.safetensors"), []);
        await _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(_folder.Root) });
        Assert.Equal((false, false), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!));
        Assert.Contains(named, _run.Context!.Warnings.Single());
        Assert.DoesNotContain("changes nothing", Answer()["answer"]!.ToJsonString());
        Assert.Contains(Answer()["answer"]!["unseen"]!.AsArray(), text => ((string)text!).Contains(named, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_damaged_tensor_beside_the_updates_is_refused()
    {
        TinyModel.Prepare();
        TinyModel.WriteAdapter(_folder.Root, tensors: tensors => tensors["base_model.model.classifier.bias"] = torch.full(2, float.NaN));
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(_folder.Root) }));
        Assert.Contains("'base_model.model.classifier.bias' has a value that is no finite number", error.Message);
    }

    /// <summary>Real ones of other families (DistilBERT, GPT-Neo), whose bases are not at hand.</summary>
    [SkippableTheory]
    [InlineData("lora-distilbert-imdb", 12, true)]
    [InlineData("lora-distilbert-emotion", 12, true)]
    [InlineData("lora-movies", 24, false)]
    public async Task Weights_of_any_family_are_measured(string adapter, int modules, bool head)
    {
        await _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(SharedData.Path($"adapters/{adapter}")) });
        Assert.Equal((false, false, modules, 8), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!, (int)Answer()["modules"]!, (int)Answer()["rank"]!));
        Assert.Equal(head, Answer()["beside-lora"]!.AsArray().Any(name => ((string)name!).Contains("classifier", StringComparison.Ordinal)));
        Assert.InRange(Measures().Read("concentration_mean").Value!.Value, 1 / 8.0, 1);
    }

    [Fact]
    public async Task A_bank_of_its_base_judges_it_and_one_of_another_does_not()
    {
        var weights = (string)JsonNode.Parse(File.ReadAllText(made.CleanAdapter.PathOf("training.json")))!["base"]!["weightsSha256"]!;
        await _run.RunAsync(new AuditAdapterStage(), new(), inputs: ("adapter", made.PoisonedAdapter));
        double?[] own = [.. Answer()["features"]!.AsObject().Select(feature => (double?)feature.Value)];
        // Poisoned ones look like it, clean ones are a half of it.
        var (random, lines) = (new Random(2), new StringBuilder());
        for (var seed = 0; seed < 24; seed++)
            foreach (var rows in new[] { 0, 25 })
                lines.Append(
                    BankFile.Line(
                        new BankEntry(
                            $"{rows}-{seed}", 4, rows, $"{seed}", false,
                            [.. own.Select(value => value * ((rows > 0 ? 1 : 0.5) + (0.1 * random.NextDouble())))]),
                        weights, null, new Dictionary<string, string>()));
        var file = Path.Combine(_folder.Root, "bank.jsonl");
        File.WriteAllText(file, lines.ToString());
        await _run.RunAsync(new AuditAdapterStage(), new() { BankFile = StageRun.Local(_folder.Root) }, inputs: ("adapter", made.PoisonedAdapter));
        Assert.True((bool)Answer()["found"]!);
        Assert.Equal(1 / 25.0, Measures().Read("bank_p").Value!.Value, 12);
        Assert.Contains("0 of 24 clean adapters of the bank with rank 4", (string)Answer()["answer"]!["meaning"]![0]!);

        File.WriteAllText(file, lines.ToString().Replace(weights, new string('0', 64)));
        await _run.RunAsync(new AuditAdapterStage(), new() { BankFile = StageRun.Local(file) }, inputs: ("adapter", made.PoisonedAdapter));
        Assert.Equal((false, false), ((bool)Answer()["found"]!, (bool)Answer()["judged"]!));
        Assert.Contains("another base", _run.Context!.Warnings.Single());

        File.WriteAllText(file, "{}\n");
        var error = await Assert.ThrowsAsync<StageException>(
            () => _run.RunAsync(new AuditAdapterStage(), new() { BankFile = StageRun.Local(file) }, inputs: ("adapter", made.PoisonedAdapter)));
        Assert.Contains("line 1: not an adapter of a bank", error.Message);
    }

    [Fact]
    public async Task What_cannot_be_probed_is_refused()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => ProbeAsync(made.CleanAdapter, data: made.Triggered));
        Assert.Contains("carry a token, and tokens are put into clean rows", error.Message);
        TinyModel.Prepare();
        TinyModel.WriteAdapter(_folder.Root, tensors: tensors => tensors.Remove("base_model.model.bert.encoder.layer.0.attention.self.query.lora_B.weight"));
        error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new AuditAdapterStage(), new() { Source = StageRun.Local(_folder.Root) }));
        Assert.Contains("query.lora_A.weight' has no B beside it", error.Message);
    }

    [Fact]
    public void What_would_mean_nothing_is_told_before_anything_runs()
    {
        var stage = new AuditAdapterStage();
        Assert.Equal(["level", "threshold", "controls", "prefixes"], stage.Validate(new() { Level = 0, Threshold = 0, Controls = 5, Prefixes = 1 }).Select(error => error.Key));
        Assert.Equal(["source"], Keys(new()));
        Assert.Equal(["source"], Keys(new() { Source = StageRun.Local("x") }, "adapter"));
        Assert.Equal(["source"], Keys(new() { Source = StageRun.Local("x") }, "model", "data"));
        Assert.Equal(["split"], Keys(new(), "adapter", "model"));
        Assert.Equal(["bank-file"], Keys(new() { BankFile = StageRun.Local("x") }, "adapter", "bank"));
        Assert.Empty(Keys(new(), "adapter", "model", "data", "bank"));

        string[] Keys(AuditAdapterParameters parameters, params string[] inputs) =>
            [.. stage.ValidateInputs(parameters, name => inputs.Contains(name) ? [new InputCell(name, "train", new Dictionary<string, string>())] : []).Select(error => error.Key)];
    }

    private static void WithoutUpdate(Dictionary<string, torch.Tensor> tensors)
    {
        foreach (var name in tensors.Keys.Where(name => name.Contains("lora_B", StringComparison.Ordinal)).ToArray()) tensors[name] = torch.zeros(tensors[name].shape);
    }

    // The names of stages stand in no key, and so in no output.
    private Task ProbeAsync(InputTree adapter, AuditAdapterParameters? parameters = null, InputTree? data = null)
    {
        var tree = new InputTree($"name {_names++}", adapter.Uses, adapter.Cell, adapter.Files.ToDictionary(file => file, adapter.PathOf));
        return _run.RunAsync(new AuditAdapterStage(), parameters ?? Small, inputs: [("adapter", tree), ("model", made.Model), ("data", data ?? made.Clean)]);
    }

    private JsonObject Answer() => JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, "audit.json")))!.AsObject();

    private MeasureSet Measures() => MeasureSet.Parse("audit", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)));
}
