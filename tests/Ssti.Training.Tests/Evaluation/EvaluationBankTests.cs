using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.Evaluation;

/// <summary>Evaluations that meet in a bank, each on a thread of its own.</summary>
public sealed class EvaluationBankTests : IDisposable
{
    private readonly BertTrunk _trunk = new(Toy.Config, Weights.Encoder(Toy.Config, Toy.Encoder(), CPU, ScalarType.Float32));
    private readonly TokenizedRows _clean = Toy.Tokens(23);

    public void Dispose() => _trunk.Dispose();

    [Fact]
    public async Task Each_gets_what_it_gets_alone_whatever_sets_it_asks_about()
    {
        SequenceClassifier[] models = [.. Enumerable.Range(0, 3).Select(Model)];
        TokenizedRows[][] sets = [[_clean, Toy.Tokens(9)], [_clean], [Toy.Tokens(14), _clean]];
        var bank = new EvaluationBank(3);
        var got = await Task.WhenAll(models.Select((model, i) => Task.Run(() => Ask(bank, i, model, sets[i]))));
        for (var i = 0; i < 3; i++) Assert.Equal(Predictor.Logits(models[i], sets[i], 8, null, CancellationToken.None), got[i]);
    }

    [Fact]
    public async Task A_model_that_has_no_numbers_fails_alone()
    {
        SequenceClassifier[] models = [.. Enumerable.Range(0, 3).Select(Model)];
        foreach (var master in models[1].Head.Parameters.Masters) master.detach().fill_(float.NaN);
        var bank = new EvaluationBank(3);
        var asked = models.Select((model, i) => Task.Run(() => Ask(bank, i, model, [_clean]))).ToArray();
        await Assert.ThrowsAsync<TrainingException>(() => asked[1]);
        foreach (var i in new[] { 0, 2 }) Assert.Equal(Predictor.Logits(models[i], [_clean], 8, null, CancellationToken.None), await asked[i]);
    }

    [Fact]
    public async Task Who_never_comes_stops_or_leaves_is_not_waited_for()
    {
        SequenceClassifier[] models = [.. Enumerable.Range(0, 4).Select(Model)];
        var bank = new EvaluationBank(4);
        bank.Leave(3);
        using var stop = new CancellationTokenSource();
        var stopped = Task.Run(() => Ask(bank, 1, models[1], [_clean], stop.Token));
        var waiting = Task.Run(() => Ask(bank, 0, models[0], [_clean]));
        await Task.Delay(300);
        Assert.False(waiting.IsCompleted);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped);
        // It ends before it asks, as a stage does that refuses its input.
        await Task.Run(() => bank.Take(2, CancellationToken.None).Dispose());
        Assert.Equal(Predictor.Logits(models[0], [_clean], 8, null, CancellationToken.None), await waiting);
    }

    [Fact]
    public async Task What_they_have_in_common_is_made_once_and_goes_with_the_last()
    {
        var bank = new EvaluationBank(2);
        var made = 0;
        var things = await Task.WhenAll(Enumerable.Range(0, 2).Select(i => Task.Run(() =>
        {
            using var seat = bank.Take(i, CancellationToken.None);
            var thing = seat.Once("thing", () => new Thing { Number = ++made });
            using var model = Model(i);
            seat.Logits(model, [_clean], 8, null, CancellationToken.None);
            Assert.False(thing.IsDisposed);
            return thing;
        })));
        Assert.Equal(1, made);
        Assert.Same(things[0], things[1]);
        Assert.True(things[0].IsDisposed);
    }

    private static float[][][] Ask(EvaluationBank bank, int number, SequenceClassifier model, TokenizedRows[] sets, CancellationToken cancellation = default)
    {
        using var seat = bank.Take(number, cancellation);
        return seat.Logits(model, sets, 8, null, cancellation);
    }

    private SequenceClassifier Model(int seed)
    {
        using var random = new RandomStream(seed, CPU);
        return new SequenceClassifier(
            _trunk, LoraAdapter.Create(new LoraConfig(4, 4, 0, ["dense"]) { Start = LoraStart.Random }, _trunk, random), ClassifierHead.Create(_trunk.HiddenSize, 2, random, CPU));
    }

    private sealed class Thing : IDisposable
    {
        public int Number { get; init; }

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
