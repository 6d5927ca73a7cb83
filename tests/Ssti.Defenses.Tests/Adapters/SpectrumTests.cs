using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Tests;
using TorchSharp;

namespace Ssti.Defenses.Tests.Adapters;

public sealed class SpectrumTests
{
    private static readonly JsonArray Golden =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests/Ssti.Defenses.Tests/Adapters/spectrum.json")))!.AsArray();

    public static TheoryData<string> Cases() => [.. Golden.Select(one => (string)one!["name"]!)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Numbers_of_a_module_are_those_of_numpy_and_scipy(string name)
    {
        var golden = Golden.Single(one => (string)one!["name"]! == name)!;
        var (a, b) = (Matrix(golden["a"]!), Matrix(golden["b"]!));
        using var peft = AdapterFiles.Peft((double)golden["scaling"]! * a.GetLength(0), ("x.dense", a, b));
        var module = Of(peft).Modules.Single();
        Near((double)golden["size"]!, module.Size);
        Near((double)golden["leading"]!, module.Leading);
        Near((double)golden["concentration"]!, module.Concentration);
        Near((double)golden["entropy"]!, module.Entropy);
        Near((double)golden["kurtosis"]!, module.Kurtosis);
        var values = golden["values"]!.AsArray().Select(value => (double)value!).ToArray();
        Assert.Equal(values.Length, module.Values.Count);
        Assert.All(values.Zip(module.Values), pair => Assert.Equal(pair.First, pair.Second, 1e-9 * values[0]));

        static void Near(double expected, double? found) => Assert.Equal(expected, found!.Value, 1e-10 * Math.Max(1, Math.Abs(expected)));
    }

    [Fact]
    public void Without_a_B_there_is_no_number_but_a_size_of_zero()
    {
        using var peft = AdapterFiles.Peft(4, ("x.dense", AdapterFiles.Normal(1, 4, 6), new double[5, 4]), ("y.dense", AdapterFiles.Normal(2, 4, 6), new double[5, 4]));
        var spectrum = Of(peft);
        Assert.True(spectrum.IsZero);
        Assert.All(spectrum.Modules, module => Assert.Equal((0, 0, null, null, null), (module.Size, module.Leading, module.Concentration, module.Entropy, module.Kurtosis)));
        // Sizes and leading values are zeros; of what has no value there is no mean.
        Assert.Equal([0, 0, 0, 0, null, null, null, null, null, null], spectrum.Features);
    }

    [Fact]
    public void One_direction_has_all_the_energy_of_rank_1()
    {
        using var peft = AdapterFiles.Peft(1, ("x.dense", AdapterFiles.Normal(1, 1, 6), AdapterFiles.Normal(2, 5, 1)));
        var module = Of(peft).Modules.Single();
        Assert.Equal((1.0, 0.0), (module.Concentration, module.Entropy));
        Assert.Null(Of(peft).Features[1]);
    }

    [Fact]
    public void Entries_that_are_all_equal_have_no_kurtosis()
    {
        using var peft = AdapterFiles.Peft(1, ("x.dense", new double[,] { { 1, 1, 1 } }, new double[,] { { 2 }, { 2 } }));
        var module = Of(peft).Modules.Single();
        Assert.Null(module.Kurtosis);
        Assert.Equal(2, module.Size, 12);
    }

    [Fact]
    public void A_scaling_moves_sizes_and_nothing_else_and_a_change_of_basis_moves_nothing()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var (a, b) = (AdapterFiles.Normal(seed, 3, 9), AdapterFiles.Normal(seed + 100, 7, 3));
            using var one = AdapterFiles.Peft(3, ("x.dense", a, b));
            using var scaled = AdapterFiles.Peft(6, ("x.dense", a, b));
            // (B·R)·(R⁻¹·A) with a shear R: the same product of other matrices.
            double[,] sheared = (double[,])a.Clone(), shearing = (double[,])b.Clone();
            for (var j = 0; j < 9; j++) sheared[0, j] -= 2 * a[1, j];
            for (var i = 0; i < 7; i++) shearing[i, 1] += 2 * b[i, 0];
            using var other = AdapterFiles.Peft(3, ("x.dense", sheared, shearing));
            var (first, second, third) = (Of(one).Modules[0], Of(scaled).Modules[0], Of(other).Modules[0]);
            Assert.Equal(2 * first.Size, second.Size, 1e-9);
            Assert.Equal(2 * first.Leading, second.Leading, 1e-9);
            Assert.Equal(first.Concentration!.Value, second.Concentration!.Value, 1e-9);
            Assert.Equal(first.Kurtosis!.Value, second.Kurtosis!.Value, 1e-9);
            // Its floats were rounded anew.
            Assert.Equal(first.Size, third.Size, 1e-5);
            Assert.Equal(first.Entropy!.Value, third.Entropy!.Value, 1e-5);
            Assert.Equal(first.Kurtosis.Value, third.Kurtosis!.Value, 1e-4);
            Assert.InRange(first.Entropy.Value, 0, Math.Log2(3) + 1e-12);
            Assert.InRange(first.Concentration.Value, 1.0 / 3, 1);
        }
    }

    [Fact]
    public void Settings_say_the_scale_of_a_module()
    {
        var (a, b) = (AdapterFiles.Normal(1, 4, 6), AdapterFiles.Normal(2, 5, 4));
        using var plain = AdapterFiles.Peft(8, ("x.dense", a, b));
        using var rooted = AdapterFiles.Peft(8, config => config["use_rslora"] = true, ("x.dense", a, b));
        using var own = AdapterFiles.Peft(8, config => config["alpha_pattern"] = new JsonObject { ["x.dense"] = 16 }, ("x.dense", a, b));
        var size = Of(plain).Modules[0].Size;
        Assert.Equal(2 * size, Of(rooted).Modules[0].Size, 1e-9);
        Assert.Equal(2 * size, Of(own).Modules[0].Size, 1e-9);
    }

    public static TheoryData<string, string> Damages() => new()
    {
        { "no B", "has no B beside it" }, { "no A", "has no A beside it" }, { "none", "holds no LoRA matrices" },
        { "rank", "wants [3, in]" }, { "three dimensions", "wants [2, in]" },
        { "infinite", "no finite number" }, { "whole numbers", "weights must be" }, { "embedding", "LoRA of an embedding" }, { "other kind", "only 'LORA' can be used" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_adapter_is_refused_by_what_is_wrong(string damage, string message)
    {
        const string name = "base_model.model.x.dense.lora_A.weight", other = "base_model.model.x.dense.lora_B.weight";
        var a = AdapterFiles.Normal(1, 2, 6);
        if (damage == "infinite") a[1, 3] = double.NaN;
        using var peft = AdapterFiles.Peft(2, ("x.dense", a, AdapterFiles.Normal(2, 5, 2)));
        var tensors = (Dictionary<string, torch.Tensor>)peft.Tensors;
        if (damage is "no B" or "none") tensors.Remove(other);
        if (damage is "no A" or "none") tensors.Remove(name);
        if (damage == "rank") peft.Config["r"] = 3;
        if (damage == "three dimensions") tensors[name] = tensors[name].reshape(2, 3, 2);
        if (damage == "whole numbers") tensors[name] = tensors[name].to(torch.ScalarType.Int32);
        if (damage == "embedding") tensors["base_model.model.x.lora_embedding_A"] = tensors[name].alias();
        if (damage == "other kind") peft.Config["peft_type"] = "IA3";
        Assert.Contains(message, Assert.Throws<ModelException>(() => LoraUpdate.Of(peft)).Message);
    }

    /// <summary>Whatever the architecture: the base of none of them is at hand.</summary>
    [SkippableTheory]
    [InlineData("lora-distilbert-imdb", 12)]
    [InlineData("lora-distilbert-emotion", 12)]
    [InlineData("lora-movies", 24)]
    public void Adapters_of_others_are_read_without_a_model(string folder, int modules)
    {
        using var peft = PeftAdapter.Read(SharedData.Path($"adapters/{folder}"));
        var spectrum = Of(peft);
        Assert.Equal(modules, spectrum.Modules.Count);
        Assert.All(spectrum.Modules, module => Assert.InRange(module.Concentration!.Value, 1.0 / module.Rank, 1));
        // The moments of a product that is written out whole.
        var first = spectrum.Modules[0];
        var entries = AdapterFiles.Product(peft, first.Module).Cast<double>().ToArray();
        var mean = entries.Average();
        var second = entries.Average(entry => Math.Pow(entry - mean, 2));
        Assert.Equal((entries.Average(entry => Math.Pow(entry - mean, 4)) / second / second) - 3, first.Kurtosis!.Value, 1e-8);
        Assert.Equal(Math.Sqrt(entries.Average(entry => entry * entry)), first.Size, 1e-12);
    }

    private static AdapterSpectrum Of(PeftAdapter peft) => AdapterSpectrum.Of(LoraUpdate.Of(peft));

    private static double[,] Matrix(JsonNode rows)
    {
        var matrix = new double[rows.AsArray().Count, rows[0]!.AsArray().Count];
        for (var i = 0; i < matrix.GetLength(0); i++)
            for (var j = 0; j < matrix.GetLength(1); j++) matrix[i, j] = (double)rows[i]![j]!;
        return matrix;
    }
}
