using System.Text.Json.Nodes;
using Ssti.Defenses.Adapters;
using Ssti.Defenses.Cures;
using Ssti.Defenses.Tests.Adapters;
using Ssti.Nets.Lora;
using TorchSharp;

namespace Ssti.Defenses.Tests.Cures;

public sealed class SvdTruncationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_kept_is_the_best_approximation_of_its_rank(int keep)
    {
        using var peft = AdapterFiles.Peft(
            6, ("x.dense", AdapterFiles.Normal(1, 4, 9), AdapterFiles.Normal(2, 7, 4)),
            ("y.dense", AdapterFiles.Normal(3, 4, 6), AdapterFiles.Normal(4, 5, 4)));
        var truncated = SvdTruncation.Of(peft, keep);
        using var after = truncated.Adapter;
        Assert.Equal((keep, keep), ((int)after.Config["r"]!, (int)after.Config["lora_alpha"]!));
        double kept = 0, all = 0;
        foreach (var (before, here) in AdapterSpectrum.Of(LoraUpdate.Of(peft)).Modules.Zip(AdapterSpectrum.Of(LoraUpdate.Of(after)).Modules))
        {
            Assert.All(here.Values.Zip(before.Values), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
            // By Eckart and Young what is lost is what the other directions had.
            var (was, now) = (AdapterFiles.Product(peft, before.Module), AdapterFiles.Product(after, before.Module));
            var lost = was.Cast<double>().Zip(now.Cast<double>(), (a, b) => (a - b) * (a - b)).Sum();
            Assert.Equal(before.Values.Skip(keep).Sum(value => value * value), lost, 1e-4);
            kept += before.Values.Take(keep).Sum(value => value * value);
            all += before.Values.Sum(value => value * value);
        }

        Assert.Equal(kept / all, truncated.EnergyKept!.Value, 1e-9);
    }

    [Fact]
    public void Modules_of_fewer_directions_are_filled_up_with_zeros_and_own_ranks_and_scales_go()
    {
        using var peft = AdapterFiles.Peft(
            8, config => (config["rank_pattern"], config["alpha_pattern"], config["use_rslora"]) = (new JsonObject { ["y.dense"] = 1 }, new JsonObject { ["y.dense"] = 3 }, true),
            ("x.dense", AdapterFiles.Normal(1, 4, 9), AdapterFiles.Normal(2, 7, 4)), ("y.dense", AdapterFiles.Normal(3, 1, 6), AdapterFiles.Normal(4, 5, 1)));
        using var after = SvdTruncation.Of(peft, 2).Adapter;
        Assert.Equal([2, 2], LoraUpdate.Of(after).Select(update => update.Rank));
        Assert.All(LoraUpdate.Of(after), update => Assert.Equal(1, update.Scaling));
        var (was, now) = (AdapterFiles.Product(peft, "y.dense"), AdapterFiles.Product(after, "y.dense"));
        Assert.All(was.Cast<double>().Zip(now.Cast<double>()), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void The_rest_of_the_adapter_stays_and_its_files_can_be_read_again()
    {
        using var peft = AdapterFiles.Peft(4, ("x.dense", AdapterFiles.Normal(1, 4, 9), AdapterFiles.Normal(2, 7, 4)));
        ((Dictionary<string, torch.Tensor>)peft.Tensors)["base_model.model.classifier.weight"] = torch.ones(2, 3);
        var folder = Directory.CreateTempSubdirectory("ssti truncated ").FullName;
        try
        {
            using (var after = SvdTruncation.Of(peft, 1).Adapter) after.Write(folder);
            using var read = PeftAdapter.Read(folder);
            Assert.Equal([2, 3], read.Tensors["base_model.model.classifier.weight"].shape);
            Assert.Equal(1, LoraUpdate.Of(read).Single().Rank);
            // What it was made of is as it was.
            Assert.Equal(4, LoraUpdate.Of(peft).Single().Rank);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void What_would_cut_nothing_or_not_all_is_refused()
    {
        using var peft = AdapterFiles.Peft(4, ("x.dense", AdapterFiles.Normal(1, 4, 9), AdapterFiles.Normal(2, 7, 4)));
        Assert.Contains("Keep at most 3", Assert.Throws<DefenseException>(() => SvdTruncation.Of(peft, 4)).Message);
        peft.Config["use_dora"] = true;
        Assert.Contains("DoRA", Assert.Throws<DefenseException>(() => SvdTruncation.Of(peft, 1)).Message);
        using var zero = AdapterFiles.Peft(4, ("x.dense", AdapterFiles.Normal(1, 4, 9), new double[7, 4]));
        var truncated = SvdTruncation.Of(zero, 1);
        using (truncated.Adapter) Assert.Null(truncated.EnergyKept);
    }
}
