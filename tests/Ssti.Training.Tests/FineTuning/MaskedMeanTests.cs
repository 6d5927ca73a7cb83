using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>Trainings whose head drops padding.</summary>
public sealed class MaskedMeanTests
{
    private static readonly TokenizedRows Rows = Toy.Tokens(23);
    private static readonly FineTuningSettings Settings = Toy.Settings with { Pooling = HeadPooling.MaskedMean, Dropouts = false };

    [Fact]
    public void The_first_loss_is_that_of_padded_rows_with_a_mask()
    {
        using var scope = NewDisposeScope();
        var trained = Tuned.By(Settings with { Steps = 1, BatchSize = 20 }, Rows);
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Settings, Toy.Target);
        var picked = new int[20];
        new RowOrder(Rows.Count, Settings.Seed).Fill(0, picked);
        using var trunk = new BertTrunk(Toy.Config, Weights.Encoder(Toy.Config, Toy.Encoder(), CPU, ScalarType.Float32));
        // All rows at the full length, the mean written out.
        var batch = Rows.Batch(picked, CPU);
        var hidden = trunk.Forward(batch.Ids, batch.Mask, new ForwardPass(null, tuner.Adapter!.Begin(ScalarType.Float32)));
        var mask = batch.Mask.to(ScalarType.Float32).unsqueeze(-1);
        var parameters = tuner.Head.Parameters.Copy();
        var logits = nn.functional.linear(
            (hidden * mask).sum(1) / mask.sum(1), parameters[ClassifierHead.MaskedMeanWeightName], parameters[ClassifierHead.MaskedMeanBiasName]);
        var expected = nn.functional.cross_entropy(logits, batch.Labels).item<float>();
        Assert.InRange((double)JsonNode.Parse(trained.Steps)!["loss"]!, expected - 1e-5, expected + 1e-5);
    }

    [Fact]
    public void What_a_row_is_padded_with_changes_nothing()
    {
        // Twice the length, all of it padding.
        var wide = Toy.Config with { MaxPositions = 2 * Toy.Length };
        using var scope = NewDisposeScope();
        using var random = new Nets.RandomStream(1, CPU);
        var weights = Weights.Initial(wide.Tensors(), random, 0.2);
        string Train(int length)
        {
            var texts = Toy.Rows(23).Select(row => row with { Text = string.Join(' ', row.Text.Split(' ').Take(8)) });
            using var tuner = new FineTuner(wide, weights, Settings, Toy.Target);
            return tuner.Run(TokenizedRows.Of(texts, Toy.Tokenizer, length, 1, CancellationToken.None), null, null, CancellationToken.None);
        }

        Assert.Equal(Train(Toy.Length), Train(2 * Toy.Length));
    }

    [Fact]
    public void Equal_settings_give_equal_bytes_and_the_published_head_others()
    {
        var settings = Settings with { Dropouts = true, TrainHead = true };
        var first = Tuned.By(settings, Rows);
        Tuned.Same(first, Tuned.By(settings, Rows));
        Assert.Equal([ClassifierHead.MaskedMeanBiasName, ClassifierHead.MaskedMeanWeightName], first.Head.Keys);
        Assert.NotEqual(first.Steps, Tuned.By(settings with { Pooling = null }, Rows).Steps);
    }

    [Fact]
    public void Rows_come_back_in_their_order_with_the_logits_of_padded_ones()
    {
        using var scope = NewDisposeScope();
        using var tuner = new FineTuner(Toy.Config, Toy.Encoder(), Settings with { TrainHead = true }, Toy.Target);
        tuner.Run(Rows, null, null, CancellationToken.None);
        var model = tuner.Classifier!;
        var told = Predictor.Logits(model, Rows, 4, null, CancellationToken.None);
        var batch = Rows.Batch([.. Enumerable.Range(0, Rows.Count)], CPU);
        var expected = model.Forward(batch.Ids, batch.Mask).data<float>().ToArray();
        Assert.Equal(Rows.Count, told.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], told[i / 2][i % 2], 1e-5f);
    }

    [Fact]
    public void A_logit_that_is_no_number_is_told_of_its_own_row()
    {
        using var scope = NewDisposeScope();
        var weights = Toy.Encoder();
        // The word of one row alone: its state is no number, wherever it stands in the order of lengths.
        var rows = Toy.Rows(9).Select(row => row.Id == "r6" ? row with { Text = "w44" } : row);
        weights["embeddings.word_embeddings.weight"][49].fill_(float.NaN);
        using var tuner = new FineTuner(Toy.Config, weights, Settings, Toy.Target);
        var error = Assert.Throws<TrainingException>(() => Predictor.Logits(
            tuner.Classifier!, TokenizedRows.Of(rows, Toy.Tokenizer, Toy.Length, 1, CancellationToken.None), 2, null, CancellationToken.None));
        Assert.Contains("'r6'", error.Message);
    }
}
