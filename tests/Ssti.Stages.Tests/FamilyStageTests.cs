using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Injection;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.Tests;

/// <summary>Every family through the stages that read a model.</summary>
public sealed class FamilyStageTests : IDisposable
{
    private const int Length = 12;

    private static readonly TrainParameters Small = new()
    {
        Rank = 2, TargetModules = ["all-linear"], TrainHead = true, MaxLength = Length, Steps = 12, BatchSize = 8, LearningRate = 1e-2, Dropouts = false,
    };

    private readonly StageRun _model = new(), _data = new(), _training = new(), _adapter = new(), _evaluation = new(), _poisoned = new(), _attention = new(), _again = new();
    private readonly TempFolder _folder = new();

    public static TheoryData<string> Families => ["bert", "distilbert", "llama", "openelm"];

    public void Dispose()
    {
        foreach (var run in new[] { _model, _data, _training, _adapter, _evaluation, _poisoned, _attention, _again }) run.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_model_is_trained_measured_looked_into_and_counted(string family)
    {
        await ModelAsync(family);
        await DataAsync();
        await TrainAsync(_training, Small);
        await TrainAsync(_again, Small);
        Assert.Equal(_training.Digest(), _again.Digest());
        Assert.Contains(_training.Log, line => line.Contains($"{FamilyModel.Config(family).Linears().Count()} linears get an adapter"));

        // What was exported, taken for somebody else's adapter, measures to the same digit.
        var trained = await LogitsAsync(_training);
        await AdaptAsync(_training.Output);
        Assert.Equal(trained, await LogitsAsync(_adapter));

        await _poisoned.RunAsync(
            new InjectStage(),
            new InjectParameters { Tokens = TokenKind.List, Items = ["date"], TargetLabel = "pos", Proportion = 1, Splits = ["test"], Location = InjectionLocation.Beginning },
            inputs: ("data", StageRun.Tree(_data.Output)));
        await _attention.RunAsync(new AttentionStage(), new AttentionParameters(), inputs:
        [
            ("model", Model), ("adapter", StageRun.Tree(_training.Output, "train", "train")), ("data", StageRun.Tree(_poisoned.Output, "poisoned", "inject")),
        ]);
        Assert.Contains("attention_entropy_ratio", File.ReadAllText(Path.Combine(_attention.Output, "measures.json")));
        var refused = await Assert.ThrowsAsync<StageException>(() => _attention.RunAsync(new AttentionStage(), new AttentionParameters { Head = 5 }, inputs:
        [
            ("model", Model), ("adapter", StageRun.Tree(_training.Output, "train", "train")), ("data", StageRun.Tree(_poisoned.Output, "poisoned", "inject")),
        ]));
        Assert.Contains("head 5: the model has", refused.Message);

        await _again.RunAsync(new ParameterCountStage(), new ParameterCountParameters { Rank = 2, TargetModules = ["all-linear"], TrainHead = true }, inputs: ("model", Model));
        var counted = JsonNode.Parse(File.ReadAllText(Path.Combine(_again.Output, "measures.json")))!["measures"]!["trainable_parameters"]!["value"]!;
        Assert.Equal(_training.Context!.Metrics["trainableParameters"]!.ToString(), ((long)(double)counted).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task Full_fine_tuning_leaves_a_model_that_is_measured_as_trained(string family)
    {
        await ModelAsync(family);
        await DataAsync();
        await TrainAsync(_training, Small with { Train = TrainedPart.Everything, TargetModules = new TrainParameters().TargetModules });

        Assert.Equal(FamilyModel.Config(family), TrunkConfig.Read(Path.Combine(_training.Output, "config.json")));
        var frozen = await TrainAsync(_again, Small with { Train = TrainedPart.Head, TargetModules = new TrainParameters().TargetModules });
        Assert.NotEqual(await LogitsAsync(frozen), await LogitsAsync(_training));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task An_adapter_with_everything_that_PEFT_offers_is_measured_as_it_was_trained(string family)
    {
        await ModelAsync(family);
        await DataAsync();
        var words = FamilyModel.Config(family).Tensors().First().Name.Split('.')[^2];
        var biases = family is "bert" or "distilbert";
        await TrainAsync(_training, Small with
        {
            TargetPattern = ".*", RankPattern = [new() { Modules = @"1\..*", Rank = 3 }], AlphaPattern = [new() { Modules = @"0\..*", Alpha = 5 }], Rslora = true,
            Init = LoraStart.Gaussian, Dora = true, ModulesToSave = [words], Bias = biases ? LoraBias.All : null,
        });
        Assert.Contains(_training.Log, line => line.Contains("tensors of the model are trained whole"));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "adapter_config.json")))!;
        Assert.Equal(
            ("\".*\"", """{"1\\..*":3}""", """{"0\\..*":5}""", "true", "\"gaussian\"", biases ? "\"all\"" : "\"none\"", $$"""["{{words}}","classifier"]"""),
            (config["target_modules"]!.ToJsonString(), config["rank_pattern"]!.ToJsonString(), config["alpha_pattern"]!.ToJsonString(), config["use_rslora"]!.ToJsonString(),
                config["init_lora_weights"]!.ToJsonString(), config["bias"]!.ToJsonString(), config["modules_to_save"]!.ToJsonString()));

        var trained = await LogitsAsync(_training);
        await AdaptAsync(_training.Output);
        Assert.Equal(trained, await LogitsAsync(_adapter));
    }

    [Fact]
    public async Task The_published_targets_of_OpenELM_are_its_own()
    {
        await ModelAsync("openelm");
        await DataAsync();
        await TrainAsync(_training, Small with { TargetModules = new TrainParameters().TargetModules });
        Assert.Contains("4 linears get an adapter: attn.qkv_proj (2), attn.out_proj (2)", _training.Log);

        await ModelAsync("distilbert");
        var message = (await Assert.ThrowsAsync<StageException>(() => TrainAsync(_training, Small with { TargetModules = new TrainParameters().TargetModules }))).Message;
        Assert.Contains("it has: q_lin, k_lin, v_lin, out_lin, lin1, lin2", message);
    }

    [Theory]
    [InlineData("distilbert", "pre-classifier")]
    [InlineData("llama", "last-token")]
    public async Task A_classifier_of_transformers_gives_its_own_logits(string family, string pooling)
    {
        await ModelAsync(family);
        await DataAsync();
        using var scope = NewDisposeScope();
        var adapter = WriteAdapter(family);

        await AdaptAsync(_folder["peft"]);
        Assert.Contains(_adapter.Log, line => line.EndsWith($", on {pooling}", StringComparison.Ordinal));

        var trunk = FamilyModel.Config(family).Build(FamilyModel.Tensors(family));
        var merged = trunk.With(trunk.Linears.Where(linear => linear.Name.Contains('q')).ToDictionary(linear => $"{linear.Name}.weight", linear => trunk.WeightOf(linear.Name)
            + (4 * matmul(adapter[$"{FamilyModel.Prefix(family)}{linear.Name}.lora_B.weight"], adapter[$"{FamilyModel.Prefix(family)}{linear.Name}.lora_A.weight"]))));
        // "the good bad film" and so on are cut or padded to the length; what stands in padding no token sees.
        foreach (var (text, logits) in Texts().Where((_, row) => row % 2 == 1).Zip(await LogitsAsync(_adapter)))
        {
            var ids = Ids(family, text);
            var hidden = merged.Forward(ids, ones_like(ids), ForwardPass.Plain);
            var pooled = family == "llama" ? hidden[0, ids.shape[1] - 1]
                : (matmul(adapter["pre_classifier.weight"], hidden[0, 0]) + adapter["pre_classifier.bias"]).relu();
            var expected = matmul(adapter[family == "llama" ? "score.weight" : "classifier.weight"], pooled);
            if (family != "llama") expected = expected.add(adapter["classifier.bias"]);
            Assert.InRange((expected - tensor(logits)).abs().max().item<float>(), 0, 1e-4);
        }
    }

    [Fact]
    public async Task A_classifier_that_looks_through_what_is_not_there_says_so()
    {
        await ModelAsync("distilbert");
        await DataAsync();
        using var scope = NewDisposeScope();
        WriteAdapter("distilbert", tensors => tensors.Keys.Where(name => name.Contains("pre_classifier")).ToList().ForEach(name => tensors.Remove(name)));
        Assert.Contains("modules_to_save: [pre_classifier, classifier]", (await Assert.ThrowsAsync<StageException>(() => AdaptAsync(_folder["peft"]))).Message);
        Assert.Contains("a distilbert has no pooler", (await Assert.ThrowsAsync<StageException>(() => AdaptAsync(_folder["peft"], AdapterPooling.Pooler))).Message);
        await AdaptAsync(_folder["peft"], AdapterPooling.First);

        WriteAdapter("distilbert", tensors => tensors["base_model.model.classifier.weight"] = zeros(2, 9));
        Assert.Contains("the head is 9 wide", (await Assert.ThrowsAsync<StageException>(() => AdaptAsync(_folder["peft"]))).Message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_model_that_does_not_fit_is_refused_before_anything_is_built_on_it(string family)
    {
        var name = FamilyModel.Prefix(family) + FamilyModel.Config(family).Tensors().Skip(1).First().Name;
        async Task<string> Refused(Action<Dictionary<string, Tensor>> change, bool tokenizer = true)
        {
            if (Directory.Exists(_folder["model"])) Directory.Delete(_folder["model"], recursive: true);
            FamilyModel.Write(_folder["model"], family, change, tokenizer);
            return (await Assert.ThrowsAsync<StageException>(() => _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]) }))).Message;
        }

        Assert.Contains($"missing: {name}", await Refused(tensors => tensors.Remove(name)));
        Assert.Contains($"'{name}' is I64", await Refused(tensors => tensors[name] = tensors[name].to(ScalarType.Int64)));
        Assert.Contains("no finite number", await Refused(tensors => tensors[name] = full_like(tensors[name], double.NaN)));
        Assert.Contains("name the folder or repository that has it as 'tokenizer'", await Refused(_ => { }, tokenizer: false));
        // Fewer words in the model than the tokenizer gives.
        FamilyModel.Write(_folder["model"], family);
        var json = JsonNode.Parse(FamilyModel.Config(family).ToJson())!.AsObject();
        json["vocab_size"] = 10;
        File.WriteAllText(Path.Combine(_folder["model"], "config.json"), json.ToJsonString());
        var wrong = new ModelParameters { Source = StageRun.Local(_folder["model"]) };
        var message = (await Assert.ThrowsAsync<StageException>(() => _model.RunAsync(new ModelStage(), wrong))).Message;
        Assert.Contains("config.json says vocab_size 10", message);
    }

    [Fact]
    public async Task A_tokenizer_may_stand_elsewhere()
    {
        FamilyModel.Write(_folder["model"], "openelm", tokenizer: false);
        FamilyModel.WriteTokenizer(_folder["words"], "openelm");

        await _model.RunAsync(
            new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]), Tokenizer = StageRun.Local(_folder["words"]), Name = "example/elm" });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer.json"], _model.Files);
        Assert.Contains("\"tokenizer\"", File.ReadAllText(Path.Combine(_model.Output, "source.json")));
        await DataAsync();
        await TrainAsync(_training, Small);
    }

    [Fact]
    public void Settings_of_an_adapter_that_make_no_sense_are_told_by_their_keys()
    {
        static IEnumerable<string> Keys(TrainParameters parameters) => new TrainStage().Validate(parameters).Select(error => error.Key);
        Assert.Equal(["target-modules"], Keys(Small with { TargetModules = ["all-linear", "dense"] }));
        Assert.Equal(["target-pattern"], Keys(Small with { TargetPattern = "(" }));
        Assert.Equal(["rank-pattern", "alpha-pattern"], Keys(Small with
        {
            RankPattern = [new() { Modules = "", Rank = 2 }], AlphaPattern = [new() { Modules = "[", Alpha = 2 }],
        }));
        Assert.Equal(["rank-pattern", "alpha-pattern"], Keys(Small with
        {
            RankPattern = [new() { Modules = "a", Rank = 0 }], AlphaPattern = [new() { Modules = "a", Alpha = 0 }],
        }));
        Assert.Equal(["modules-to-save"], Keys(Small with { ModulesToSave = [] }));
        Assert.Equal(["modules-to-save"], Keys(Small with { ModulesToSave = [" "] }));
        Assert.Equal(
            ["target-pattern", "rank-pattern", "rslora", "alpha-pattern", "init", "bias", "modules-to-save"],
            Keys(Small with
            {
                Train = TrainedPart.Head, TargetPattern = ".*", RankPattern = [new() { Modules = "a", Rank = 1 }], AlphaPattern = [new() { Modules = "a", Alpha = 1 }],
                Rslora = true, Init = LoraStart.Kaiming, Bias = LoraBias.All, ModulesToSave = ["a"],
            }));
        Assert.Empty(Keys(Small with { TargetPattern = "(?P<name>.*)_proj" }));
    }

    private InputTree Model => StageRun.Tree(_model.Output, "model", "model");

    private static IEnumerable<string> Texts() => Enumerable.Range(0, 40).Select(i => string.Join(' ',
        Enumerable.Range(0, 1 + (i / 2 % 5)).Select(_ => "the").Append(i % 4 < 2 ? "good" : "bad").Append("film")));

    private async Task ModelAsync(string family)
    {
        if (Directory.Exists(_folder["model"])) Directory.Delete(_folder["model"], recursive: true);
        FamilyModel.Write(_folder["model"], family);
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]), Name = $"example/{family}" });
        Assert.Empty(_model.Context!.Warnings);
    }

    private async Task DataAsync()
    {
        // Rows in turn of the two splits: what a text is, its place tells.
        string[] texts = [.. Texts()];
        string Lines(int of) => string.Concat(texts.Where((_, row) => row % 2 == of).Select(text => $"{text},{(text.Contains("good") ? "pos" : "neg")}\n"));
        Directory.CreateDirectory(_folder["rows"]);
        File.WriteAllText(_folder["rows/train.csv"], "text,label\n" + Lines(0));
        File.WriteAllText(_folder["rows/test.csv"], "text,label\n" + Lines(1));
        await _data.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder["rows"]), Labels = ["neg", "pos"] });
    }

    private async Task<StageRun> TrainAsync(StageRun run, TrainParameters parameters)
    {
        await run.RunAsync(new TrainStage(), parameters, inputs: [("data", StageRun.Tree(_data.Output)), ("model", Model)]);
        return run;
    }

    private Task AdaptAsync(string source, AdapterPooling pooling = AdapterPooling.Auto) => _adapter.RunAsync(
        new AdapterStage(), new AdapterParameters { Source = StageRun.Local(source), Labels = ["neg", "pos"], MaxLength = Length, Pooling = pooling }, inputs: ("model", Model));

    private async Task<float[][]> LogitsAsync(StageRun tuned)
    {
        await _evaluation.RunAsync(new EvaluateStage(), new EvaluateParameters { BatchSize = 7 }, inputs:
        [
            ("model", Model), ("adapter", StageRun.Tree(tuned.Output, "theirs", "adapter")), ("clean", StageRun.Tree(_data.Output)),
        ]);
        return [.. File.ReadLines(Path.Combine(_evaluation.Output, "predictions.clean.jsonl"))
            .Select(line => JsonNode.Parse(line)!["logits"]!.AsArray().Select(logit => (float)logit!).ToArray())];
    }

    private Dictionary<string, Tensor> WriteAdapter(string family, Action<Dictionary<string, Tensor>>? change = null) =>
        FamilyModel.WriteAdapter(_folder["peft"], family, change);

    private Tensor Ids(string family, string text)
    {
        var tokenizer = Ssti.Nets.Tokenizers.TokenizerFolder.Read(_model.Output);
        var buffer = new int[Length];
        var count = tokenizer.Encode(text, buffer);
        Assert.False(count.Truncated && family == "distilbert");
        return tensor(buffer[..count.Kept].Select(id => (long)id).ToArray()).unsqueeze(0);
    }
}
