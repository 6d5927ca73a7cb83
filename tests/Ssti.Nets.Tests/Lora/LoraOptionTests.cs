using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Tests.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Lora;

/// <summary>What PEFT's LoraConfig can ask for, on every family.</summary>
public sealed class LoraOptionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti lora ").FullName;

    public static TheoryData<string> Families => TinyFamily.All;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Families))]
    public void All_linear_is_every_linear_and_is_saved_by_their_names(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        using var adapter = Create(trunk, new LoraConfig(2, 4, 0, ["all-linear"]));
        using var peft = PeftAdapter.From(adapter, null);

        Assert.Equal(trunk.Linears, adapter.Targets);
        Assert.Equal(trunk.Linears.Select(linear => linear.Name), peft.Config["target_modules"]!.AsArray().Select(name => (string)name!));
        Assert.Empty(adapter.Config.Unmatched(trunk.Linears));
        Same(trunk, adapter, peft);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_pattern_is_of_the_whole_name_and_is_saved_as_it_is(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        using var adapter = Create(trunk, new LoraConfig(2, 4, 0, []) { TargetPattern = @".*\.1\..*(?P<last>[a-z0-9]+)" });
        using var peft = PeftAdapter.From(adapter, null);

        Assert.Equal(trunk.Linears.Where(linear => linear.Name.Contains(".1.")), adapter.Targets);
        Assert.Equal(@".*\.1\..*(?P<last>[a-z0-9]+)", (string)peft.Config["target_modules"]!);
        Same(trunk, adapter, peft);
        Assert.Contains("no linear of the model matches '1'", Assert.Throws<ModelException>(() => Create(trunk, new LoraConfig(2, 4, 0, []) { TargetPattern = "1" })).Message);
        Assert.Contains("takes too long", Assert.Throws<ModelException>(
            () => Create(trunk, new LoraConfig(2, 4, 0, []) { TargetPattern = "(([a-z.0-9_]+)+)+!" })).Message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Ranks_and_alphas_of_their_own_and_rslora_scale_as_PEFT_does(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var last = trunk.Linears[^1].Name;
        using var adapter = Create(trunk, new LoraConfig(2, 4, 0, ["all-linear"])
        {
            RankPattern = [new(@"1\..*", 3), new(@".*", 1)], AlphaPattern = [new(last[(last.IndexOf(".1.", StringComparison.Ordinal) + 1)..], 6)], RankStabilized = true,
        });
        using var peft = PeftAdapter.From(adapter, null);

        Assert.Equal(new LoraScale(1, 4), adapter.Config.Of(trunk.Linears[0].Name));
        Assert.Equal(new LoraScale(3, 6 / Math.Sqrt(3)), adapter.Config.Of(last));
        Assert.Equal([1, trunk.Linears[0].In], peft.Tensors[$"base_model.model.{trunk.Linears[0].Name}.lora_A.weight"].shape);
        Assert.Equal("""{"1\\..*":3,".*":1}""", peft.Config["rank_pattern"]!.ToJsonString());
        Assert.True((bool)peft.Config["use_rslora"]!);
        using var again = Same(trunk, adapter, peft);

        // Read and saved once more: each linear keeps what is its own.
        using var twice = PeftAdapter.From(again, null);
        Same(trunk, adapter, twice).Dispose();
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Matrices_begin_as_PEFT_begins_them(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        foreach (var dora in new[] { false, true })
        {
            using var gaussian = Create(trunk, new LoraConfig(8, 8, 0, ["all-linear"], dora) { Start = LoraStart.Gaussian });
            using var random = Create(trunk, new LoraConfig(8, 8, 0, ["all-linear"], dora) { Start = LoraStart.Random });
            using var kaiming = Create(trunk, new LoraConfig(8, 8, 0, ["all-linear"], dora));

            Assert.InRange(Values(gaussian, "lora_A").std().item<float>(), 0.9 / 8, 1.1 / 8);
            Assert.True(Values(gaussian, "lora_A").abs().max().item<float>() > 0.3);
            Assert.Equal(0, Values(gaussian, "lora_B").abs().max().item<float>());
            Assert.Equal(0, Values(kaiming, "lora_B").abs().max().item<float>());
            Assert.InRange(Values(random, "lora_B").abs().max().item<float>(), 0.9 / Math.Sqrt(8), 1 / Math.Sqrt(8));
            foreach (var linear in trunk.Linears)
                Assert.InRange(kaiming.Parameters.Copy()[$"{linear.Name}.lora_A.weight"].abs().max().item<float>(), 0.8 / Math.Sqrt(linear.In), 1 / Math.Sqrt(linear.In));

            // DoRA's magnitudes are those of the weights as they start: then it is LoRA, whatever B.
            var (ids, mask) = TinyBert.Batch();
            Assert.InRange(Distance(Forward(trunk, gaussian), trunk.Forward(ids, mask, ForwardPass.Plain)), 0, 1e-5);
            Assert.InRange(Distance(Forward(trunk, random), trunk.Forward(ids, mask, ForwardPass.Plain)), 1e-2, 1e3);
            using var plain = Create(trunk, new LoraConfig(8, 8, 0, ["all-linear"]) { Start = LoraStart.Random });
            Assert.InRange(Distance(Forward(trunk, random), Forward(trunk, plain)), 0, 1e-4);
            using var peft = PeftAdapter.From(random, null);
            Assert.Equal("false", peft.Config["init_lora_weights"]!.ToJsonString());
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Modules_to_save_are_trained_whole_and_are_saved_under_their_own_names(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var (words, last) = (trunk.Config.Words[..^".weight".Length], trunk.Linears[^1]);
        var ending = words[(words.LastIndexOf('.') + 1)..];
        // The last linear as well: it then gets no adapter.
        using var adapter = Changed(Create(trunk, new LoraConfig(2, 4, 0, ["all-linear"]) { ModulesToSave = [ending, last.Name] }));
        using var peft = PeftAdapter.From(adapter, null, head: null);
        var parts = adapter.Parameters.Copy();

        Assert.DoesNotContain(last, adapter.Targets);
        Assert.Equal(trunk.Linears.Count - 1, adapter.Targets.Count);
        Assert.Contains($"base_model.model.{words}.weight", peft.Tensors.Keys);
        Assert.Contains($"base_model.model.{last.Name}.weight", peft.Tensors.Keys);
        Assert.Equal([ending, last.Name], peft.Config["modules_to_save"]!.AsArray().Select(name => (string)name!));
        using (var again = Same(trunk, adapter, peft)) Assert.Equal(adapter.Whole, again.Whole);

        var (ids, mask) = TinyBert.Batch();
        var merged = trunk.With(adapter.Targets.ToDictionary(linear => $"{linear.Name}.weight", linear =>
                trunk.WeightOf(linear.Name) + (matmul(parts[$"{linear.Name}.lora_B.weight"], parts[$"{linear.Name}.lora_A.weight"]) * 2))
            .Concat(adapter.Whole.Select(name => KeyValuePair.Create(name, parts[name]))).ToDictionary());
        Assert.InRange(Distance(merged.Forward(ids, mask, ForwardPass.Plain), Forward(trunk, adapter)), 0, 1e-4);

        var message = Assert.Throws<ModelException>(() => Create(trunk, new LoraConfig(2, 4, 0, ["all-linear"]) { ModulesToSave = ["wrods"] })).Message;
        Assert.Contains("'wrods'", message);
        Assert.Contains(ending, message);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Gradients_reach_whatever_is_trained_beside_the_matrices(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var words = trunk.Config.Words[..^".weight".Length];
        using var adapter = Changed(Create(trunk, new LoraConfig(2, 4, 0, ["all-linear"]) { ModulesToSave = [words], Bias = HasBiases(family) ? LoraBias.All : LoraBias.None }));
        var gradients = autograd.grad([Forward(trunk, adapter).square().sum()], [.. adapter.Parameters.Masters]);

        Assert.All(gradients, gradient => Assert.True(gradient.abs().max().item<float>() > 0));
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Biases_are_trained_and_saved_inside_of_adapted_linears_where_there_are_any(string family)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk(family);
        var target = trunk.Linears[1].Name;
        foreach (var bias in new[] { LoraBias.All, LoraBias.LoraOnly })
        {
            var config = new LoraConfig(2, 4, 0, [target]) { Bias = bias };
            if (!HasBiases(family))
            {
                Assert.Contains("no biases to train", Assert.Throws<ModelException>(() => Create(trunk, config)).Message);
                continue;
            }

            using var adapter = Changed(Create(trunk, config));
            using var peft = PeftAdapter.From(adapter, null);
            var names = trunk.Config.Tensors().Select(tensor => tensor.Name).Where(name => name.EndsWith(".bias") && (bias == LoraBias.All || name == $"{target}.bias"));

            Assert.Equal(names, adapter.Whole);
            Assert.Equal(bias == LoraBias.All ? "all" : "lora_only", (string)peft.Config["bias"]!);
            Assert.Contains($"base_model.model.{target}.base_layer.bias", peft.Tensors.Keys);
            Assert.DoesNotContain($"base_model.model.{target}.bias", peft.Tensors.Keys);
            Same(trunk, adapter, peft).Dispose();

            var without = peft with { Tensors = peft.Tensors.Where(pair => !pair.Key.EndsWith($"{target}.base_layer.bias")).ToDictionary() };
            var twice = peft with { Tensors = peft.Tensors.Append(new($"base_model.model.{target}.bias", zeros(16))).ToDictionary() };
            Assert.Contains($"holds '{target}.bias' twice", Assert.Throws<ModelException>(() => twice.On(trunk)).Message);
            Assert.Contains($"missing: {target}.bias", Assert.Throws<ModelException>(() => without.On(trunk)).Message);
        }
    }

    [Fact]
    public void What_PEFT_stores_of_a_saved_head_beside_biases_is_read_over()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyFamily.Trunk("bert");
        using var adapter = Changed(Create(trunk, new LoraConfig(2, 4, 0, ["dense"]) { Bias = LoraBias.All }));
        using var peft = PeftAdapter.From(adapter, null, "bert.");
        // bias: all takes every name that ends so, those of the wrappers of the head and of a pooler included.
        var more = peft with
        {
            Tensors = peft.Tensors.Concat(new Dictionary<string, Tensor>
            {
                ["base_model.model.classifier.weight"] = zeros(2, 16), ["base_model.model.classifier.bias"] = zeros(2),
                ["base_model.model.classifier.original_module.bias"] = zeros(2), ["base_model.model.classifier.modules_to_save.bias"] = zeros(2),
                ["base_model.model.bert.pooler.dense.base_layer.bias"] = ones(16),
            }).ToDictionary(),
        };
        more.Config["modules_to_save"] = new JsonArray("classifier");
        using var again = more.On(trunk);
        var contents = PeftContents.Of(more, trunk);

        Assert.Equal(0, Distance(Forward(trunk, adapter), Forward(trunk, again)));
        Assert.Equal(["bert.pooler.dense.bias", "classifier.bias", "classifier.weight"], contents.Saved.Keys.Order(StringComparer.Ordinal));
        var (weight, bias) = contents.Pooler(ones(16, 16), zeros(16))!.Value;
        Assert.Equal((1f, 1f), (weight.mean().item<float>(), bias.mean().item<float>()));
    }

    private static bool HasBiases(string family) => TinyFamily.Config(family).Tensors().Any(tensor => tensor.Name.EndsWith(".bias", StringComparison.Ordinal));

    private LoraAdapter Same(Trunk trunk, LoraAdapter adapter, PeftAdapter peft)
    {
        peft.Write(_folder);
        using var read = PeftAdapter.Read(_folder);
        var again = read.On(trunk);
        var changed = Distance(Forward(trunk, adapter), Forward(trunk, again));
        Assert.Equal(0, changed);
        return again;
    }

    private static LoraAdapter Create(Trunk trunk, LoraConfig config)
    {
        using var random = new RandomStream(3, CPU);
        return Changed(LoraAdapter.Create(config, trunk, random), 0);
    }

    private static LoraAdapter Changed(LoraAdapter adapter, double deviation = 0.1)
    {
        using var random = new RandomStream(4, CPU);
        using var _ = no_grad();
        foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(deviation, master.shape));
        return adapter;
    }

    private static Tensor Values(LoraAdapter adapter, string part) =>
        cat([.. adapter.Parameters.Copy().Where(pair => pair.Key.Contains(part)).Select(pair => pair.Value.reshape(-1))], 0);

    private static Tensor Forward(Trunk trunk, LoraAdapter adapter)
    {
        var (ids, mask) = TinyBert.Batch();
        return trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)));
    }

    private static float Distance(Tensor a, Tensor b) => (a - b).abs().max().item<float>();
}
