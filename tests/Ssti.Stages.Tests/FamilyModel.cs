using System.Text.Json.Nodes;
using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.Tests;

/// <summary>Model folders of tiny models with random weights, of every family, as they stand on the Hub: weights under the names of a class with a head, and a tokenizer.</summary>
internal static class FamilyModel
{
    private static readonly (string Piece, string Left, string Right)[] Merges =
    [
        ("▁t", "▁", "t"), ("he", "h", "e"), ("▁the", "▁t", "he"), ("oo", "o", "o"), ("▁g", "▁", "g"), ("▁goo", "▁g", "oo"), ("▁good", "▁goo", "d"), ("ad", "a", "d"),
        ("▁b", "▁", "b"), ("▁bad", "▁b", "ad"),
    ];

    static FamilyModel() => LibTorch.Ensure();

    public static TrunkConfig Config(string family) => family switch
    {
        "bert" => new BertConfig(16, 8, 2, 2, 12, 24),
        "distilbert" => new DistilBertConfig(16, 8, 2, 2, 12, 24),
        "llama" => new LlamaConfig(300, 8, 2, 2, 1, 4, 12, 24, new RopeSettings(10000)),
        "openelm" => new OpenElmConfig(300, 8, 2, [0.5, 1], [1, 2], Groups: 1, HeadWidth: 4, MaxPositions: 24, FfnDivisor: 4),
        _ => throw new ArgumentException(family, nameof(family)),
    };

    /// <summary>The tensors, in the caller's dispose scope.</summary>
    public static Dictionary<string, Tensor> Tensors(string family)
    {
        using var random = new RandomStream(5, CPU);
        return Weights.Initial(Config(family).Tensors(), random, 0.3).ToDictionary();
    }

    /// <summary>Writes config.json, weights and tokenizer.</summary>
    public static string Write(string folder, string family, Action<Dictionary<string, Tensor>>? tensors = null, bool tokenizer = true)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), Config(family).ToJson());
        using (var scope = NewDisposeScope())
        {
            var prefix = Prefix(family);
            var made = Tensors(family).ToDictionary(pair => prefix + pair.Key, pair => pair.Value);
            made[family is "llama" or "openelm" ? "lm_head.weight" : "classifier.weight"] = zeros(2, 8);
            tensors?.Invoke(made);
            SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), made);
        }

        if (tokenizer) WriteTokenizer(folder, family);
        return folder;
    }

    /// <summary>What stands before the trunk's names in the family's class with a head.</summary>
    public static string Prefix(string family) => family switch { "bert" => "bert.", "distilbert" => "distilbert.", "llama" => "model.", _ => "transformer." };

    public static void WriteTokenizer(string folder, string family)
    {
        Directory.CreateDirectory(folder);
        if (family is "bert" or "distilbert") File.WriteAllText(Path.Combine(folder, "vocab.txt"), string.Join('\n', TinyModel.Pieces) + "\n");
        else File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Bpe().ToJsonString());
    }

    /// <summary>Writes an adapter of the queries as PEFT saves one of the family's ...ForSequenceClassification; gives its tensors without PEFT's prefix.</summary>
    public static Dictionary<string, Tensor> WriteAdapter(string folder, string family, Action<Dictionary<string, Tensor>>? change = null)
    {
        const string Wrapped = "base_model.model.";
        using var random = new RandomStream(9, CPU);
        var made = new Dictionary<string, Tensor>();
        foreach (var linear in Config(family).Linears().Where(linear => linear.Name.Contains('q')))
        {
            made[$"{Wrapped}{Prefix(family)}{linear.Name}.lora_A.weight"] = random.Normal(0.3, 2, linear.In);
            made[$"{Wrapped}{Prefix(family)}{linear.Name}.lora_B.weight"] = random.Normal(0.3, linear.Out, 2);
        }

        if (family == "llama") made[$"{Wrapped}score.weight"] = random.Normal(0.5, 2, 8);
        else
        {
            made[$"{Wrapped}classifier.weight"] = random.Normal(0.5, 2, 8);
            made[$"{Wrapped}classifier.bias"] = random.Normal(0.5, 2);
            made[$"{Wrapped}pre_classifier.weight"] = random.Normal(0.5, 8, 8);
            made[$"{Wrapped}pre_classifier.bias"] = random.Normal(0.5, 8);
        }

        change?.Invoke(made);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), """
            {
              "bias": "none", "lora_alpha": 8, "modules_to_save": ["classifier", "score"], "peft_type": "LORA", "r": 2, "target_modules": ["q_lin", "q_proj"],
              "task_type": "SEQ_CLS"
            }
            """);
        SafetensorsFile.Write(Path.Combine(folder, "adapter_model.safetensors"), made);
        return made.ToDictionary(pair => pair.Key[Wrapped.Length..], pair => pair.Value);
    }

    private static JsonObject Bpe()
    {
        string[] pieces =
        [
            "<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), "▁", .. Enumerable.Range('a', 26).Select(letter => ((char)letter).ToString()),
            .. Merges.Select(merge => merge.Piece),
        ];
        return TokenizerForms.Llama2(pieces, new JsonArray([.. Merges.Select(merge => (JsonNode)$"{merge.Left} {merge.Right}")]));
    }
}
