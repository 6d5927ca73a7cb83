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

    [SkippableTheory]
    [InlineData(ScalarType.Float32, 4e-3)] // the reference is stored in fp16: half a unit in the last place of values up to 4
    [InlineData(ScalarType.BFloat16, 0.2)]
    public void The_real_backbone_gives_the_reference_hidden_states(ScalarType dtype, double tolerance)
    {
        var config = BertConfig.Read(SharedData.Path("models/bert-xs-imdb/config.json"));
        using var weights = ModelWeights.Read(SharedData.Path("models/bert-xs-imdb"));
        using var io = SafetensorsFile.Read(SharedData.Path("golden/backbone.io.safetensors"));
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(config, Weights.Encoder(config, weights.Tensors, CPU, dtype));

        var hidden = trunk.Forward(io.Tensors["input_ids"], io.Tensors["attention_mask"], ForwardPass.Plain);

        Assert.InRange(Distance(hidden.to(ScalarType.Float32), io.Tensors["last_hidden_state"].to(ScalarType.Float32)), 0, tolerance);
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

    private static float Distance(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
