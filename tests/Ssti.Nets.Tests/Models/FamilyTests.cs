using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Models;

/// <summary>What every family must pass.</summary>
public sealed class FamilyTests
{
    public static TheoryData<string> Families => TinyFamily.All;

    [Theory]
    [MemberData(nameof(Families))]
    public void A_causal_model_does_not_see_what_comes_later_and_an_encoder_does(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var ids = arange(12, ScalarType.Int64).view(1, 12) + 3;
        var changed = ids.clone();
        changed[0, 8] = tensor(40L);
        var (before, after) = (Hidden(trunk, ids), Hidden(trunk, changed));

        var earlier = Distance(before[0, ..8], after[0, ..8]);
        if (TinyFamily.Config(family).IsCausal) Assert.Equal(0, earlier);
        else Assert.InRange(earlier, 1e-3, 1e3);
        for (var at = 8; at < 12; at++) Assert.InRange(Distance(before[0, at], after[0, at]), 1e-4, 1e3);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Tokens_do_not_see_what_stands_in_padding_nor_how_much_of_it_there_is(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var (ids, mask) = TinyBert.Batch();
        var padded = Hidden(trunk, ids, mask);

        Assert.InRange(Distance(padded * mask.unsqueeze(-1), Hidden(trunk, ids + ((1 - mask) * 5), mask) * mask.unsqueeze(-1)), 0, 1e-5);
        for (var row = 0; row < 3; row++)
        {
            var tokens = (int)mask[row].sum().item<long>();
            Assert.InRange(Distance(padded[row, ..tokens], Hidden(trunk, ids[row, ..tokens].unsqueeze(0))[0]), 0, 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_row_of_padding_alone_gives_numbers(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var ids = zeros(2, 5, ScalarType.Int64);

        Assert.True(Hidden(trunk, ids, zeros_like(ids)).isfinite().all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Attention_that_is_looked_at_is_the_attention_that_is_computed_with(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var (ids, mask) = TinyBert.Batch();
        var seen = new Dictionary<int, Tensor>();

        var explicitly = trunk.Forward(ids, mask, new ForwardPass(OnAttention: seen.Add));

        Assert.InRange(Distance(explicitly, Hidden(trunk, ids, mask)), 0, 1e-5);
        Assert.Equal(Enumerable.Range(0, trunk.Config.Layers), seen.Keys.Order());
        foreach (var (layer, weights) in seen)
        {
            Assert.Equal([3, trunk.Config.HeadsOf(layer), 12, 12], weights.shape);
            Assert.InRange(Distance(weights.sum(-1), ones(3, trunk.Config.HeadsOf(layer), 12)), 0, 1e-5);
            Assert.Equal(0, (weights * (1 - mask).view(3, 1, 1, 12)).abs().max().item<float>());
            if (trunk.Config.IsCausal) Assert.Equal(0, weights.triu(1).abs().max().item<float>());
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void In_bf16_a_model_stays_near_itself_in_fp32(string family)
    {
        using var scope = NewDisposeScope();
        using var exact = TinyFamily.Trunk(family);
        using var half = TinyFamily.Trunk(family, ScalarType.BFloat16);
        var (ids, mask) = TinyBert.Batch();
        var hidden = half.Forward(ids, mask, ForwardPass.Plain);

        Assert.Equal(ScalarType.BFloat16, hidden.dtype);
        var distance = (hidden.to(ScalarType.Float32) - Hidden(exact, ids, mask)).abs();
        Assert.InRange(distance.mean().item<float>(), 1e-6, 0.05);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_are_those_of_finite_differences(string family)
    {
        using var scope = NewDisposeScope();
        var config = TinyFamily.Config(family);
        var weights = TinyFamily.Tensors(family).ToDictionary(pair => pair.Key, pair => pair.Value.to(ScalarType.Float64).requires_grad_(true));
        using var random = new RandomStream(5, CPU);
        var directions = weights.ToDictionary(pair => pair.Key, pair => random.Normal(1, pair.Value.shape).to(ScalarType.Float64));
        var looked = random.Normal(1, 3, 12, config.HiddenSize).to(ScalarType.Float64);
        var (ids, mask) = TinyBert.Batch();
        Tensor Loss(IReadOnlyDictionary<string, Tensor> at) => (config.Build(at, ownsWeights: false).Forward(ids, mask, ForwardPass.Plain) * looked).sum();

        var gradients = autograd.grad([Loss(weights)], [.. weights.Values]);
        foreach (var ((name, direction), gradient) in directions.Zip(gradients))
        {
            const double Step = 1e-5;
            double At(double step)
            {
                using var _ = no_grad();
                return Loss(weights.ToDictionary(pair => pair.Key, pair => pair.Key == name ? pair.Value + (direction * step) : pair.Value)).item<double>();
            }

            var slope = (At(Step) - At(-Step)) / (2 * Step);
            Assert.True(Math.Abs(slope - (gradient * direction).sum().item<double>()) < 1e-5 * Math.Max(1, Math.Abs(slope)), $"{name}: {slope}");
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Adapters_of_every_linear_change_nothing_while_B_is_zero(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var (ids, mask) = TinyBert.Batch();
        foreach (var dora in new[] { false, true })
        {
            using var adapter = Adapter(family, trunk, dora);
            Assert.Equal(trunk.Linears.Count, adapter.Targets.Count);
            Assert.InRange(Distance(Hidden(trunk, ids, mask), trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)))), 0, 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void An_adapted_model_is_the_one_of_the_weights_with_the_product_added(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        using var adapter = Trained(Adapter(family, trunk, dora: false));
        var (ids, mask) = TinyBert.Batch();
        var parts = adapter.Parameters.Copy();
        // W + (alpha / r) · B·A, by hand.
        var merged = adapter.Targets.ToDictionary(
            linear => linear.Name + ".weight",
            linear => trunk.WeightOf(linear.Name) + (matmul(parts[linear.Name + ".lora_B.weight"], parts[linear.Name + ".lora_A.weight"]) * (6.0 / 3)));

        var adapted = trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)));

        Assert.InRange(Distance(adapted, Hidden(trunk.With(merged), ids, mask)), 0, 1e-4);
        Assert.InRange(Distance(adapted, Hidden(trunk, ids, mask)), 1e-2, 1e3);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void An_adapter_is_saved_under_PEFTs_names_and_comes_back_the_same(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var (ids, mask) = TinyBert.Batch();
        foreach (var dora in new[] { false, true })
        {
            using var adapter = Trained(Adapter(family, trunk, dora));
            var folder = Directory.CreateTempSubdirectory("ssti peft ").FullName;
            using (var saved = PeftAdapter.From(adapter, null)) saved.Write(folder);
            using var read = PeftAdapter.Read(folder);
            Directory.Delete(folder, recursive: true);
            using var back = read.On(trunk);

            string[] parts = [".lora_A.weight", ".lora_B.weight", .. dora ? new[] { ".lora_magnitude_vector" } : []];
            Assert.Equal(
                trunk.Linears.SelectMany(linear => parts.Select(part => $"base_model.model.{linear.Name}{part}")).Order(StringComparer.Ordinal),
                read.Tensors.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(0, Distance(
                trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32))),
                trunk.Forward(ids, mask, new ForwardPass(Adapters: back.Begin(ScalarType.Float32)))));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_config_json_comes_back_the_same(string family)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, TinyFamily.Config(family).ToJson());
        var read = TrunkConfig.Read(path);
        File.Delete(path);

        Assert.Equal(TinyFamily.Config(family), read);
        Assert.Equal(TinyFamily.Config(family).ToJson(), read.ToJson());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Tensors_that_are_missing_unexpected_of_another_shape_or_no_numbers_of_floating_point_are_refused_by_name(string family)
    {
        using var scope = NewDisposeScope();
        var config = TinyFamily.Config(family);
        string[] names = [.. config.Tensors().Select(tensor => tensor.Name)];
        string Refusal(Action<Dictionary<string, Tensor>> change)
        {
            var tensors = TinyFamily.Tensors(family).ToDictionary();
            change(tensors);
            return Assert.Throws<ModelException>(() => Weights.Encoder(config, tensors, CPU, ScalarType.Float32)).Message;
        }

        foreach (var name in names) Assert.Contains($"missing: {name}", Refusal(tensors => tensors.Remove(name)));
        foreach (var name in names) Assert.Contains($"wrong shape: {name}", Refusal(tensors => tensors[name] = zeros(3)));
        var extra = names.First(name => name.Contains(".1.")).Replace(".1.", ".2.");
        Assert.Contains($"unexpected: {extra}", Refusal(tensors => tensors.Add(extra, zeros(3))));
        Assert.Contains($"missing: {config.Words}", Refusal(tensors =>
        {
            foreach (var name in names) tensors.Remove(name);
            foreach (var other in Enumerable.Range(0, 5)) tensors.Add($"other.{other}", zeros(1));
        }));

        var folder = Directory.CreateTempSubdirectory("ssti dtype ").FullName;
        var stored = TinyFamily.Tensors(family).ToDictionary();
        stored[names[1]] = stored[names[1]].to(ScalarType.Int8);
        SafetensorsFile.Write(Path.Combine(folder, ModelWeights.Whole), stored);
        var message = Assert.Throws<ModelException>(() => EncoderTensors.In(config, ModelWeights.Open(folder, "mine"))).Message;
        Directory.Delete(folder, recursive: true);
        Assert.Contains($"'{names[1]}' is I8", message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_trunk_is_found_behind_the_prefix_of_its_familys_other_classes(string family)
    {
        using var scope = NewDisposeScope();
        var (prefix, beside) = family switch
        {
            "bert" => ("bert.", "classifier.weight"), "distilbert" => ("distilbert.", "pre_classifier.weight"), "openelm" => ("transformer.", "lm_head.weight"),
            _ => ("model.", "lm_head.weight"),
        };
        var plain = TinyFamily.Tensors(family);
        var stored = plain.ToDictionary(pair => prefix + pair.Key, pair => pair.Value);
        stored.Add(beside, zeros(50, 16));

        var taken = Weights.Encoder(TinyFamily.Config(family), stored, CPU, ScalarType.Float32);

        foreach (var (name, tensor) in plain) Assert.True(tensor.equal(taken[name]).all().item<bool>(), name);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void An_input_longer_than_the_model_reads_is_refused_with_the_limit(string family)
    {
        using var trunk = TinyFamily.Trunk(family);
        using var ids = zeros(1, 13, ScalarType.Int64);

        Assert.Contains("at most 12", Assert.Throws<ModelException>(() => trunk.Forward(ids, ids, ForwardPass.Plain)).Message);
    }

    private static LoraAdapter Adapter(string family, Trunk trunk, bool dora)
    {
        using var random = new RandomStream(3, CPU);
        return LoraAdapter.Create(new LoraConfig(3, 6, 0, TinyFamily.AllLinears(family), dora), trunk, random);
    }

    private static LoraAdapter Trained(LoraAdapter adapter)
    {
        using var random = new RandomStream(4, CPU);
        using var _ = no_grad();
        foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(0.1, master.shape));
        return adapter;
    }

    private static Tensor Hidden(Trunk trunk, Tensor ids, Tensor? mask = null) => trunk.Forward(ids, mask ?? ones_like(ids), ForwardPass.Plain);

    private static float Distance(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
