using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Training;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using TorchSharp;

namespace Ssti.Stages.Tests;

/// <summary>The stages with tensors, from files to files.</summary>
public sealed class TrainEvaluateStageTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private const int Length = 16;

    private static readonly TrainParameters Small = new()
    {
        Rank = 4, TargetModules = ["dense"], MaxLength = Length, Steps = 12, BatchSize = 8, LearningRate = 1e-2, Dropouts = false,
    };

    private readonly TempFolder _folder = new();
    private readonly StageRun _training = new();
    private readonly StageRun _evaluation = new();

    public void Dispose()
    {
        _folder.Dispose();
        _training.Dispose();
        _evaluation.Dispose();
    }

    /// <summary>A corpus and a model pretrained on it for a few updates, for all tests.</summary>
    public sealed class Backbone : IAsyncLifetime, IDisposable
    {
        private readonly StageRun _corpus = new();
        private readonly StageRun _model = new();

        public string Corpus => _corpus.Output;

        public string Model => _model.Output;

        public async Task InitializeAsync()
        {
            await _corpus.RunAsync(new CorpusStage(), new CorpusParameters { Train = 40, Test = 20, Unlabelled = 40 });
            await _model.RunAsync(
                new PretrainStage(),
                new PretrainParameters { Layers = 1, HiddenSize = 16, Heads = 2, IntermediateSize = 32, MaxLength = Length, Steps = 5, BatchSize = 8 },
                inputs: ("data", StageRun.Tree(Corpus)));
        }

        public Task DisposeAsync() => Task.CompletedTask;

        public void Dispose()
        {
            _corpus.Dispose();
            _model.Dispose();
        }
    }

    [Theory]
    [InlineData(TrainedPart.Adapter, false, false)]
    [InlineData(TrainedPart.Adapter, true, false)]
    [InlineData(TrainedPart.Adapter, false, true)]
    [InlineData(TrainedPart.Head, false, false)]
    [InlineData(TrainedPart.Everything, false, false)]
    [InlineData(TrainedPart.Everything, false, true)]
    public async Task An_evaluation_measures_the_model_as_it_was_trained(TrainedPart part, bool dora, bool head)
    {
        await TrainAsync(Small with { Train = part, Dora = dora, TrainHead = head });
        await EvaluateAsync();

        var saved = File.ReadLines(Path.Combine(_evaluation.Output, "predictions.clean.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        var expected = Trained(part, dora, head);
        Assert.Equal(20, saved.Length);
        for (var i = 0; i < saved.Length; i++)
        {
            Assert.Equal(expected[i], saved[i]["logits"]!.AsArray().Select(logit => (float)logit!));
            Assert.Equal(expected[i][1] > expected[i][0] ? 1 : 0, (int)saved[i]["prediction"]!);
        }

        var metrics = Metrics();
        Assert.Equal(saved.Count(row => (int)row["prediction"]! == (int)row["label"]!) / 20.0, metrics.Clean.Accuracy, 12);
        Assert.Null(metrics.Triggered);
    }

    [Fact]
    public async Task A_training_leaves_what_others_need_to_know_of_it()
    {
        await TrainAsync(Small);
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "steps.jsonl", "training.json"], _training.Files);
        var description = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!;
        Assert.Equal(
            (Length, "tiny-bert", "adapter", 40),
            ((int)description["maxLength"]!, (string?)description["backbone"], (string?)description["trained"], (int)description["rows"]!));
        Assert.Equal(12, File.ReadLines(Path.Combine(_training.Output, "steps.jsonl")).Count());
        // One layer of width 16 and 32: rank 4 times the widths of its three dense linears.
        Assert.Equal(4 * ((16 + 16) + (16 + 32) + (32 + 16)), (long)description["trainableParameters"]!);
    }

    [Fact]
    public async Task An_adapter_is_saved_as_PEFT_loads_it_with_the_base_it_is_of_and_the_linears_it_is_on()
    {
        await TrainAsync(Small);
        Assert.Contains("3 linears get an adapter: attention.output.dense (1), intermediate.dense (1), output.dense (1)", _training.Log);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "adapter_config.json")))!;
        Assert.Equal(("SEQ_CLS", """["classifier"]""", null), ((string?)config["task_type"], config["modules_to_save"]!.ToJsonString(), config["base_model_name_or_path"]));
        using var peft = SafetensorsFile.Read(Path.Combine(_training.Output, "adapter_model.safetensors"));
        using var head = SafetensorsFile.Read(Path.Combine(_training.Output, "head.safetensors"));
        Assert.True(peft.Tensors["base_model.model.classifier.weight"].equal(head.Tensors["head.weight"]).all().item<bool>());
        var of = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!["base"]!;
        Assert.Equal(("tiny-bert", 64), ((string?)of["name"], ((string)of["weightsSha256"]!).Length));
        Assert.Empty(_training.Context!.Warnings);
    }

    [Fact]
    public async Task Target_modules_that_match_nothing_are_a_warning_unless_they_are_the_published_ones()
    {
        await TrainAsync(Small with { TargetModules = ["query", "vlaue"], Steps = 1 });
        Assert.Equal("target-modules: no linear of the model ends with 'vlaue'; these get no adapter", Assert.Single(_training.Context!.Warnings));
        Assert.Contains("1 linears get an adapter: attention.self.query (1)", _training.Log);

        await TrainAsync(Small with { TargetModules = new TrainParameters().TargetModules, Steps = 1 });
        Assert.Empty(_training.Context!.Warnings);
    }

    [Fact]
    public async Task An_evaluation_on_another_base_is_refused_by_the_names_of_both()
    {
        await TrainAsync(Small with { Steps = 1 });
        foreach (var file in Directory.GetFiles(backbone.Model)) File.Copy(file, _folder[$"m/{Path.GetFileName(file)}"]);
        using (var weights = SafetensorsFile.Read(_folder["m/model.safetensors"]))
        {
            weights.Tensors["embeddings.LayerNorm.bias"].add_(1e-3);
            SafetensorsFile.Write(_folder["m/model.safetensors"], weights.Tensors);
        }

        File.WriteAllText(_folder["m/source.json"], """{ "name": "another" }""");
        Assert.Matches("'data' was trained on tiny-bert \\(weights sha256:[0-9a-f]{12}\\), and the model here is another \\(weights sha256:", await RefusedAsync());

        // The same weights read in another way are another model too.
        foreach (var file in Directory.GetFiles(backbone.Model)) File.Copy(file, _folder[$"m/{Path.GetFileName(file)}"], overwrite: true);
        File.WriteAllText(_folder["m/tokenizer_config.json"], """{ "do_lower_case": false }""");
        Assert.Contains("(config.json or tokenizer sha256:", await RefusedAsync());

        async Task<string> RefusedAsync() => (await Assert.ThrowsAsync<StageException>(() => _evaluation.RunAsync(
            new EvaluateStage(), new(),
            inputs: [("model", StageRun.Tree(_folder["m"], "other", "model")), ("adapter", StageRun.Tree(_training.Output)), ("clean", StageRun.Tree(backbone.Corpus))]))).Message;
    }

    [Fact]
    public async Task What_was_trained_here_comes_back_through_its_files_with_the_same_logits()
    {
        await TrainAsync(Small with { Dora = true, TrainHead = true });
        await EvaluateAsync();
        var before = File.ReadAllText(Path.Combine(_evaluation.Output, "predictions.clean.jsonl"));
        using var adapter = new StageRun();
        await adapter.RunAsync(
            new AdapterStage(), new AdapterParameters { Source = StageRun.Local(_training.Output), MaxLength = Length },
            inputs: [("model", StageRun.Tree(backbone.Model)), ("data", StageRun.Tree(backbone.Corpus))]);
        await _evaluation.RunAsync(new EvaluateStage(), new(), inputs:
            [("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(adapter.Output, "theirs", "adapter")), ("clean", StageRun.Tree(backbone.Corpus))]);
        Assert.Equal(before, File.ReadAllText(Path.Combine(_evaluation.Output, "predictions.clean.jsonl")));
    }

    [Fact]
    public async Task A_head_of_the_wrong_shape_is_refused()
    {
        await TrainAsync(Small with { Steps = 1 });
        using (torch.NewDisposeScope())
            SafetensorsFile.Write(
                Path.Combine(_training.Output, "head.safetensors"),
                new Dictionary<string, torch.Tensor> { ["head.weight"] = torch.zeros(3, 32), ["head.bias"] = torch.zeros(3) });
        Assert.Contains("'head.weight' is [3, 32], and 2 classes", (await Assert.ThrowsAsync<StageException>(() => EvaluateAsync())).Message);
    }

    [Fact]
    public async Task Clean_triggered_and_spurious_sets_are_measured_side_by_side()
    {
        using var train = await InjectedAsync(new() { TargetLabel = "1", Tokens = TokenKind.Date, Splits = ["train"] });
        using var triggered = await InjectedAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] });
        using var spurious = await InjectedAsync(new() { TargetLabel = "1", Tokens = TokenKind.Date, Proportion = 0.5, Splits = ["test"] });
        await TrainAsync(Small, train.Output);
        await EvaluateAsync(("triggered", StageRun.Tree(triggered.Output)), ("spurious", StageRun.Tree(spurious.Output)));

        var metrics = Metrics();
        Assert.Equal((1, 20L, 1, 5L), (metrics.Target, metrics.Triggered!.Rows, metrics.Spurious!.Target, metrics.Spurious.InjectedRows));
        Assert.Equal(["metrics.json", "predictions.clean.jsonl", "predictions.spurious.jsonl", "predictions.triggered.jsonl"], _evaluation.Files);
        Assert.Equal(0.5, EvaluationMeasures.GapShare.Read(metrics, 1).Value);
        Assert.Equal("date", (string?)metrics.TrainingInjection!["steps"]![0]!["tokens"]);
    }

    [Fact]
    public async Task A_length_beyond_the_models_positions_is_refused_with_the_limit()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => TrainAsync(Small with { MaxLength = Length + 1 }));
        Assert.Contains("set max-length to at most 16", error.Message);
    }

    [Theory]
    [InlineData("8", true)]
    [InlineData("16", false)]
    [InlineData("1000000000000000019884624838656", false)]
    public async Task A_length_beyond_what_the_tokenizer_says_is_read_is_a_warning(string most, bool warns)
    {
        foreach (var file in Directory.GetFiles(backbone.Model)) File.Copy(file, Path.Combine(_folder.Root, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(_folder.Root, "tokenizer_config.json"), $"{{ \"model_max_length\": {most} }}");
        await _training.RunAsync(
            new TrainStage(), Small with { Steps = 1 }, inputs: [("data", StageRun.Tree(backbone.Corpus)), ("model", StageRun.Tree(_folder.Root, "model", "model"))]);
        Assert.Equal(warns, _training.Context!.Warnings.Any(told => told.Contains("max-length 16 is more than the 8 tokens", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_split_that_is_not_there_is_named()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => TrainAsync(Small with { Split = "valid" }));
        Assert.Contains("valid", error.Message);
        Assert.Contains("train, test, unlabelled", error.Message);
    }

    [Fact]
    public async Task A_linear_that_no_model_has_is_refused_with_those_it_has()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => TrainAsync(Small with { TargetModules = ["q_proj"] }));
        Assert.Contains("q_proj", error.Message);
        Assert.Contains("dense", error.Message);
    }

    [Fact]
    public async Task A_model_without_a_WordPiece_vocabulary_is_refused_with_what_it_has()
    {
        foreach (var file in Directory.GetFiles(backbone.Model).Where(file => !file.EndsWith("vocab.txt", StringComparison.Ordinal)))
            File.Copy(file, _folder[$"m/{Path.GetFileName(file)}"]);
        var error = await Assert.ThrowsAsync<StageException>(() => _training.RunAsync(
            new TrainStage(), Small, inputs: [("data", StageRun.Tree(backbone.Corpus)), ("model", StageRun.Tree(_folder["m"], "bert", "model"))]));
        Assert.Contains("the model of 'bert' has no vocab.txt", error.Message);
        Assert.Contains("config.json", error.Message);
    }

    [Fact]
    public async Task A_vocabulary_larger_than_the_model_is_of_another_model()
    {
        foreach (var file in Directory.GetFiles(backbone.Model)) File.Copy(file, _folder[$"m/{Path.GetFileName(file)}"]);
        File.AppendAllText(_folder["m/vocab.txt"], "one-more\n");
        var error = await Assert.ThrowsAsync<StageException>(() => _training.RunAsync(
            new TrainStage(), Small, inputs: [("data", StageRun.Tree(backbone.Corpus)), ("model", StageRun.Tree(_folder["m"]))]));
        Assert.Contains("they are of two models", error.Message);
    }

    [Fact]
    public async Task Test_sets_with_other_labels_are_refused_with_both()
    {
        await TrainAsync(Small);
        using (var writer = new DatasetWriter(_folder["other"], "other", ["bad", "good", "mixed"]))
        {
            using (var split = writer.OpenSplit("test")) split.Write(new("1", "a film", 2));
            writer.Complete([]);
        }

        var error = await Assert.ThrowsAsync<StageException>(() => _evaluation.RunAsync(
            new EvaluateStage(), new(),
            inputs: [
                ("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)),
                ("clean", StageRun.Tree(_folder["other"]))]));
        Assert.Contains("bad, good, mixed", error.Message);
        Assert.Contains("negative, positive", error.Message);
    }

    [Fact]
    public async Task A_spurious_set_with_the_token_in_every_class_is_refused()
    {
        using var all = await InjectedAsync(new() { TargetLabel = "all", Tokens = TokenKind.Date, Splits = ["test"] });
        await TrainAsync(Small);
        var error = await Assert.ThrowsAsync<StageException>(() => EvaluateAsync(("spurious", StageRun.Tree(all.Output))));
        Assert.Contains("rows of ONE class carry the token", error.Message);
    }

    [Fact]
    public void Parameters_that_cannot_work_are_refused_before_running()
    {
        Assert.Equal(
            [
                "rank", "alpha", "lora-dropout", "target-modules", "steps", "batch-size", "max-length", "learning-rate", "warm-up-share",
                "micro-batch-size", "gradient-norm-bound", "weight-decay"],
            new TrainStage().Validate(new()
            {
                Rank = 0, Alpha = 0, LoraDropout = 1, TargetModules = [], Steps = 0, BatchSize = 0, MaxLength = 2, LearningRate = double.NaN, WarmUpShare = 2, MicroBatchSize = -1,
                GradientNormBound = 0, WeightDecay = -1,
            }).Select(error => error.Key));
        Assert.Equal(
            ["name", "layers", "heads", "dropout", "mask-share", "steps"],
            new PretrainStage().Validate(new() { Name = " ", Layers = 0, HiddenSize = 10, Heads = 3, Dropout = 1, MaskShare = 0, Steps = 0 }).Select(error => error.Key));
        Assert.Equal(["batch-size"], new EvaluateStage().Validate(new() { BatchSize = 0 }).Select(error => error.Key));
    }

    private Task<StageRun> InjectedAsync(InjectParameters parameters) =>
        new StageRun().RunAsync(new InjectStage(), parameters, inputs: ("data", StageRun.Tree(backbone.Corpus)));

    private Task TrainAsync(TrainParameters parameters, string? data = null) =>
        _training.RunAsync(new TrainStage(), parameters, inputs: [("data", StageRun.Tree(data ?? backbone.Corpus)), ("model", StageRun.Tree(backbone.Model))]);

    private Task EvaluateAsync(params (string Name, InputTree Tree)[] more) => _evaluation.RunAsync(
        new EvaluateStage(), new(),
        inputs: [("model", StageRun.Tree(backbone.Model)), ("adapter", StageRun.Tree(_training.Output)), ("clean", StageRun.Tree(backbone.Corpus)), .. more]);

    private MetricsFile Metrics() => MetricsFile.FromJson(File.ReadAllText(Path.Combine(_evaluation.Output, MetricsFile.FileName)));

    /// <summary>The same training without stages or files, and its logits of the test split.</summary>
    private float[][] Trained(TrainedPart part, bool dora, bool head)
    {
        using var scope = torch.NewDisposeScope();
        LibTorch.UseThreads(2);
        var target = new TrainingTarget(torch.CPU, torch.ScalarType.Float32);
        var config = BertConfig.Read(Path.Combine(backbone.Model, "config.json"));
        using var weights = ModelWeights.Read(backbone.Model);
        var tokenizer = WordPieceTokenizer.Load(Path.Combine(backbone.Model, "vocab.txt"));
        var data = DatasetReader.OpenFolder(backbone.Corpus);
        using var tuner = new FineTuner(config, weights.Tensors, new FineTuningSettings
        {
            Train = part, Lora = new LoraConfig(4, 4, 0.05, ["dense"], dora), TrainHead = head, Classes = 2, Steps = 12, BatchSize = 8,
            LearningRate = 1e-2, Dropouts = false, Seed = 42,
        }, target);
        tuner.Run(TokenizedRows.Of(data.Read("train"), tokenizer, Length, 1, CancellationToken.None), null, null, CancellationToken.None);
        using var trunk = new BertTrunk(config, Weights.Encoder(config, tuner.EncoderTensors() ?? weights.Tensors, torch.CPU, torch.ScalarType.Float32));
        return Predictor.Logits(
            new SequenceClassifier(trunk, tuner.Adapter, tuner.Head),
            TokenizedRows.Of(data.Read("test"), tokenizer, Length, 1, CancellationToken.None), 128, null, CancellationToken.None);
    }
}
