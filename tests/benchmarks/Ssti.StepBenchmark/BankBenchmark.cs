using System.Diagnostics;
using System.Text.Json;
using Ssti.Nets.Fused;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Training;
using Ssti.Training.Banks;
using Ssti.Training.Batches;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

/// <summary>An update of several trainings of one base: of each in turn, and of all in a bank.</summary>
internal static class BankBenchmark
{
    private const int Rounds = 3;

    /// <summary>Prints one JSON line.</summary>
    public static int Run(
        int count, int threads, int warmup, TrunkConfig config, IReadOnlyDictionary<string, Tensor> weights, FineTuningSettings settings, TrainingTarget target,
        TokenizedRows rows, object shape, bool fused)
    {
        List<double> alone = [], together = [], aloneProcessor = [], togetherProcessor = [];
        var (same, joined) = (true, 0L);
        for (var round = 0; round < Rounds; round++)
        {
            // In turn, so that what else the machine does falls on both. Of each alone: the median of its updates; together: of the updates of all of them.
            var start = Processor();
            var each = Enumerable.Range(0, count).Select(i => Threads(1, _ => Train(i, null))[0]).ToArray();
            alone.Add(each.Sum(training => Median(training.Times)));
            aloneProcessor.Add(Processor() - start);
            start = Processor();
            var bank = new TrainingBank(count, target.Device);
            var all = Threads(count, i => Train(i, bank));
            togetherProcessor.Add(Processor() - start);
            same &= each.Zip(all).All(pair => pair.First.Steps == pair.Second.Steps);
            joined = all[0].Joined;
            // Where nothing was joined they went one after another in the bank, too.
            together.Add(joined > 0 ? Median(all[0].Times) : all.Sum(training => Median(training.Times)));
        }

        var (one, other) = (Median(alone), Median(together));
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            program = "ssti bank", trainings = count, shape, updates = settings.Steps - warmup, rounds = Rounds,
            one_after_another_ms = Math.Round(one, 1), together_ms = Math.Round(other, 1),
            ratio = Math.Round(other / one, 3), ratio_of_processor_time = Math.Round(Median(togetherProcessor) / Median(aloneProcessor), 3),
            joined_passes = joined, same_losses = same,
        }));
        return same ? 0 : 1;

        Training Train(int number, TrainingBank? bank)
        {
            LibTorch.UseThreads(threads);
            if (target.Device is { type: DeviceType.CUDA, index: >= 0 and var gpu }) CudaDriver.Use(gpu);
            using var scope = NewDisposeScope();
            using var seat = bank?.Take(number, Console.Error.WriteLine, CancellationToken.None);
            using var tuner = new FineTuner(
                config, Weights.InMemory(weights), settings with { Seed = number }, target,
                seat) { WrittenOut = fused ? FusedEncoder.For : static (_, _) => null };
            var times = new List<double>();
            var clock = Stopwatch.StartNew();
            var steps = tuner.Run(rows, null, _ =>
            {
                if (target.Device.type == DeviceType.CUDA) cuda.synchronize();
                times.Add(clock.Elapsed.TotalMilliseconds);
                clock.Restart();
            }, CancellationToken.None);
            return new Training(times.Skip(warmup), steps, seat?.JoinedPasses ?? 0);
        }
    }

    // Of the process, with all that a training does before and after its updates: steadier than walls where other work is done beside.
    private static double Processor() => Process.GetCurrentProcess().TotalProcessorTime.TotalMilliseconds;

    // As stages have it: each on a thread of its own.
    private static Training[] Threads(int count, Func<int, Training> train)
    {
        var trained = new Training[count];
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() => trained[i] = train(i))).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return trained;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

    private sealed record Training(IEnumerable<double> Times, string Steps, long Joined);
}
