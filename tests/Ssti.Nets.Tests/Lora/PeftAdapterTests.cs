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
        using var again = saved.On(trunk, "bert.");

        Assert.Contains("base_model.model.bert.encoder.layer.1.output.dense.lora_A.weight", saved.Tensors.Keys);
        Assert.Equal(dora, saved.Tensors.Keys.Any(key => key.EndsWith("dense.lora_magnitude_vector", StringComparison.Ordinal)));
        Assert.Equal(8, (long)saved.Config["lora_alpha"]!);
        Assert.Equal((adapter.Config.Rank, adapter.Config.Alpha, adapter.Config.Dropout, dora), (again.Config.Rank, again.Config.Alpha, again.Config.Dropout, again.Config.UseDora));
        var (ids, mask) = TinyBert.Batch();
        Assert.True(trunk.Forward(ids, mask, new ForwardPass(Adapters: adapter.Begin(ScalarType.Float32)))
            .equal(trunk.Forward(ids, mask, new ForwardPass(Adapters: again.Begin(ScalarType.Float32)))).all().item<bool>());
    }

    [Theory]
    [InlineData("bias", "\"all\"", "bias is 'all'")]
    [InlineData("use_rslora", "true", "use_rslora is true")]
    [InlineData("rank_pattern", """{"query":2}""", "rank_pattern")]
    [InlineData("target_modules", "\".*dense\"", "target_modules must be a list")]
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

    [Fact]
    public void An_adapter_of_another_structure_or_with_tensors_missing_is_refused_by_name()
    {
        using var trunk = TinyBert.Trunk();
        using var random = new RandomStream(3, CPU);
        using var adapter = LoraAdapter.Create(new LoraConfig(4, 8, 0, ["dense"]), trunk, random);
        using var peft = PeftAdapter.From(adapter, null, "bert.");
        Assert.Contains("base_model.model.distil.", Assert.Throws<ModelException>(() => peft.On(trunk, "distil.")).Message);

        var fewer = peft with { Tensors = peft.Tensors.Skip(1).ToDictionary() };
        Assert.Contains("missing: ", Assert.Throws<ModelException>(() => fewer.On(trunk, "bert.")).Message);
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
