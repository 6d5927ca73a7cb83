using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Training.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.Evaluation;

public sealed class PredictorTests
{
    private static readonly BertConfig Wild = Toy.Config with { HiddenDropout = 0.9, AttentionDropout = 0.9 };

    [Fact]
    public void Dropouts_are_off()
    {
        using var scope = NewDisposeScope();
        using var wild = Model(Wild, loraDropout: 0.9);
        using var tame = Model(Wild with { HiddenDropout = 0, AttentionDropout = 0 }, loraDropout: 0);
        var logits = Logits(wild, 8);
        Assert.Equal(logits, Logits(wild, 8));
        Assert.Equal(Logits(tame, 8), logits);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(50)]
    [InlineData(1000)]
    public void A_rows_logits_do_not_depend_on_the_rows_beside_it(int batchSize)
    {
        using var scope = NewDisposeScope();
        using var model = Model(Wild, 0.9);
        var expected = Logits(model, 8);
        var actual = Logits(model, batchSize);
        Assert.Equal(50, actual.Length);
        for (var i = 0; i < actual.Length; i++)
            for (var c = 0; c < 3; c++) Assert.Equal(expected[i][c], actual[i][c], 1e-5f);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Where_the_head_reads_no_padding_rows_of_like_length_give_the_same_in_the_same_order(int batchSize)
    {
        using var scope = NewDisposeScope();
        using var wide = Model(Wild, 0.9);
        using var random = new RandomStream(5, CPU);
        var head = new Dictionary<string, Tensor>
        {
            [ClassifierHead.WeightName] = random.Normal(0.5, 3, Wild.HiddenSize), [ClassifierHead.BiasName] = random.Normal(0.5, 3),
        };
        using var narrow = ClassifierHead.Load(head, Wild.HiddenSize, 3, CPU);
        var model = wide with { Head = narrow };
        var rows = Toy.Tokens(50);
        Assert.True(Enumerable.Range(0, 50).Select(row => rows.Ids(row).Length).Distinct().Count() > 2);

        var expected = Predictor.Logits(model, rows, 8, null, CancellationToken.None);
        var actual = Predictor.LogitsByLength(model, rows, batchSize, CancellationToken.None);
        for (var i = 0; i < 50; i++)
            for (var c = 0; c < 3; c++) Assert.Equal(expected[i][c], actual[i][c], 1e-5f);

        Assert.Throws<ArgumentException>(() => Predictor.LogitsByLength(wide, rows, batchSize, CancellationToken.None));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Logits_that_are_no_numbers_are_no_prediction(float value)
    {
        using var scope = NewDisposeScope();
        using var model = Model(Wild, 0);
        foreach (var master in model.Head.Parameters.Masters) master.detach().fill_(value);
        var error = Assert.Throws<TrainingException>(() => Logits(model, 8));
        Assert.Contains($"the model's logits of row '{Toy.Tokens(50).RowIds[0]}' are no finite numbers", error.Message);
    }

    [Fact]
    public void Progress_counts_rows_and_cancelling_stops_between_passes()
    {
        using var scope = NewDisposeScope();
        using var model = Model(Wild, 0);
        var done = new List<int>();
        Predictor.Logits(model, Toy.Tokens(50), 20, done.Add, CancellationToken.None);
        Assert.Equal([20, 40, 50], done);

        using var source = new CancellationTokenSource();
        done.Clear();
        Assert.Throws<OperationCanceledException>(() => Predictor.Logits(model, Toy.Tokens(50), 20, rows =>
        {
            done.Add(rows);
            source.Cancel();
        }, source.Token));
        Assert.Equal([20], done);
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        using var scope = NewDisposeScope();
        using var model = Model(Wild, 0);
        var counts = new List<long>();
        Predictor.Logits(model, Toy.Tokens(50), 5, _ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount), CancellationToken.None);
        Assert.Single(counts.Distinct());
    }

    private static float[][] Logits(SequenceClassifier model, int batchSize) => Predictor.Logits(model, Toy.Tokens(50), batchSize, null, CancellationToken.None);

    private static SequenceClassifier Model(BertConfig config, double loraDropout)
    {
        using var random = new RandomStream(3, CPU);
        var trunk = new BertTrunk(config, Weights.Encoder(config, Toy.Encoder(), CPU, ScalarType.Float32));
        var adapter = LoraAdapter.Create(new LoraConfig(4, 4, loraDropout, ["dense"]), trunk, random);
        using (no_grad())
            foreach (var master in adapter.Parameters.Masters) master.add_(random.Normal(0.1, master.shape));
        return new SequenceClassifier(trunk, adapter, ClassifierHead.Create(config.HiddenSize, 3, random, CPU));
    }
}
