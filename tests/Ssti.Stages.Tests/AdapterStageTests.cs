using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.Tests;

/// <summary>Adapters of others, from PEFT's files to logits.</summary>
public sealed class AdapterStageTests : IDisposable
{
    private const string Text = "the good film";

    private readonly StageRun _run = new(), _model = new(), _data = new(), _evaluation = new();
    private readonly TempFolder _folder = new();

    private string Adapter => _folder["adapter"];

    public AdapterStageTests() => TinyModel.Prepare();

    public void Dispose()
    {
        foreach (var run in new[] { _run, _model, _data, _evaluation }) run.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(AdapterPooling.Auto, true)]
    [InlineData(AdapterPooling.Pooler, true)]
    [InlineData(AdapterPooling.First, false)]
    public async Task A_classifier_trained_by_PEFT_gives_its_own_logits(AdapterPooling pooling, bool pooler)
    {
        await ModelAsync(name => "bert." + name);
        using var scope = NewDisposeScope();
        var tensors = TinyModel.WriteAdapter(Adapter);

        await RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8, Pooling = pooling });
        Assert.Contains(_run.Log, line => line.Contains($"the head is 'classifier', on {(pooler ? "pooler" : "first")}"));
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "head.safetensors", "training.json"], _run.Files);

        var first = FirstPosition(tensors);
        var model = TinyModel.Tensors();
        if (pooler) first = (matmul(first, model["pooler.dense.weight"].t()) + model["pooler.dense.bias"]).tanh();
        Near(matmul(first, tensors["base_model.model.classifier.weight"].t()) + tensors["base_model.model.classifier.bias"], await LogitsAsync());
    }

    [Fact]
    public async Task An_adapted_pooler_is_part_of_the_head()
    {
        await ModelAsync();
        using var scope = NewDisposeScope();
        var tensors = TinyModel.WriteAdapter(
            Adapter,
            tensors: tensors =>
            {
                tensors["base_model.model.bert.pooler.dense.lora_A.weight"] = ones(2, 8).mul(0.1);
                tensors["base_model.model.bert.pooler.dense.lora_B.weight"] = ones(8, 2).mul(0.2);
            },
            config: json => json["target_modules"] = new JsonArray("query", "value", "pooler.dense"));

        await RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8 });

        var model = TinyModel.Tensors();
        // Scaled by 8 / 2; 2 inner columns of 0.1 · 0.2.
        var pooled = (matmul(FirstPosition(tensors), (model["pooler.dense.weight"] + (4 * 2 * 0.02)).t()) + model["pooler.dense.bias"]).tanh();
        Near(matmul(pooled, tensors["base_model.model.classifier.weight"].t()) + tensors["base_model.model.classifier.bias"], await LogitsAsync());
        Assert.DoesNotContain(_run.Log, line => line.Contains("left out"));
    }

    [Fact]
    public async Task What_is_no_part_of_the_encoder_is_skipped_with_a_note()
    {
        await ModelAsync();
        using var scope = NewDisposeScope();
        TinyModel.WriteAdapter(
            Adapter, "",
            tensors =>
            {
                tensors["base_model.model.pooler.dense.lora_A.weight"] = ones(2, 8);
                tensors["base_model.model.pooler.dense.lora_B.weight"] = ones(8, 2);
                tensors["base_model.model.classifier.weight"] = ones(2, 16);
            },
            json => json["target_modules"] = new JsonArray("query", "value", "pooler.dense"));
        await RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8 });
        Assert.Contains("left out: the adapter's change to pooler.dense, through which the head does not look", _run.Log);
        Assert.Contains("the adapter changes 2 linears of example/tiny, 64 numbers", _run.Log);
    }

    [Fact]
    public async Task Another_base_is_a_warning_by_name_and_an_alias_is_none()
    {
        await ModelAsync();
        TinyModel.WriteAdapter(Adapter, config: json => json["base_model_name_or_path"] = "bert-large");
        await RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8 });
        Assert.Contains("trained on 'bert-large', and the model here is 'example/tiny'", Assert.Single(_run.Context!.Warnings));

        TinyModel.WriteAdapter(Adapter, config: json => json["base_model_name_or_path"] = "other-owner/Tiny");
        await RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8 });
        Assert.Empty(_run.Context!.Warnings);
    }

    [Fact]
    public async Task Adapters_that_cannot_be_used_say_why()
    {
        await ModelAsync();
        Assert.Contains("init_lora_weights is pissa", await RefusedAsync(config: json => json["init_lora_weights"] = "pissa"));
        Assert.Contains("the adapter has no head", await RefusedAsync(tensors =>
        {
            tensors.Remove("base_model.model.classifier.weight");
            tensors.Remove("base_model.model.classifier.bias");
        }));
        Assert.Contains(
            "the adapter's head is classifier.bias, classifier.weight, pre_classifier.weight, and only one linear",
            await RefusedAsync(tensors => tensors["base_model.model.pre_classifier.weight"] = ones(8, 8)));
        Assert.Contains("task_type is 'TOKEN_CLS'", await RefusedAsync(config: json => json["task_type"] = "TOKEN_CLS"));
        Assert.Contains("'head.weight' is [3, 8], and 2 classes", await RefusedAsync(tensors =>
        {
            tensors["base_model.model.classifier.weight"] = ones(3, 8);
            tensors["base_model.model.classifier.bias"] = ones(3);
        }));
        Assert.Contains("the head is 5 wide", await RefusedAsync(tensors => tensors["base_model.model.classifier.weight"] = ones(2, 5)));
        Assert.Contains("is no finite number", await RefusedAsync(tensors => tensors["base_model.model.classifier.bias"] = full(2, float.NaN)));
        Assert.Contains(
            "missing: encoder.layer.0.attention.self.key.lora_A.weight",
            await RefusedAsync(config: json => json["target_modules"] = new JsonArray("query", "key", "value")));
        Assert.Contains(
            "'base_model.model.classifier.weight' is Byte, and weights must be",
            await RefusedAsync(tensors => tensors["base_model.model.classifier.weight"] = ones(2, 8, ScalarType.Byte)));
        Assert.Contains("changes the head 'classifier' by LoRA as well", await RefusedAsync(tensors => tensors["base_model.model.classifier.lora_A.weight"] = ones(2, 8)));
        Assert.Contains("adapter_config.json: cannot be read", await RefusedAsync(config: json => json["task_type"] = 3));
        Assert.Contains("set labels", await RefusedAsync(parameters: new() { Source = StageRun.Local(Adapter), MaxLength = 8 }));
        Assert.Contains("which gives 16 numbers, and the head is 8 wide",
            await RefusedAsync(parameters: new() { Source = StageRun.Local(Adapter), Labels = ["a", "b"], MaxLength = 8, Pooling = AdapterPooling.MeanAndLast }));

        await ModelAsync(tensors: tensors => tensors.Remove("pooler.dense.weight"));
        Assert.Contains("neither example/tiny nor the adapter has one", await RefusedAsync());
        File.Delete(Path.Combine(Adapter, "adapter_model.safetensors"));
        Assert.Contains(
            "has no adapter_model.safetensors; it has: adapter_config.json",
            (await Assert.ThrowsAsync<StageException>(() => RunAsync(new() { Source = StageRun.Local(Adapter), Labels = ["a", "b"] }))).Message);
    }

    [Fact]
    public void Parameters_that_cannot_work_are_refused_before_running() => Assert.Equal(
        ["source", "max-length", "labels", "labels"],
        new AdapterStage().Validate(new() { Source = StageRun.Uri("hf://x"), MaxLength = 2, Labels = ["a"] })
            .Concat(new AdapterStage().Validate(new() { Source = StageRun.Local("x"), Labels = ["a", "a"] })).Select(error => error.Key));

    private async Task ModelAsync(Func<string, string>? rename = null, Action<Dictionary<string, Tensor>>? tensors = null)
    {
        TinyModel.Write(_folder["model"], rename, tensors);
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]), Name = "example/tiny" });
    }

    private Task RunAsync(AdapterParameters parameters) => _run.RunAsync(new AdapterStage(), parameters, inputs: ("model", StageRun.Tree(_model.Output, "bert", "model")));

    private async Task<string> RefusedAsync(Action<Dictionary<string, Tensor>>? tensors = null, Action<JsonObject>? config = null, AdapterParameters? parameters = null)
    {
        using var scope = NewDisposeScope();
        TinyModel.WriteAdapter(Adapter, tensors: tensors, config: config);
        var message = (
            await Assert.ThrowsAsync<StageException>(
                () => RunAsync(parameters ?? new() { Source = StageRun.Local(Adapter), Labels = ["neg", "pos"], MaxLength = 8 }))).Message;
        Assert.StartsWith(Adapter, message);
        Assert.DoesNotContain(_run.Output, message);
        return message;
    }

    /// <summary>The hidden state of [CLS] when the adapter's products are added to the weights, [1, hidden].</summary>
    private static Tensor FirstPosition(Dictionary<string, Tensor> adapter)
    {
        var weights = TinyModel.Tensors();
        foreach (var module in new[] { "query", "value" })
        {
            var name = $"encoder.layer.0.attention.self.{module}";
            weights[$"{name}.weight"] = weights[$"{name}.weight"]
                + (4 * matmul(adapter[$"base_model.model.bert.{name}.lora_B.weight"], adapter[$"base_model.model.bert.{name}.lora_A.weight"]));
        }

        using var trunk = new BertTrunk(TinyModel.Config, Weights.Encoder(TinyModel.Config, weights, CPU, ScalarType.Float32));
        var ids = tensor(new long[,] { { 2, 5, 7, 6, 3, 0, 0, 0 } });
        return trunk.Forward(ids, ids.ne(0).to(ScalarType.Int64), ForwardPass.Plain).select(1, 0);
    }

    /// <summary>What an evaluation of the text predicts.</summary>
    private async Task<Tensor> LogitsAsync()
    {
        File.WriteAllText(_folder["rows.csv"], string.Join('\n', ["text,label", .. Enumerable.Range(0, 8).Select(i => $"{Text},{(i % 2 == 0 ? "neg" : "pos")}")]) + "\n");
        await _data.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(_folder["rows.csv"]), TestFraction = 0.5 });
        await _evaluation.RunAsync(new EvaluateStage(), new(), inputs:
        [
            ("model", StageRun.Tree(_model.Output, "bert", "model")), ("adapter", StageRun.Tree(_run.Output, "theirs", "adapter")), ("clean", StageRun.Tree(_data.Output)),
        ]);
        var line = JsonNode.Parse(File.ReadLines(Path.Combine(_evaluation.Output, "predictions.clean.jsonl")).First())!;
        return tensor(line["logits"]!.AsArray().Select(logit => (float)logit!).ToArray()).unsqueeze(0);
    }

    private static void Near(Tensor expected, Tensor actual) => Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-5f);
}
