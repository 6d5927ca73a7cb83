using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Optimizers;
using Ssti.Nets.Safetensors;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Ssti.Nets.Tests.Lora;

/// <summary>Twenty steps of PEFT and transformers, replayed: two optimisers, plain LoRA and DoRA.</summary>
public sealed class PeftTrainingTests
{
    private const string Base = "base.backbone.";
    private const string Model = "base_model.model.backbone.";

    // The file does not say how many heads: with 4 its gradient norms come out, with 2, 3 or 6 they do not.
    private static readonly BertConfig Config = new(300, 48, 2, 4, 96, 32, HiddenDropout: 0, AttentionDropout: 0);

    [SkippableTheory]
    [InlineData("adafactor", false)]
    [InlineData("adafactor", true)]
    [InlineData("adamw", false)]
    [InlineData("adamw", true)]
    public void A_training_follows_PEFT_step_by_step(string name, bool dora)
    {
        using var file = SafetensorsFile.Read(SharedData.Path($"golden/peft_{name}{(dora ? "_dora" : "")}.safetensors"));
        using var scope = NewDisposeScope();
        var golden = file.Tensors;
        using var trunk = new BertTrunk(Config, Weights.Encoder(Config, Named(golden, Base), CPU, ScalarType.Float32));
        using var adapter = LoraAdapter.Load(new LoraConfig(4, 8, 0, ["dense"], dora), trunk, Matrices(golden, "init."));
        using var classifier = new SequenceClassifier(trunk, adapter, new ClassifierHead(golden["base.head.weight"], golden["base.head.bias"], CPU));
        using Optimizer optimizer = name == "adamw"
            ? new AdamW(adapter.Parameters, new AdamWOptions { WeightDecay = 0.01 })
            : new Adafactor(adapter.Parameters, new AdafactorOptions { WeightDecay = 1e-2 });
        var schedule = new CosineSchedule(1e-3, 3, 20);

        for (var step = 0; step < 20; step++)
        {
            using var inner = NewDisposeScope();
            var loss = functional.cross_entropy(classifier.Forward(golden["input_ids"][step], golden["attention_mask"][step]), golden["labels"][step]);
            var gradients = autograd.grad([loss], [.. adapter.Parameters.Masters]);
            var norm = GradientNorm.Clip([.. gradients], 1.0);
            optimizer.Step([.. gradients], schedule.At(step));

            Near(golden["losses"][step].item<double>(), loss.item<float>(), 1e-4, $"loss of step {step}");
            Near(golden["grad_norms"][step].item<double>(), norm.item<float>(), 1e-4, $"gradient norm of step {step}");
            Near(golden["lrs"][step].item<double>(), schedule.At(step), 1e-4, $"learning rate of step {step}");
        }

        var trained = adapter.Parameters.Copy();
        var final = Matrices(golden, "final.");
        Assert.Equal(final.Keys.Order(), trained.Keys.Order());
        foreach (var (key, expected) in final)
            Assert.InRange(((trained[key] - expected).norm() / expected.norm()).item<float>(), 0, 1e-3);
    }

    [SkippableFact]
    public void A_trained_adapter_is_saved_as_PEFT_saved_it()
    {
        using var file = SafetensorsFile.Read(SharedData.Path("golden/peft_adamw.safetensors"));
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(Config, Weights.Encoder(Config, Named(file.Tensors, Base), CPU, ScalarType.Float32));
        using var trained = LoraAdapter.Load(new LoraConfig(4, 8, 0, ["dense"]), trunk, Matrices(file.Tensors, "final."));
        using var saved = PeftAdapter.From(trained, null, "backbone.");
        var folder = Directory.CreateTempSubdirectory("ssti peft ").FullName;
        saved.Write(folder);

        Assert.Equal(File.ReadAllBytes(SharedData.Path("golden/adapter_model.safetensors")), File.ReadAllBytes(Path.Combine(folder, PeftAdapter.TensorFile)));
        var golden = JsonNode.Parse(File.ReadAllText(SharedData.Path("golden/adapter_config.json")))!;
        // PEFT notes the class it wrapped here, which was one of the reference script's own.
        foreach (var (key, value) in JsonNode.Parse(File.ReadAllText(Path.Combine(folder, PeftAdapter.ConfigFile)))!.AsObject().Where(pair => pair.Key != "auto_mapping"))
            Assert.True(
                Alike(golden.AsObject()[key], value) && golden.AsObject().ContainsKey(key),
                $"{key} is {value?.ToJsonString()}, and PEFT has {golden[key]?.ToJsonString()}");
        Directory.Delete(folder, recursive: true);

        static bool Alike(JsonNode? a, JsonNode? b) =>
            JsonNode.DeepEquals(a, b)
                || (a is JsonValue x && b is JsonValue y && x.TryGetValue(out double u) && y.TryGetValue(out double v) && u == v);
    }

    private static Dictionary<string, Tensor> Named(IReadOnlyDictionary<string, Tensor> tensors, string prefix) =>
        tensors.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(pair => pair.Key[prefix.Length..], pair => pair.Value);

    private static Dictionary<string, Tensor> Matrices(IReadOnlyDictionary<string, Tensor> tensors, string part) =>
        Named(tensors, part + Model).ToDictionary(
            pair => pair.Key.Replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").Replace(".default", ""), pair => pair.Value);

    private static void Near(double expected, double actual, double tolerance, string what) =>
        Assert.True(Math.Abs(actual - expected) <= tolerance * Math.Abs(expected) + 1e-12, $"{what}: {actual}, and PEFT has {expected}");
}
