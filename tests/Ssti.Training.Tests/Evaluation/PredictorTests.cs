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

    [Theory]
    [InlineData("dense", "dense", "dense")]
    [InlineData("dense", null, "dense")]
    [InlineData("query", "dense", "value")]
    [InlineData("layer.1.output.dense", "layer.1.intermediate.dense", "layer.1.output.dense")]
    [InlineData("layer.1.attention.output.dense", "layer.1.output.dense", null)]
    public void Classifiers_that_are_asked_together_answer_as_each_alone_to_the_bit(params string?[] targets)
    {
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(Wild, Weights.Encoder(Wild, Toy.Encoder(), CPU, ScalarType.Float32));
        SequenceClassifier[] models = [.. targets.Select((target, i) => On(trunk, target, 10 + i))];
        var sets = new[] { Toy.Tokens(23), Toy.Tokens(9) };
        var together = Predictor.LogitsOfEach(models, sets, 8, null, CancellationToken.None);
        for (var i = 0; i < models.Length; i++)
        {
            Assert.Equal(Predictor.Logits(models[i], sets, 8, null, CancellationToken.None), together[i]);
            models[i].Dispose();
        }

        Assert.NotEqual(together[0][0], together[2][0]);
    }

    [Fact]
    public void What_they_have_in_common_is_computed_once_and_let_go()
    {
        using var scope = NewDisposeScope();
        using var trunk = new BertTrunk(Wild, Weights.Encoder(Wild, Toy.Encoder(), CPU, ScalarType.Float32));
        using var first = On(trunk, "layer.1.output.dense", 1);
        using var second = On(trunk, "layer.1.output.dense", 2);
        var batch = Toy.Tokens(8).Batch([0, 1, 2], CPU);
        using (var start = SharedStart.Of(trunk, [first.Adapter, second.Adapter])!)
        {
            var expected = second.Forward(batch.Ids, batch.Mask).data<float>().ToArray();
            first.Forward(batch.Ids, batch.Mask, start: start);
            // Other ids and another mask are not looked at any more: all below the second layer's feed-forward is there.
            Assert.Equal(expected, second.Forward(batch.Ids.zero_(), batch.Mask, start: start).data<float>().ToArray());
        }

        var counts = new List<long>();
        Predictor.LogitsOfEach([first, second], [Toy.Tokens(50)], 5, (_, _, _) => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount), CancellationToken.None);
        Assert.Single(counts.Distinct());
    }

    [Fact]
    public void A_tensor_trained_whole_leaves_nothing_in_common_and_one_adapter_has_nothing_to_share()
    {
        using var scope = NewDisposeScope();
        using var random = new RandomStream(3, CPU);
        using var trunk = new BertTrunk(Wild, Weights.Encoder(Wild, Toy.Encoder(), CPU, ScalarType.Float32));
        using var plain = On(trunk, "dense", 1);
        using var whole = LoraAdapter.Create(new LoraConfig(4, 4, 0, ["dense"]) { ModulesToSave = ["word_embeddings"] }, trunk, random);
        Assert.Null(SharedStart.Of(trunk, [plain.Adapter, whole]));
        Assert.Null(SharedStart.Of(trunk, [plain.Adapter]));
    }

    private static SequenceClassifier On(BertTrunk trunk, string? target, int seed)
    {
        using var random = new RandomStream(seed, CPU);
        var adapter = target is null ? null : LoraAdapter.Create(new LoraConfig(4, 4, 0, [target]) { Start = LoraStart.Random }, trunk, random);
        return new SequenceClassifier(trunk, adapter, ClassifierHead.Create(trunk.HiddenSize, 3, random, CPU));
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
