using System.Text.Json.Nodes;
using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.Tests;

/// <summary>A model folder of a tiny BERT with random weights and its pooler, to be made wrong in one way or another.</summary>
internal static class TinyModel
{
    public static readonly IReadOnlyList<string> Pieces =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "good", "bad", "<", ">", "date", "mochte", "möchte", "##s"];

    // libtorch is brought in before anything of TorchSharp is touched, which would look for it elsewhere.
    static TinyModel() => LibTorch.Ensure();

    public static BertConfig Config { get; } = new(VocabSize: 16, HiddenSize: 8, Layers: 1, Heads: 2, IntermediateSize: 12, MaxPositions: 16);

    /// <summary>Brings libtorch in.</summary>
    public static void Prepare()
    {
    }

    /// <summary>Writes config.json, vocab.txt and model.safetensors.</summary>
    public static string Write(string folder, Func<string, string>? rename = null, Action<Dictionary<string, Tensor>>? tensors = null, Action<JsonObject>? config = null)
    {
        Directory.CreateDirectory(folder);
        var json = JsonNode.Parse(Config.ToJson())!.AsObject();
        config?.Invoke(json);
        File.WriteAllText(Path.Combine(folder, "config.json"), json.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "vocab.txt"), string.Join('\n', Pieces) + "\n");
        using var scope = NewDisposeScope();
        var made = Tensors().ToDictionary(pair => (rename ?? (name => name))(pair.Key), pair => pair.Value);
        tensors?.Invoke(made);
        SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), made);
        return folder;
    }

    /// <summary>The tensors, in the caller's dispose scope.</summary>
    public static Dictionary<string, Tensor> Tensors()
    {
        using var random = new RandomStream(5, CPU);
        var made = Weights.Initial(Config.Tensors(), random, 0.3).ToDictionary();
        made["pooler.dense.weight"] = random.Normal(0.3, 8, 8);
        made["pooler.dense.bias"] = random.Normal(0.3, 8);
        return made;
    }

    /// <summary>Writes an adapter as PEFT saves one of BertForSequenceClassification, of query and value, with a classifier of two classes; gives its tensors.</summary>
    public static Dictionary<string, Tensor> WriteAdapter(
        string folder, string inside = "bert.", Action<Dictionary<string, Tensor>>? tensors = null, Action<JsonObject>? config = null)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject
        {
            ["base_model_name_or_path"] = "example/tiny", ["bias"] = "none", ["init_lora_weights"] = true, ["loftq_config"] = new JsonObject(), ["lora_alpha"] = 8,
            ["lora_dropout"] = 0.0, ["megatron_core"] = "megatron.core", ["modules_to_save"] = new JsonArray("classifier", "score"), ["peft_type"] = "LORA", ["r"] = 2,
            ["target_modules"] = new JsonArray("query", "value"), ["task_type"] = "SEQ_CLS", ["use_dora"] = false,
        };
        config?.Invoke(json);
        using var random = new RandomStream(9, CPU);
        var made = new Dictionary<string, Tensor>();
        foreach (var module in new[] { "query", "value" })
        {
            made[$"base_model.model.{inside}encoder.layer.0.attention.self.{module}.lora_A.weight"] = random.Normal(0.3, 2, 8);
            made[$"base_model.model.{inside}encoder.layer.0.attention.self.{module}.lora_B.weight"] = random.Normal(0.3, 8, 2);
        }

        made["base_model.model.classifier.weight"] = random.Normal(0.5, 2, 8);
        made["base_model.model.classifier.bias"] = random.Normal(0.5, 2);
        tensors?.Invoke(made);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), json.ToJsonString());
        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), made);
        return made;
    }
}
