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

    [Fact]
    public void A_checkpoint_with_the_bert_prefix_is_the_same_encoder()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var plain = Weights.Initial(TinyBert.Config.Tensors(), random);
        var prefixed = plain.ToDictionary(pair => "bert." + pair.Key, pair => pair.Value);
        prefixed.Add("cls.predictions.bias", zeros(50));

        Assert.Equal(plain.Keys.Order(), Weights.Encoder(TinyBert.Config, prefixed, CPU, ScalarType.Float32).Keys.Order());
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
