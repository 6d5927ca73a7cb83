using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>DistilBERT, and the encoders that are BERT's configurations.</summary>
public sealed class EncoderFamilyTests
{
    // BERT is held against transformers: without token types a BERT computes what a DistilBERT does.
    [Fact]
    public void A_DistilBERT_is_a_BERT_without_token_types()
    {
        using var scope = NewDisposeScope();
        using var distil = TinyFamily.Trunk("distilbert");
        var renamed = TinyFamily.Tensors("distilbert").ToDictionary(pair => BertName(pair.Key), pair => pair.Value);
        renamed["embeddings.token_type_embeddings.weight"] = zeros(2, 16);
        using var bert = TinyBert.Config.Build(Weights.Encoder(TinyBert.Config, renamed, CPU, ScalarType.Float32));
        var (ids, mask) = TinyBert.Batch();

        Assert.InRange((distil.Forward(ids, mask, ForwardPass.Plain) - bert.Forward(ids, mask, ForwardPass.Plain)).abs().max().item<float>(), 0, 1e-5);

        static string BertName(string name) => name.Replace("transformer.", "encoder.").Replace("sa_layer_norm", "attention.output.LayerNorm")
            .Replace("output_layer_norm", "output.LayerNorm").Replace("q_lin", "self.query").Replace("k_lin", "self.key").Replace("v_lin", "self.value")
            .Replace("attention.out_lin", "attention.output.dense").Replace("ffn.lin1", "intermediate.dense").Replace("ffn.lin2", "output.dense");
    }

    [SkippableTheory]
    [InlineData("adapters/lora-distilbert-imdb")]
    [InlineData("adapters/lora-distilbert-emotion")]
    public void Real_adapters_of_DistilBERT_change_it_by_their_product(string folder)
    {
        using var peft = PeftAdapter.Read(SharedData.Path(folder));
        using var scope = NewDisposeScope();
        // distilbert-base-uncased's shape; fewer words and positions, which no adapter sees.
        var config = new DistilBertConfig(VocabSize: 50, HiddenSize: 768, Layers: 6, Heads: 12, IntermediateSize: 3072, MaxPositions: 12);
        using var random = new RandomStream(1, CPU);
        using var trunk = config.Build(Weights.Encoder(config, Weights.Initial(config.Tensors(), random, 0.04), CPU, ScalarType.Float32));
        using var adapter = peft.On(trunk);
        var settings = peft.Settings();
        var merged = trunk.With(adapter.Targets.ToDictionary(linear => $"{linear.Name}.weight", linear =>
        {
            var name = $"base_model.model.distilbert.{linear.Name}";
            return trunk.WeightOf(linear.Name) + (matmul(peft.Tensors[$"{name}.lora_B.weight"], peft.Tensors[$"{name}.lora_A.weight"]) * (settings.Alpha / settings.Rank));
        }));
        var (ids, mask) = TinyBert.Batch();
        var adapted = trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)));

        Assert.Equal(12, adapter.Targets.Count);
        Assert.InRange((adapted - merged.Forward(ids, mask, ForwardPass.Plain)).abs().max().item<float>(), 0, 1e-4);
        Assert.InRange((adapted - trunk.Forward(ids, mask, ForwardPass.Plain)).abs().max().item<float>(), 1e-2, 1e3);
    }

    // Shapes of the published config.json files; counts are of the encoder without pooler, which is what the names say: xs 22M, s 33M, m 109M, l 334M.
    [Theory]
    [InlineData("snowflake-arctic-embed-xs, all-MiniLM-L6-v2", 384, 6, 12, 1536, 22_565_376)]
    [InlineData("snowflake-arctic-embed-s, bge-small-en-v1.5, e5-small-v2, all-MiniLM-L12-v2", 384, 12, 12, 1536, 33_212_160)]
    [InlineData("snowflake-arctic-embed-m, bge-base-en-v1.5, e5-base-v2", 768, 12, 12, 3072, 108_891_648)]
    [InlineData("snowflake-arctic-embed-l, bge-large-en-v1.5, e5-large-v2", 1024, 24, 16, 4096, 334_092_288)]
    public void Encoders_people_use_are_configurations_of_BERT(string models, int width, int layers, int heads, int inner, long parameters)
    {
        var config = Read($$"""
            {
              "architectures": ["BertModel"], "attention_probs_dropout_prob": 0.1, "classifier_dropout": null, "gradient_checkpointing": false, "hidden_act": "gelu",
              "hidden_dropout_prob": 0.1, "hidden_size": {{width}}, "id2label": { "0": "LABEL_0" }, "initializer_range": 0.02, "intermediate_size": {{inner}},
              "label2id": { "LABEL_0": 0 }, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert", "num_attention_heads": {{heads}},
              "num_hidden_layers": {{layers}}, "pad_token_id": 0, "position_embedding_type": "absolute", "torch_dtype": "float32",
              "transformers_version": "4.36.1", "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522
            }
            """);

        Assert.True(parameters == config.Tensors().Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)), models);
    }

    [Theory]
    [InlineData("nomic_bert", "arctic-embed-m-long")]
    [InlineData("xlm-roberta", "arctic-embed-l-v2.0")]
    [InlineData("gte", "arctic-embed-m-v2.0")]
    [InlineData("roberta", "byte-level BPE")]
    [InlineData("modernbert", "byte-level BPE")]
    [InlineData("mistral", "sliding window")]
    [InlineData("qwen2", "biases")]
    [InlineData("mamba", "only 'bert', 'distilbert', 'llama', 'openelm'")]
    public void Other_families_are_refused_by_name_and_with_the_reason(string family, string reason)
    {
        var message = Assert.Throws<ModelException>(() => Read($$"""{ "model_type": "{{family}}", "hidden_size": 8 }""")).Message;
        Assert.Contains($"mine/config.json: model_type is '{family}'", message);
        Assert.Contains(reason, message);
    }

    [Theory]
    [InlineData("activation", "\"relu\"", "activation is relu")]
    [InlineData("n_heads", "5", "5 heads do not divide a hidden size of 16")]
    [InlineData("dim", "null", "has no 'dim'")]
    [InlineData("dropout", "1.0", "'dropout' must be less than 1")]
    public void A_DistilBERT_that_asks_for_something_else_is_refused_by_its_key(string key, string value, string expected)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(TinyFamily.Config("distilbert").ToJson())!.AsObject();
        json[key] = System.Text.Json.Nodes.JsonNode.Parse(value);
        Assert.Contains(expected, Assert.Throws<ModelException>(() => Read(json.ToJsonString())).Message);
    }

    private static TrunkConfig Read(string json)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, json);
        try
        {
            return TrunkConfig.Read(path, "mine/config.json");
        }
        finally
        {
            File.Delete(path);
        }
    }
}
