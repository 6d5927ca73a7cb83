using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

public sealed class BertTrunkTests
{
    [SkippableFact]
    public void Hidden_states_and_attentions_are_those_of_transformers()
    {
        var config = BertConfig.Read(SharedData.Path("golden/bert.config.json"));
        using var weights = SafetensorsFile.Read(SharedData.Path("golden/bert.safetensors"));
        using var io = SafetensorsFile.Read(SharedData.Path("golden/bert.io.safetensors"));
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(config, Weights.Encoder(config, weights.Tensors, CPU, ScalarType.Float32));
        var (ids, mask) = (io.Tensors["input_ids"], io.Tensors["attention_mask"]);

        var fused = trunk.Forward(ids, mask, ForwardPass.Plain);
        Tensor? last = null;
        var explicitly = trunk.Forward(ids, mask, new ForwardPass(OnAttention: (_, attention) => last = attention));

        Assert.InRange(Distance(fused, io.Tensors["last_hidden_state"]), 0, 1e-4);
        Assert.InRange(Distance(explicitly, io.Tensors["last_hidden_state"]), 0, 1e-4);
        Assert.InRange(Distance(last!, io.Tensors["last_attentions"]), 0, 1e-5);
    }

    [SkippableFact]
    public void The_real_backbone_gives_the_reference_hidden_states()
    {
        var (expected, actual) = Backbone(ScalarType.Float32);
        // The reference is stored in fp16: each value may be half of its own last place off, beside the 1e-4.
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(actual[i] - expected[i]) <= 1e-4 + (HalfPlace(expected[i]) * 1.001), $"value {i} is {actual[i]}, and the reference has {expected[i]}");

        static double HalfPlace(float half) => Math.ScaleB(1, Math.Max(half == 0 ? -14 : Math.ILogB(half), -14) - 11);
    }

    [SkippableFact]
    public void In_bf16_the_real_backbone_stays_near_the_reference()
    {
        var (expected, actual) = Backbone(ScalarType.BFloat16);
        Assert.InRange(expected.Zip(actual).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 0.2);
    }

    [Fact]
    public void A_checkpoint_of_shards_in_halves_is_the_encoder_of_its_rounded_weights()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var folder = Directory.CreateTempSubdirectory("ssti shards ").FullName;
        var names = TinyBert.Config.Tensors().Select(tensor => tensor.Name).ToArray();
        var initial = Weights.Initial(TinyBert.Config.Tensors(), random, 0.2);
        // Three shards, a type each.
        ScalarType[] types = [ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16];
        var stored = names.Select((name, i) => (name, shard: i % 3, tensor: initial[name].to(types[i % 3]))).ToArray();
        var index = new JsonObject();
        foreach (var shard in stored.GroupBy(tensor => tensor.shard))
        {
            SafetensorsFile.Write(Path.Combine(folder, $"model-{shard.Key}.safetensors"), shard.ToDictionary(tensor => tensor.name, tensor => tensor.tensor));
            foreach (var tensor in shard) index[tensor.name] = $"model-{shard.Key}.safetensors";
        }

        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = index }.ToJsonString());
        using var read = ModelWeights.Read(folder);
        Directory.Delete(folder, recursive: true);
        var rounded = stored.ToDictionary(tensor => tensor.name, tensor => tensor.tensor.to(ScalarType.Float32));
        using var expected = new BertTrunk(TinyBert.Config, Weights.Encoder(TinyBert.Config, rounded, CPU, ScalarType.Float32));
        using var actual = new BertTrunk(TinyBert.Config, Weights.Encoder(TinyBert.Config, read.Tensors, CPU, ScalarType.Float32));
        var (ids, mask) = TinyBert.Batch();

        Assert.Equal(types.Order(), read.Tensors.Values.Select(tensor => tensor.dtype).Distinct().Order());
        Assert.Equal(0, Distance(expected.Forward(ids, mask, ForwardPass.Plain), actual.Forward(ids, mask, ForwardPass.Plain)));
        Assert.NotEqual(0, Distance(initial["embeddings.word_embeddings.weight"], rounded["embeddings.word_embeddings.weight"]) + Distance(initial[names[1]], rounded[names[1]]));
    }

    [Fact]
    public void What_stands_in_padding_does_not_reach_the_tokens()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        var (ids, mask) = TinyBert.Batch();
        var other = ids + (1 - mask) * 5;

        var distance = Distance(trunk.Forward(ids, mask, ForwardPass.Plain) * mask.unsqueeze(-1), trunk.Forward(other, mask, ForwardPass.Plain) * mask.unsqueeze(-1));

        Assert.InRange(distance, 0, 1e-6);
    }

    [Fact]
    public void A_row_of_padding_alone_gives_numbers()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        var ids = zeros(2, 5, ScalarType.Int64);

        Assert.True(trunk.Forward(ids, zeros_like(ids), ForwardPass.Plain).isfinite().all().item<bool>());
    }

    [Fact]
    public void Adapting_the_projections_apart_changes_nothing_while_B_is_zero()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(2, 2, 0, ["query", "key", "value", "dense"]), trunk, random);
        var (ids, mask) = TinyBert.Batch();

        var distance = Distance(
            trunk.Forward(ids, mask, ForwardPass.Plain), trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32))));

        Assert.Equal(12, adapter.Targets.Count);
        Assert.InRange(distance, 0, 1e-5);
    }

    [Fact]
    public void An_input_longer_than_the_position_table_is_refused_with_the_limit()
    {
        using var trunk = TinyBert.Trunk();
        using var ids = zeros(1, 13, ScalarType.Int64);

        Assert.Contains("at most 12", Assert.Throws<ModelException>(() => trunk.Forward(ids, ids, ForwardPass.Plain)).Message);
    }

    [Fact]
    public void Weights_that_do_not_fit_are_listed_by_name()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var tensors = Weights.Initial(TinyBert.Config.Tensors(), random).ToDictionary();
        tensors.Remove("encoder.layer.1.output.dense.bias");
        tensors.Add("encoder.layer.2.output.dense.bias", zeros(16));
        tensors["embeddings.LayerNorm.bias"] = zeros(17);
        tensors.Add("pooler.dense.weight", zeros(1));
        tensors.Add("embeddings.position_ids", zeros(1));

        var message = Assert.Throws<ModelException>(() => Weights.Encoder(TinyBert.Config, tensors, CPU, ScalarType.Float32)).Message;

        Assert.Contains("missing: encoder.layer.1.output.dense.bias", message);
        Assert.Contains("unexpected: encoder.layer.2.output.dense.bias", message);
        Assert.Contains("wrong shape: embeddings.LayerNorm.bias", message);
        Assert.DoesNotContain("pooler", message);
        Assert.DoesNotContain("position_ids", message);
    }

    [Theory]
    [InlineData("bert.", false, "cls.predictions.bias")]
    [InlineData("bert.", true, "qa_outputs.weight")]
    [InlineData("model.", false, "model.pooler.dense.weight")]
    [InlineData("encoder.", true, "encoder.pooler.dense.weight")]
    [InlineData("0.auto_model.", false, "2.linear.weight")]
    [InlineData("", true, "classifier.weight")]
    public void The_encoder_is_found_whatever_stands_before_and_beside_it_and_under_its_first_names(string prefix, bool gamma, string beside)
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var plain = Weights.Initial(TinyBert.Config.Tensors(), random);
        string Old(string name) => gamma ? name.Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta") : name;
        var stored = plain.ToDictionary(pair => prefix + Old(pair.Key), pair => pair.Value);
        stored.Add(beside, zeros(50));

        var taken = Weights.Encoder(TinyBert.Config, stored, CPU, ScalarType.Float32);

        Assert.Equal(plain.Keys.Order(), taken.Keys.Order());
        foreach (var (name, tensor) in plain) Assert.True(tensor.equal(taken[name]).all().item<bool>(), name);
        var found = EncoderTensors.In(TinyBert.Config, stored.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<long>)pair.Value.shape));
        Assert.Equal((prefix, beside), (found.Prefix, Assert.Single(found.LeftOut)));
    }

    [Fact]
    public void Two_encoders_in_one_file_are_refused_by_their_prefixes()
    {
        var shapes = TinyBert.Config.Tensors().SelectMany(tensor => new[] { "query.", "passage." }.Select(prefix => (prefix + tensor.Name, tensor.Shape)))
            .ToDictionary(pair => pair.Item1, pair => (IReadOnlyList<long>)pair.Shape);
        Assert.Contains("2 encoders, under 'passage.' and 'query.'", Assert.Throws<ModelException>(() => EncoderTensors.In(TinyBert.Config, shapes)).Message);
    }

    [Theory]
    [InlineData("""{ "model_type": "roberta" }""", "model_type is 'roberta'")]
    [InlineData("""{ "architectures": ["RobertaModel"] }""", "has no model_type, and its architecture is 'RobertaModel'")]
    [InlineData("""{ "model_type": "bert", "hidden_act": "relu" }""", "hidden_act is relu")]
    [InlineData("""{ "model_type": "bert", "is_decoder": true }""", "is_decoder is true")]
    [InlineData("""{ "model_type": "bert", "pruned_heads": { "0": [1] } }""", "pruned_heads")]
    [InlineData("""{ "model_type": "bert", "quantization_config": { "bits": 4 } }""", "quantization_config")]
    [InlineData("""{ "model_type": "bert", "auto_map": { "AutoModel": "x.Model" } }""", "code of the model's own (x.Model)")]
    [InlineData("""{ "model_type": "bert", "vocab_size": "30522" }""", "'vocab_size' is \"30522\", and must be a whole number")]
    [InlineData("""{ "model_type": "bert", "vocab_size": 0 }""", "'vocab_size' must be more than 0")]
    [InlineData("""{ "model_type": "bert" }""", "mine/config.json has no 'vocab_size'")]
    [InlineData("""[1]""", "mine/config.json is not a model's config.json")]
    [InlineData("""{ "model_type": "bert", "model_type": "bert" }""", "mine/config.json is not a model's config.json")]
    public void A_configuration_that_asks_for_something_else_is_refused_by_the_key_and_the_users_name(string json, string expected)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, json);
        var message = Assert.Throws<ModelException>(() => BertConfig.Read(path, "mine/config.json")).Message;
        File.Delete(path);
        Assert.Contains(expected, message);
        Assert.DoesNotContain(path, message);
    }

    private static (float[] Expected, float[] Actual) Backbone(ScalarType dtype)
    {
        var config = BertConfig.Read(SharedData.Path("models/bert-xs-imdb/config.json"));
        using var weights = ModelWeights.Read(SharedData.Path("models/bert-xs-imdb"));
        using var io = SafetensorsFile.Read(SharedData.Path("golden/backbone.io.safetensors"));
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(config, Weights.Encoder(config, weights.Tensors, CPU, dtype));
        var hidden = trunk.Forward(io.Tensors["input_ids"], io.Tensors["attention_mask"], ForwardPass.Plain);
        return (io.Tensors["last_hidden_state"].to(ScalarType.Float32).data<float>().ToArray(), hidden.to(ScalarType.Float32).data<float>().ToArray());
    }

    private static float Distance(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
