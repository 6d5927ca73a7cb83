using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
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
        Assert.Equal(
            ["linears"],
            stage.Validate(new() { Train = TrainedPart.Everything, Linears = [new() { Name = "a", In = 1, Out = 1, Number = 1 }] })
                .Select(error => error.Key));
    }

    [Fact]
    public async Task Ranks_of_their_own_are_told_and_a_pattern_that_matches_nothing_is_doubtful()
    {
        await CountAsync(new()
        {
            Rank = 2, Shape = Tiny(layers: 2), TargetModules = ["query", "vlaue"],
            RankPattern = [new() { Modules = @"layer\.1\..*", Rank = 5 }, new() { Modules = "nothing", Rank = 7 }],
        });
        // (8 + 8) numbers for each rank, of ranks 2 and 5.
        Assert.Equal((112.0, 32.0), (Read("trainable_parameters").Value, Read("matrix_parameters_per_rank").Value));
        var told = JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName)))!["ranks"]!;
        Assert.Equal("""{"encoder.layer.0.attention.self.query":2,"encoder.layer.1.attention.self.query":5}""", told.ToJsonString());
        Assert.Equal(
            [
                "rank-pattern or alpha-pattern: 'nothing' matches no linear that gets an adapter, such as 'encoder.layer.0.attention.self.query', "
                + "and changes nothing",
                "target-modules: no linear of the model ends with 'vlaue'; these get no adapter",
            ], _run.Context!.Warnings);
    }

    [Fact]
    public async Task What_is_trained_whole_is_counted_once_and_settings_are_refused_as_a_training_refuses_them()
    {
        // The norm's bias is of a module to save and a bias beside: one tensor. 8·10 words, biases of 6 linears (5 of 8, one of 16) and of 3 norms,
        // and the norm's weight.
        await CountAsync(new()
        {
            Rank = 1, Shape = Tiny(layers: 1), TargetModules = ["query"], Bias = LoraBias.All, ModulesToSave = ["word_embeddings", "embeddings.LayerNorm"],
        });
        Assert.Equal(16 + 80 + (5 * 8) + 16 + (3 * 8) + 8, Read("trainable_parameters").Value);
        var stage = new ParameterCountStage();
        var wrong = new ParameterCountParameters { TargetModules = ["all-linear", "dense"], TargetPattern = "(", RankPattern = [new() { Modules = "a", Rank = 0 }] };
        Assert.Equal(["target-modules", "target-pattern", "rank-pattern"], stage.Validate(wrong).Select(error => error.Key));
        Assert.Equal(["bias"], stage.Validate(new() { Train = TrainedPart.Head, Bias = LoraBias.All }).Select(error => error.Key));
        LinearGroup[] linears = [new() { Name = "q_proj", In = 4, Out = 4, Number = 1 }];
        Assert.Equal(["linears"], stage.Validate(new() { Linears = [.. linears], ModulesToSave = ["q_proj"] }).Select(error => error.Key));
        Assert.Equal(["linears"], stage.Validate(new() { Linears = [.. linears], Bias = LoraBias.All }).Select(error => error.Key));
    }

    private static EncoderShape Tiny(int layers) => new() { Layers = layers, HiddenSize = 8, IntermediateSize = 16, VocabSize = 10, MaxPositions = 8 };

    private Task CountAsync(ParameterCountParameters parameters, params (string, InputTree)[] inputs) => _run.RunAsync(new ParameterCountStage(), parameters, inputs: inputs);

    private Reading Read(string measure) =>
        MeasureSet.Parse("count", new Dictionary<string, string>(), File.ReadAllText(Path.Combine(_run.Output, MeasureSet.FileName))).Read(measure);
}
