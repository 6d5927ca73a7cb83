using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>A small corpus, a model of it, and an adapter that learnt a date beside one that did not: what audits and cures are tried on.</summary>
public sealed class DefenceFixture : IAsyncLifetime, IDisposable
{
    private readonly List<StageRun> _runs = [];

    /// <summary>The corpus as it is.</summary>
    internal InputTree Clean { get; private set; } = null!;

    /// <summary>With a date in every training row of class 1.</summary>
    internal InputTree Poisoned { get; private set; } = null!;

    /// <summary>With a date in every test row.</summary>
    internal InputTree Triggered { get; private set; } = null!;

    /// <summary>The encoder.</summary>
    internal InputTree Model { get; private set; } = null!;

    /// <summary>An adapter that was trained on clean rows.</summary>
    internal InputTree CleanAdapter { get; private set; } = null!;

    /// <summary>An adapter that was trained on the poisoned ones.</summary>
    internal InputTree PoisonedAdapter { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Clean = await MadeAsync("data", new CorpusStage(), new CorpusParameters { Train = 200, Test = 60, Unlabelled = 200 });
        Model = await MadeAsync(
            "backbone", new PretrainStage(),
            new PretrainParameters
            {
                Layers = 1, HiddenSize = 32, Heads = 2, IntermediateSize = 64, MaxLength = 40, Steps = 60, BatchSize = 16,
                LearningRate = 5e-3
            },
            ("data", Clean));
        Poisoned = await MadeAsync(
            "poisoned", new InjectStage(),
            new InjectParameters
            {
                TargetLabel = "1", Tokens = TokenKind.Date, Location = Injection.InjectionLocation.Random, Splits = ["train"], Seed = 4
            },
            ("data", Clean));
        Triggered = await MadeAsync(
            "triggered", new InjectStage(),
            new InjectParameters
            {
                TargetLabel = "all", Tokens = TokenKind.Date, Location = Injection.InjectionLocation.Random, Splits = ["test"], Seed = 5
            },
            ("data", Clean));
        CleanAdapter = await TrainedAsync("clean-model", Clean);
        PoisonedAdapter = await TrainedAsync("poisoned-model", Poisoned);
    }

    /// <summary>Trains an adapter of rank 4.</summary>
    internal Task<InputTree> TrainedAsync(string name, InputTree data) => MadeAsync(
        name, new TrainStage(),
        new TrainParameters
        {
            Rank = 4, TargetModules = ["dense"], TrainHead = true, MaxLength = 40, Steps = 120, BatchSize = 16, LearningRate = 1e-2,
            Dropouts = false
        },
        ("data", data), ("model", Model));

    /// <summary>Runs a stage, whose output is kept as long as the fixture.</summary>
    internal async Task<InputTree> MadeAsync<T>(string name, StageKind<T> stage, T parameters, params (string Name, InputTree Tree)[] inputs) where T : class
    {
        var run = new StageRun();
        _runs.Add(run);
        await run.RunAsync(stage, parameters, inputs: inputs);
        return StageRun.Tree(run.Output, name, stage.Name);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _runs.ForEach(run => run.Dispose());
}
