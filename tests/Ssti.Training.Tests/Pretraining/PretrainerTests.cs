using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using Ssti.Training.Pretraining;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.Pretraining;

public sealed class PretrainerTests : IDisposable
{
    private static readonly PretrainingSettings Settings = new() { Steps = 6, BatchSize = 8, LearningRate = 1e-2, Seed = 40, CheckpointEvery = 2 };

    private static readonly TokenizedRows Rows = Toy.Tokens(40);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Equal_settings_give_equal_bytes_and_another_seed_others()
    {
        var first = Train(Settings);
        Same(first, Train(Settings));
        Assert.NotEqual(first.Steps, Train(Settings with { Seed = 41 }).Steps);
        Assert.Equal(6, first.Steps.Count(c => c == '\n'));
    }

    [Fact]
    public void A_tokenizer_without_a_mask_token_is_refused()
    {
        var pieces = Enumerable.Range(0, 256).Select(value => new SentencePiece(SentencePieceModel.ByteName(value), 0, SentencePieceKind.Byte));
        var model = new SentencePieceModel(
            [
                new("<unk>", 0, SentencePieceKind.Unknown), new("<s>", 0, SentencePieceKind.Control),
                new("</s>", 0, SentencePieceKind.Control), .. pieces]);
        var llama = SentencePieceTokenizer.Of(model, new SentencePieceSettings(), [], "llama");
        var error = Assert.Throws<TrainingException>(() => new Pretrainer(Toy.Config, llama, Settings, Toy.Target));
        Assert.Equal("masked language modelling needs a mask token, and a SentencePiece tokenizer has none; take a WordPiece vocabulary", error.Message);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, true)]
    [InlineData(5, true)]
    [InlineData(3, false)]
    [InlineData(5, false)]
    public void Interrupted_after_any_update_it_ends_with_the_same_bytes(int after, bool politely)
    {
        var expected = Train(Settings);
        Interruption.Of(after, politely, (progress, token) => Train(Settings, _folder.Root, progress, token));
        var told = new List<string>();
        Same(expected, Train(Settings, _folder.Root, tell: told.Add));
        // A kill leaves the last of the regular checkpoints, every second update.
        Assert.StartsWith($"going on from update {(politely ? after : after / 2 * 2)},", Assert.Single(told));
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void In_two_parts_an_interrupted_training_ends_with_the_same_bytes(int after, bool politely)
    {
        var settings = Settings with { Parts = 2 };
        var expected = Train(settings);
        Same(expected, Train(settings));
        Interruption.Of(after, politely, (progress, token) => Train(settings, _folder.Root, progress, token));
        Same(expected, Train(settings, _folder.Root));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Parts_change_nothing_but_last_digits(int parts)
    {
        var (one, several) = (Losses(Settings, Still), Losses(Settings with { Parts = parts }, Still));
        Assert.All(one.Zip(several), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public void Parts_draw_dropouts_of_their_own() => Assert.NotEqual(Losses(Settings, Toy.Config)[0], Losses(Settings with { Parts = 2 }, Toy.Config)[0], 1e-4);

    [Fact]
    public void Padding_beyond_the_longest_row_has_no_part_in_it()
    {
        Row[] rows = [.. Toy.Rows(40).Select(row => row with { Text = string.Join(' ', row.Text.Split(' ').Take(6)) })];
        Assert.Equal(Losses(Settings, Toy.Config, Cut(8)), Losses(Settings, Toy.Config, Cut(Toy.Length)));

        TokenizedRows Cut(int length) => TokenizedRows.Of(rows, Toy.Tokenizer, length, 1, CancellationToken.None);
    }

    [Fact]
    public void It_learns_what_the_rows_have_in_common()
    {
        var steps = Train(Settings with { Steps = 200 }).Steps.TrimEnd().Split('\n').Select(line => (double)JsonNode.Parse(line)!["loss"]!).ToArray();
        Assert.InRange(steps[0], Math.Log(50) - 0.5, Math.Log(50) + 0.5);
        Assert.True(steps[^10..].Average() < 0.8 * steps[0], $"from {steps[0]} to {steps[^10..].Average()}");
    }

    [Fact]
    public void No_tensor_is_left_behind()
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var counts = new List<long>();
        using (var pretrainer = new Pretrainer(Toy.Config, Toy.Tokenizer, Settings with { Steps = 64 }, Toy.Target))
            pretrainer.Run(Rows, _folder.Root, _ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount), CancellationToken.None);
        Flat.Assert(counts);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static BertConfig Still => Toy.Config with { HiddenDropout = 0, AttentionDropout = 0 };

    private static double[] Losses(PretrainingSettings settings, BertConfig config, TokenizedRows? rows = null)
    {
        using var pretrainer = new Pretrainer(config, Toy.Tokenizer, settings, Toy.Target);
        return [.. pretrainer.Run(rows ?? Rows, null, null, CancellationToken.None).TrimEnd().Split('\n').Select(line => (double)JsonNode.Parse(line)!["loss"]!)];
    }

    private static (string Steps, SortedDictionary<string, byte[]> Encoder) Train(
        PretrainingSettings settings, string? folder = null, Action<StepRecord>? progress = null, CancellationToken cancellation = default, Action<string>? tell = null)
    {
        using var scope = NewDisposeScope();
        using var pretrainer = new Pretrainer(Toy.Config, Toy.Tokenizer, settings, Toy.Target) { Log = tell };
        var steps = pretrainer.Run(Rows, folder, progress, cancellation);
        return (steps, Toy.Bytes(pretrainer.EncoderTensors()));
    }

    private static void Same((string Steps, SortedDictionary<string, byte[]> Encoder) expected, (string Steps, SortedDictionary<string, byte[]> Encoder) actual)
    {
        Assert.Equal(expected.Steps, actual.Steps);
        Assert.Equal(expected.Encoder, actual.Encoder);
    }
}
