using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>A dimension or cell that a figure, a claim or a table names and no stage has is told when the pipeline is loaded, not after its trainings.</summary>
public sealed class PlannedCellsTests : IDisposable
{
    private const string Stages = """
        stages:
          data: { uses: corpus }
          model: { uses: pretrain, needs: { data: data } }
          tuned:
            uses: train
            needs: { data: data, model: model }
            matrix: { rank: [1, 16], seed: [40, 45] }
            with: { rank: "${{ matrix.rank }}" }
          evaluation: { uses: evaluate, needs: { model: model, adapter: tuned, clean: data } }

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti cells ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("left: [rank=1], right: [rank=16]", null)]
    [InlineData("left: [rank=1, seed=40], right: [rank=16, seed=40]", null)]
    [InlineData("left: [], at-least: 1", null)]
    [InlineData("left: [rank=2], right: [rank=16]", "'cases.0.left': 'rank' has no value '2'; it has: 1, 16")]
    [InlineData("left: [rank=1], right: [ranks=16]", "'cases.0.right': no stage of the input has a matrix dimension 'ranks'; there are: rank, seed")]
    [InlineData("left: [rank=1], right: [rank=16, seed=40]", "'cases.0': 'seed 40' has no partner on the other side")]
    [InlineData("left: [rank=1], at-least: 1, margin: 2", "has a 'margin' and nothing on the right that it could be a margin to")]
    public void Of_a_claim(string sides, string? message) =>
        Told($"  c: {{ uses: claim, needs: {{ measures: evaluation }}, with: {{ sentence: s, measure: gap, cases: [{{ {sides} }}] }} }}", message);

    [Theory]
    [InlineData("x: rank, by: seed", null)]
    [InlineData("x: ranks", "(10,90): error SSTI2101: 'x': no stage of the input has a matrix dimension 'ranks'; there are: rank, seed")]
    [InlineData("x: rank, by: sed", "'by': no stage of the input has a matrix dimension 'sed'")]
    [InlineData("x: rank, by: seed, published: [{ value: 40, values: [1] }]", "'published': '40' has 1 values, and 'rank' has 2: 1, 16")]
    [InlineData("x: rank, by: seed, published: [{ value: 41, values: [1, 2] }]", "'published': 'seed' has no value '41'; it has: 40, 45")]
    public void Of_a_figure(string with, string? message) =>
        Told($"  f: {{ uses: figure, needs: {{ measures: evaluation }}, with: {{ title: t, measure: gap, {with} }} }}", message);

    [Theory]
    [InlineData("[rank]", null)]
    [InlineData("[rank, lr]", "'by': no stage of the input has a matrix dimension 'lr'; there are: rank, seed")]
    public void Of_a_table(string by, string? message) =>
        Told($"  t: {{ uses: table, needs: {{ evaluations: evaluation }}, with: {{ title: t, by: {by} }} }}", message);

    private void Told(string stage, string? message)
    {
        var file = Path.Combine(_folder, "p.yaml");
        File.WriteAllText(file, $"{Stages}{stage}\n");
        var loaded = PipelineLoader.Load(file, [], new StageCatalog(StageKinds.All));
        if (message is null) Assert.True(loaded.Pipeline is not null, string.Join('\n', loaded.Diagnostics));
        else Assert.Contains(message, string.Join('\n', loaded.Diagnostics));
    }
}
