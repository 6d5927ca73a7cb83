using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Training.FineTuning;

namespace Ssti.Stages.Tests;

/// <summary>What is counted out of a shape is what a training trains.</summary>
public sealed class ParameterCountStageTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private static readonly EncoderShape ArcticXs = new() { Layers = 6, HiddenSize = 384, IntermediateSize = 1536 };
    private readonly StageRun _run = new();
    private readonly StageRun _training = new();

    public void Dispose()
    {
        _run.Dispose();
        _training.Dispose();
    }

    [Theory]
    [InlineData(TrainedPart.Adapter, false, false)]
    [InlineData(TrainedPart.Adapter, true, true)]
    [InlineData(TrainedPart.Head, false, false)]
    [InlineData(TrainedPart.Everything, false, false)]
    [InlineData(TrainedPart.Everything, false, true)]
    public async Task It_counts_what_a_training_trains(TrainedPart part, bool dora, bool head)
    {
        var modules = new List<string> { "query", "dense" };
        await CountAsync(new() { Train = part, Rank = 3, TargetModules = modules, Dora = dora, TrainHead = head }, ("model", StageRun.Tree(backbone.Model)));
        await _training.RunAsync(
            new TrainStage(), new() { Train = part, Rank = 3, TargetModules = modules, Dora = dora, TrainHead = head, MaxLength = 16, Steps = 1, BatchSize = 2 },
            inputs: [("data", StageRun.Tree(backbone.Corpus)), ("model", StageRun.Tree(backbone.Model))]);
        var told = JsonNode.Parse(File.ReadAllText(Path.Combine(_training.Output, "training.json")))!;
        Assert.Equal((long)told["trainableParameters"]!, (long)Read("trainable_parameters").Value!);
        Assert.Equal(part == TrainedPart.Adapter ? null : "no adapter is trained", Read("matrix_parameters_per_rank").Reason);
    }

    /// <summary>The paper's models, adapted as the authors' code does: 27,648 r of arctic-embed-xs, and so on.</summary>
    [Theory]
    [InlineData(6, 384, 1536, 27_648)]
    [InlineData(12, 384, 1536, 55_296)]
    [InlineData(12, 768, 3072, 110_592)]
    [InlineData(24, 1024, 4096, 294_912)]
    public async Task The_counts_of_the_published_models(int layers, int hidden, int intermediate, double perRank)
    {
        await CountAsync(new() { Rank = 16, Shape = new() { Layers = layers, HiddenSize = hidden, IntermediateSize = intermediate } });
        Assert.Equal((perRank, perRank * 16), (Read("matrix_parameters_per_rank").Value, Read("trainable_parameters").Value));
    }

    [Fact]
    public async Task Of_another_family_the_adapter_alone_is_counted_and_shares_have_a_reason()
    {
        await CountAsync(new()
        {
            Rank = 1,
            Linears =
            [
                new() { Name = "q_proj", In = 4096, Out = 4096, Number = 32 }, new() { Name = "k_proj", In = 4096, Out = 1024, Number = 32 },
                new() { Name = "v_proj", In = 4096, Out = 1024, Number = 32 }, new() { Name = "gate_proj", In = 4096, Out = 14336, Number = 32 },
            ],
        });
        Assert.Equal(589_824, Read("trainable_parameters").Value);
        Assert.Equal("of this model only the linears are known", Read("trainable_share").Reason);
    }

    [Fact]
    public async Task Nothing_that_is_adapted_is_an_error_with_what_there_is()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => CountAsync(new() { Shape = ArcticXs, TargetModules = ["q_proj"] }));
        Assert.Contains("no linear of the model ends with 'q_proj'; it has: query, key, value, dense", error.Message);
    }

    [Fact]
    public void The_model_is_given_once()
    {
        var stage = new ParameterCountStage();
        Assert.Contains("is missing", Assert.Single(stage.ValidateInputs(new(), _ => [])).Message);
        Assert.Contains("is given twice", Assert.Single(stage.ValidateInputs(new() { Shape = ArcticXs }, _ => [new("m", "model", new Dictionary<string, string>())])).Message);
        Assert.Empty(stage.ValidateInputs(new() { Shape = ArcticXs }, _ => []));
        Assert.Equal(["linears"], stage.Validate(new() { Train = TrainedPart.Everything, Linears = [new() { Name = "a", In = 1, Out = 1, Number = 1 }] }).Select(error => error.Key));
    }

    private Task CountAsync(ParameterCountParameters parameters, params (string, InputTree)[] inputs) => _run.RunAsync(new ParameterCountStage(), parameters, inputs: inputs);

    private Reading Read(string measure) =>
        MeasureSet.Parse("count", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName))).Read(measure);
}
