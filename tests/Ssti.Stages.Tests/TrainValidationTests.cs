using System.Text.Json.Nodes;
using Ssti.Engine.Parameters;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>Trainings with a validation and with class weights, from files to files.</summary>
public sealed class TrainValidationTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private static readonly TrainParameters Small = new()
    {
        Rank = 4, TargetModules = ["dense"], MaxLength = 16, Steps = 12, BatchSize = 8, LearningRate = 1e-2, TrainHead = true, Dropouts = false,
    };

    private readonly StageRun _split = new();
    private readonly StageRun _training = new();

    public void Dispose()
    {
        _split.Dispose();
        _training.Dispose();
    }

    [Fact]
    public async Task A_training_with_a_validation_says_what_it_saw_and_which_state_it_kept()
    {
        await TrainAsync(Small with { Validation = new() { Every = 5 }, ClassWeights = ClassWeighting.Balanced });
        var looks = File.ReadLines(Path.Combine(_training.Output, "validation.jsonl")).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal([5, 10, 12], looks.Select(look => (int)look["step"]!));
        var training = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!;
        var validation = training["validation"]!;
        Assert.Equal(("validation", 12, false), ((string?)validation["split"], (int)validation["updates"]!, (bool)validation["stoppedEarly"]!));
        Assert.Equal(looks.MinBy(look => (float)look["loss"]!)!.ToJsonString(), validation["best"]!.ToJsonString());
        Assert.Equal(2, training["classWeights"]!.AsArray().Count);
        Assert.Equal(3, _training.Log.Count(TrainStage.TellsValidation));
        Assert.Contains(_training.Log, line => line.StartsWith($"the state after update {validation["best"]!["step"]} is kept", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_training_without_leaves_what_it_always_left_and_has_the_key_it_always_had()
    {
        await TrainAsync(Small);
        Assert.DoesNotContain("validation.jsonl", _training.Files);
        var training = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!.AsObject();
        Assert.DoesNotContain("validation", training.Select(pair => pair.Key));
        Assert.DoesNotContain("classWeights", training.Select(pair => pair.Key));
        var key = ParameterWriter.Write(new TrainParameters(), _ => null);
        Assert.DoesNotContain("validation", key.Select(pair => pair.Key));
        Assert.DoesNotContain("class-weights", key.Select(pair => pair.Key));
    }

    [Fact]
    public async Task A_split_that_is_not_there_or_trained_on_is_refused()
    {
        Assert.Contains(new TrainStage().Validate(Small with { Validation = new() { Split = "train" } }), error => error.Key == "validation.split");
        Assert.Equal(["validation.every", "validation.patience"],
            new TrainStage().Validate(Small with { Validation = new() { Every = 0, Patience = -1 } }).Select(error => error.Key));
        var error = await Assert.ThrowsAsync<StageException>(() => TrainAsync(Small with { Validation = new() { Split = "valid" } }));
        Assert.Contains("has no split 'valid'; it has: train, test, unlabelled, validation", error.Message);
    }

    private async Task TrainAsync(TrainParameters parameters)
    {
        await _split.RunAsync(new SplitStage(), new SplitParameters { Into = [new() { Name = "validation", Share = 0.25 }] }, inputs: ("data", StageRun.Tree(backbone.Corpus)));
        await _training.RunAsync(new TrainStage(), parameters, inputs: [("data", StageRun.Tree(_split.Output)), ("model", StageRun.Tree(backbone.Model, "model", "pretrain"))]);
    }
}
