using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;

namespace Ssti.Stages.Tests;

/// <summary>What is counted out of a config.json is what a training then trains, whatever is asked of the adapter, in any family.</summary>
public sealed class CountedAdapterTests : IDisposable
{
    private static readonly TrainParameters Small = new()
    {
        Rank = 2, TargetModules = ["all-linear"], TrainHead = true, MaxLength = 12, Steps = 1, BatchSize = 2,
    };

    private readonly StageRun _model = new(), _data = new(), _training = new(), _counting = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        foreach (var run in new[] { _model, _data, _training, _counting }) run.Dispose();
        _folder.Dispose();
    }

    /// <summary>Options of an adapter that change how much is trained, each alone and all together.</summary>
    public static TheoryData<string, string> FamiliesAndOptions()
    {
        var data = new TheoryData<string, string>();
        string[] options = ["all-linear", "pattern", "ranks", "dora", "bias-all", "bias-lora-only", "saved", "saved-linear", "together"];
        foreach (var family in (string[])["bert", "distilbert", "llama", "openelm"])
            foreach (var option in options) data.Add(family, option);
        return data;
    }

    [Theory]
    [MemberData(nameof(FamiliesAndOptions))]
    public async Task What_is_counted_beforehand_is_what_a_training_then_trains(string family, string option)
    {
        var config = FamilyModel.Config(family);
        var (words, linear) = (config.Tensors().First().Name.Split('.')[^2], config.Linears().First().Name.Split('.')[^1]);
        List<RankOfModules> ranks = [new() { Modules = @".*\.1\..*", Rank = 3 }];
        var asked = option switch
        {
            "pattern" => Small with { TargetPattern = $@".*\.1\..*{linear}" },
            "ranks" => Small with { RankPattern = ranks },
            "dora" => Small with { Dora = true },
            "bias-all" => Small with { Bias = LoraBias.All },
            "bias-lora-only" => Small with { TargetModules = [linear], Bias = LoraBias.LoraOnly },
            "saved" => Small with { ModulesToSave = [words] },
            "saved-linear" => Small with { ModulesToSave = [linear] },
            "together" => Small with
            {
                RankPattern = ranks, Dora = true, Bias = family is "bert" or "distilbert" ? LoraBias.All : LoraBias.None, ModulesToSave = [words, linear],
            },
            _ => Small,
        };
        FamilyModel.Write(_folder["model"], family);
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]) });
        var model = StageRun.Tree(_model.Output, "model", "model");
        Directory.CreateDirectory(_folder["rows"]);
        File.WriteAllText(_folder["rows/train.csv"], "text,label\nthe good film,pos\nthe bad film,neg\n");
        var source = StageRun.Local(_folder["rows"]);
        await _data.RunAsync(new DatasetStage(), new DatasetParameters { Source = source, Labels = ["neg", "pos"], Splits = ["train"] });
        var trained = _training.RunAsync(new TrainStage(), asked, inputs: [("data", StageRun.Tree(_data.Output)), ("model", model)]);
        var counted = _counting.RunAsync(new ParameterCountStage(), new()
        {
            Rank = asked.Rank, TargetModules = asked.TargetModules, TargetPattern = asked.TargetPattern, RankPattern = asked.RankPattern,
            Dora = asked.Dora, Bias = asked.Bias, ModulesToSave = asked.ModulesToSave, TrainHead = asked.TrainHead,
        }, inputs: ("model", model));
        if (option.StartsWith("bias", StringComparison.Ordinal) && family is "llama" or "openelm")
        {
            Assert.Contains("no biases to train", (await Assert.ThrowsAsync<StageException>(() => trained)).Message);
            Assert.Contains("no biases to train", (await Assert.ThrowsAsync<StageException>(() => counted)).Message);
            return;
        }

        await Task.WhenAll(trained, counted);
        var measures = JsonNode.Parse(File.ReadAllText(Path.Combine(_counting.Output, "measures.json")))!["measures"]!;
        var numbers = (long)(double)measures["trainable_parameters"]!["value"]!;
        Assert.Equal((long)_training.Context!.Metrics["trainableParameters"]!, numbers);
        Assert.NotEqual(0, numbers);
        Assert.Empty(_training.Context!.Warnings.Concat(_counting.Context!.Warnings));
    }
}
