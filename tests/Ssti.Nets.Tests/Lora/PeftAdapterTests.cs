using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Lora;

public sealed class PeftAdapterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti peft ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData("adapters/lora-distilbert-imdb", 8)]
    [InlineData("adapters/lora-distilbert-emotion", 8)]
    [InlineData("adapters/lora-movies", 8)]
    [InlineData("golden", 4)]
    public void Adapters_of_PEFT_are_read_and_written_back_byte_equal(string name, int rank)
    {
        var source = SharedData.Path(name);
        using var adapter = PeftAdapter.Read(source);

        adapter.Write(_folder);

        Assert.Equal(rank, adapter.Settings().Rank);
        Assert.Equal(File.ReadAllBytes(Path.Combine(source, PeftAdapter.TensorFile)), File.ReadAllBytes(Path.Combine(_folder, PeftAdapter.TensorFile)));
        // One of the real adapters was saved on Windows: only its line ends differ.
        Assert.Equal(
            File.ReadAllText(Path.Combine(source, PeftAdapter.ConfigFile)).ReplaceLineEndings("\n"),
            File.ReadAllText(Path.Combine(_folder, PeftAdapter.ConfigFile)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_adapter_saved_here_computes_the_same_when_read_again(bool dora)
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0.05, ["dense"], dora), trunk, random);
        using (no_grad())
            foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(0.1, master.shape));

        PeftAdapter.From(adapter, "some/base", "bert.").Write(_folder);
        using var saved = PeftAdapter.Read(_folder);
        using var again = saved.On(trunk);

        Assert.Contains("base_model.model.bert.encoder.layer.1.output.dense.lora_A.weight", saved.Tensors.Keys);
        Assert.Equal(dora, saved.Tensors.Keys.Any(key => key.EndsWith("dense.lora_magnitude_vector", StringComparison.Ordinal)));
        Assert.Equal(8, (long)saved.Config["lora_alpha"]!);
        Assert.Equal(
            (adapter.Config.Rank, adapter.Config.Alpha, adapter.Config.Dropout, dora),
            (again.Config.Rank, again.Config.Alpha, again.Config.Dropout, again.Config.UseDora));
        var (ids, mask) = TinyBert.Batch();
        Assert.True(trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)))
            .equal(trunk.Forward(ids, mask, new ForwardPass(Adapters: again.Begin(ScalarType.Float32)))).all().item<bool>());
    }

    [Theory]
    [InlineData("bias", "\"some\"", "bias is 'some', and must be none, all or lora_only")]
    [InlineData("use_rslora", "1", "use_rslora is 1, and must be true or false")]
    [InlineData("rank_pattern", """{"module":0}""", "rank_pattern of 'module' is 0")]
    [InlineData("target_modules", "null", "target_modules must be a list")]
    [InlineData("target_modules", "\"(\"", "cannot be read")]
    [InlineData("init_lora_weights", "\"pissa\"", "init_lora_weights is pissa")]
    [InlineData("init_lora_weights", "\"pissa_niter_16\"", "init_lora_weights is pissa_niter_16")]
    [InlineData("init_lora_weights", "\"olora\"", "init_lora_weights is olora")]
    [InlineData("init_lora_weights", "\"loftq\"", "init_lora_weights is loftq")]
    [InlineData("init_lora_weights", "\"corda\"", "init_lora_weights is corda")]
    [InlineData("lora_alpha", "0", "lora_alpha is 0, and must be more than 0")]
    [InlineData("r", "2.5", "r is 2.5, and must be a whole number")]
    [InlineData("r", "1e12", "r is 1000000000000, and must be a whole number")]
    [InlineData("task_type", "3", "cannot be read")]
    [InlineData("modules_to_save", "\"classifier\"", "modules_to_save is \"classifier\", and must be a list of names")]
    [InlineData("fan_in_fan_out", "true", "fan_in_fan_out is true")]
    [InlineData("lora_bias", "true", "lora_bias is true")]
    [InlineData("trainable_token_indices", "[1]", "trainable_token_indices is [1]")]
    [InlineData("kasa_config", """{"beta":1}""", "kasa_config is")]
    [InlineData("not_known_yet", "3", "not_known_yet is 3, which is not offered here")]
    [InlineData("peft_type", "\"IA3\"", "peft_type is 'IA3'")]
    [InlineData("r", null, "has no 'r'")]
    public void Settings_that_would_change_the_arithmetic_are_refused(string key, string? value, string expected)
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var peft = PeftAdapter.From(adapter, null);
        peft.Config[key] = value is null ? null : JsonNode.Parse(value);

        Assert.Contains(expected, Assert.Throws<ModelException>(peft.Settings).Message);
    }

    // The last is harmless but for the time that it would take: it tries every way to part a name.
    [Theory]
    [InlineData("layers_to_transform", "\"0\"", "cannot be read")]
    [InlineData("layers_to_transform", "[0]", "(layer", "cannot be read")]
    [InlineData("rank_pattern", """{"(dense":2}""", "cannot be read")]
    [InlineData("target_modules", "\"(([a-z.0-9]+)+)+!|.*dense\"", "takes too long to match")]
    public void What_only_shows_on_a_module_is_refused_as_well(string key, string value, string more, string? expected = null)
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var peft = PeftAdapter.From(adapter, null);
        peft.Config[key] = JsonNode.Parse(value);
        if (expected is not null) peft.Config["layers_pattern"] = more;

        Assert.Contains($"{PeftAdapter.ConfigFile}: ", Assert.Throws<ModelException>(() => peft.On(trunk)).Message);
        Assert.Contains(expected ?? more, Assert.Throws<ModelException>(() => peft.On(trunk)).Message);
    }

    [Theory]
    [InlineData("target_modules", "\".*(?P<last>dense)\"")]
    [InlineData("init_lora_weights", "\"eva\"")]
    [InlineData("init_lora_weights", "\"orthogonal\"")]
    [InlineData("eva_config", """{"rho":2.0}""")]
    [InlineData("corda_config", "null")]
    [InlineData("use_qalora", "false")]
    public void Settings_that_leave_the_arithmetic_alone_are_taken(string key, string value)
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var peft = PeftAdapter.From(adapter, null);
        peft.Config[key] = JsonNode.Parse(value);
        using var again = peft.On(trunk);
        Assert.Equal(adapter.Targets, again.Targets);
    }

    [Fact]
    public void An_adapter_of_another_structure_or_with_tensors_missing_is_refused_by_name()
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var peft = PeftAdapter.From(adapter, null, "bert.");
        var other = peft with { Tensors = peft.Tensors.ToDictionary(pair => pair.Key.Replace("bert.encoder.layer", "distilbert.transformer.layer"), pair => pair.Value) };
        Assert.Contains("base_model.model.distilbert.transformer", Assert.Throws<ModelException>(() => other.On(trunk)).Message);

        var fewer = peft with { Tensors = peft.Tensors.Skip(1).ToDictionary() };
        Assert.Contains("missing: ", Assert.Throws<ModelException>(() => fewer.On(trunk)).Message);

        var more = peft with { Tensors = peft.Tensors.Append(new("base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight", zeros(4, 16))).ToDictionary() };
        Assert.Contains("unexpected: encoder.layer.0.attention.self.query.lora_A.weight", Assert.Throws<ModelException>(() => more.On(trunk)).Message);

        var replaces = peft with { Tensors = peft.Tensors.Append(new("base_model.model.bert.embeddings.word_embeddings.weight", zeros(50, 16))).ToDictionary() };
        Assert.Contains("replaces 'bert.embeddings.word_embeddings.weight'", Assert.Throws<ModelException>(() => replaces.On(trunk)).Message);

        var wider = peft with { Config = (JsonObject)peft.Config.DeepClone() };
        wider.Config["r"] = 8;
        Assert.Contains("wrong shape: encoder.layer.0", Assert.Throws<ModelException>(() => wider.On(trunk)).Message);
    }

    [Theory]
    [InlineData("\"all-linear\"", 12)]
    [InlineData("[\"query\", \"value\"]", 4)]
    [InlineData("\".*attention.*(query|key)\"", 4)]
    [InlineData("\"bert\\\\.encoder\\\\.layer\\\\.1\\\\..*dense\"", 3)]
    [InlineData("\".*quer\"", 0)]
    public void Targets_are_matched_as_PEFT_matches_them(string targets, int count)
    {
        using var trunk = TinyBert.Trunk();
        var settings = Settings($$"""{"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":{{targets}}}""");
        Assert.Equal(count, trunk.Linears.Count(linear => settings.Targets("bert." + linear.Name)));
    }

    [Theory]
    [InlineData("\"exclude_modules\":[\"layer.0.output.dense\"]", 5)]
    [InlineData("\"exclude_modules\":\".*layer.1.*\"", 3)]
    [InlineData("\"layers_to_transform\":1", 3)]
    [InlineData("\"layers_to_transform\":[0,1],\"layers_pattern\":\"layer\"", 6)]
    [InlineData("\"layers_to_transform\":[0],\"layers_pattern\":[\"block\"]", 0)]
    public void Layers_and_exceptions_narrow_the_targets(string more, int count)
    {
        using var trunk = TinyBert.Trunk();
        var settings = Settings($$"""{"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":["dense"],{{more}}}""");
        Assert.Equal(count, trunk.Linears.Count(linear => settings.Targets("bert." + linear.Name)));
    }

    [Fact]
    public void Ranks_and_scales_follow_patterns_and_rslora()
    {
        var plain = Settings(
            """
            {"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["dense"],
             "rank_pattern":{"^bert.encoder.layer.0.output.dense":2,"output.dense":16},"alpha_pattern":{"layer.\\d+.output.dense":32}}
            """);
        Assert.Equal(new LoraScale(2, 16), plain.Of("bert.encoder.layer.0.output.dense"));
        Assert.Equal(new LoraScale(16, 2), plain.Of("bert.encoder.layer.1.output.dense"));
        Assert.Equal(new LoraScale(16, 0.5), plain.Of("bert.encoder.layer.1.attention.output.dense"));
        Assert.Equal(new LoraScale(4, 2), plain.Of("bert.encoder.layer.1.intermediate.dense"));
        Assert.Equal(new LoraScale(4, 4), Settings("""{"peft_type":"LORA","r":4,"lora_alpha":8,"target_modules":["dense"],"use_rslora":true}""").Of("x"));
    }

    [Fact]
    public void An_adapter_with_ranks_of_their_own_adds_what_its_matrices_say()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var (name, rank) in new[] { ("encoder.layer.0.attention.self.query", 2), ("encoder.layer.1.attention.self.query", 3) })
        {
            tensors[$"base_model.model.bert.{name}.lora_A.weight"] = random.Normal(0.3, rank, 16);
            tensors[$"base_model.model.bert.{name}.lora_B.weight"] = random.Normal(0.3, 16, rank);
        }

        // A head and an adapted pooler beside: neither is the trunk's.
        tensors["base_model.model.classifier.weight"] = zeros(2, 16);
        tensors["base_model.model.bert.pooler.dense.lora_A.weight"] = zeros(3, 16);
        tensors["base_model.model.bert.pooler.dense.lora_B.weight"] = zeros(16, 3);
        var config = JsonNode.Parse(
            """
            {"peft_type":"LORA","r":3,"lora_alpha":6,"use_rslora":true,"target_modules":"all-linear",
             "exclude_modules":".*(key|value|layer.*dense)","rank_pattern":{"layer.0.attention.self.query":2},"modules_to_save":["classifier"]}
            """)!.AsObject();
        using var peft = new PeftAdapter(config, tensors, new Dictionary<string, string>());

        using var adapter = peft.On(trunk);

        var contents = PeftContents.Of(peft, trunk);
        Assert.Equal("bert.pooler.dense", Assert.Single(contents.Skipped));
        Assert.Equal("classifier.weight", Assert.Single(contents.Saved).Key);
        using var merged = Merged(trunk, tensors, ("encoder.layer.0.attention.self.query", 6 / Math.Sqrt(2)), ("encoder.layer.1.attention.self.query", 6 / Math.Sqrt(3)));
        var (ids, mask) = TinyBert.Batch();
        var expected = merged.Forward(ids, mask, ForwardPass.Plain);
        var actual = trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)));
        Assert.InRange((expected - actual).abs().max().item<float>(), 0, 1e-4f);
        Assert.True((expected - trunk.Forward(ids, mask, ForwardPass.Plain)).abs().max().item<float>() > 1e-2f);
    }

    [Fact]
    public void A_head_is_saved_under_names_that_PEFT_loads_with_the_adapter()
    {
        using var scope = NewDisposeScope();
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var head = ClassifierHead.Create(16, 2, random, CPU);
        using var peft = PeftAdapter.From(adapter, null, head: head);
        Assert.Equal(
            ["base_model.model.classifier.bias", "base_model.model.classifier.weight"], peft.Tensors.Keys.Where(name => !name.Contains(".lora_")).Order(StringComparer.Ordinal));
        Assert.Contains("base_model.model.encoder.layer.0.output.dense.lora_A.weight", peft.Tensors.Keys);
        Assert.Equal(
            ("""["classifier"]""", "\"SEQ_CLS\"", null),
            (peft.Config["modules_to_save"]!.ToJsonString(), peft.Config["task_type"]!.ToJsonString(), peft.Config["base_model_name_or_path"]));
        using var again = peft.On(trunk);
        Assert.Equal(6, again.Targets.Count);
    }

    private static PeftSettings Settings(string json) => PeftSettings.Read(JsonNode.Parse(json)!.AsObject());

    private static BertTrunk Merged(BertTrunk trunk, Dictionary<string, Tensor> tensors, params (string Linear, double Scaling)[] changes)
    {
        using var random = new RandomStream(1, CPU);
        var weights = Weights.Initial(TinyBert.Config.Tensors(), random, 0.2).ToDictionary();
        foreach (var (linear, scaling) in changes)
        {
            var product = matmul(tensors[$"base_model.model.bert.{linear}.lora_B.weight"], tensors[$"base_model.model.bert.{linear}.lora_A.weight"]);
            weights[$"{linear}.weight"] = trunk.WeightOf(linear) + product * scaling;
        }

        return new BertTrunk(TinyBert.Config, Weights.Encoder(TinyBert.Config, weights, CPU, ScalarType.Float32));
    }

    [Fact]
    public void A_folder_that_is_no_adapter_is_named()
    {
        Assert.Contains(_folder, Assert.Throws<ModelException>(() => PeftAdapter.Read(_folder)).Message);

        File.WriteAllText(Path.Combine(_folder, PeftAdapter.ConfigFile), "{ \"r\": 4, ");
        Assert.Contains("adapter_config.json", Assert.Throws<ModelException>(() => PeftAdapter.Read(_folder)).Message);

        File.WriteAllText(Path.Combine(_folder, PeftAdapter.ConfigFile), "{}");
        Assert.Contains("adapter_model.safetensors", Assert.Throws<SafetensorsException>(() => PeftAdapter.Read(_folder)).Message);
    }
}
