using System.Diagnostics;
using System.Text.Json;
using Ssti.Nets;
using Ssti.Nets.Fused;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Training;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

// Times the real training step of a BERT of arctic-embed-xs's shape, everything in it: making the batch, forward, backward, clipping, Adafactor.
// Weights are random (values do not change the time) unless a model's folder is named. Prints one JSON line, with the share of the machine's own
// matrix-product rate. That rate is measured before and after the steps, and both in wall and in processor time: a machine with other work to do
// slows the walls, and seldom both alike.
//   step [device=cpu] [dtype=fp32] [batch=32] [length=64] [rank=64] [steps=30] [warmup=5] [dropouts=true] [threads=2] [pinned=true] [model=FOLDER]
//        [lengths=filled|imdb] [fused=true] [pooling=mean-and-last|masked-mean] [bank=1] [hidden=384] [layers=6]
// lengths=imdb gives rows the lengths of IMDB's reviews; filled, three quarters of the length to each. fused=false takes the passes of autograd on the GPU too.
// bank=16 times an update of sixteen trainings, one after another and in one bank, in turn in this process, and says whether their bytes are the same.
// `share` times evaluations of several adapters one by one and together, and tokenised rows made and read; see SharingBenchmark. `check` first of all
// compares the two on the GPU: hidden states, gradients, and the losses of 20 updates.
if (args is ["check", ..]) return FusedCheck.Run();
if (args is ["share", ..]) return SharingBenchmark.Run(args[1..]);
var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair.ElementAtOrDefault(1) ?? "true");
string Option(string name, string otherwise) => options.Remove(name, out var value) ? value : otherwise;
int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString()));

var (device, dtype) = (Option("device", "cpu"), Option("dtype", "fp32"));
var (batch, length, rank) = (Number("batch", 32), Number("length", 64), Number("rank", 64));
var (steps, warmup, threads) = (Number("steps", 30), Number("warmup", 5), Number("threads", 2));
var dropouts = bool.Parse(Option("dropouts", "true"));
var pinned = bool.Parse(Option("pinned", "true"));
var model = Option("model", "");
var lengths = Option("lengths", "filled");
var fused = bool.Parse(Option("fused", "true"));
var pooling = Option("pooling", "mean-and-last");
var (bank, hidden, layers) = (Number("bank", 1), Number("hidden", 384), Number("layers", 6));
if (options.Count > 0)
{
    Console.Error.WriteLine($"unknown option '{options.Keys.First()}'; known: device, dtype, batch, length, rank, steps, warmup, threads, dropouts, pinned, model, "
        + "lengths, fused, pooling, bank, hidden, layers");
    return 2;
}

var torchLibrary = LibTorch.Ensure(new LibTorchOptions { Threads = threads, PinInstructionSet = pinned });
LibTorch.UseThreads(threads);
var target = TrainingTarget.Parse(device, dtype);
var config = model.Length > 0 ? BertConfig.Read(Path.Combine(model, "config.json")) : new BertConfig(30522, hidden, layers, hidden / 32, 4 * hidden, 512);
using var random = new RandomStream(1, CPU);
var weights = model.Length > 0 ? ModelWeights.Read(model).Tensors : Weights.Initial(config.Tensors(), random);
var settings = new FineTuningSettings
{
    Classes = 2, Steps = warmup + steps, BatchSize = batch, CheckpointEvery = 0, Dropouts = dropouts, Seed = 1, Pooling = pooling == "masked-mean" ? HeadPooling.MaskedMean : null,
    Lora = new LoraConfig(rank, rank, dropouts ? 0.05 : 0, ["dense"]),
};
if (bank > 1)
{
    var shape = new { device, dtype, hidden = config.HiddenSize, layers = config.Layers, batch, length, lengths, rank, dropouts, threads, fused };
    return BankBenchmark.Run(bank, threads, warmup, config, weights, settings, target, BenchmarkRows.Of(4 * batch, length, imdb: lengths == "imdb"), shape, fused);
}

using var tuner = new FineTuner(config, weights, settings, target) { WrittenOut = fused ? FusedEncoder.For : static (_, _) => null };

var rates = MatmulRates(target);
var times = new List<(double Wall, double Processor)>();
var clock = Stopwatch.StartNew();
var last = (Wall: 0.0, Processor: ProcessorMilliseconds());
tuner.Run(BenchmarkRows.Of(4 * batch, length, imdb: lengths == "imdb"), null, _ =>
{
    if (device == "cuda") cuda.synchronize();
    var now = (clock.Elapsed.TotalMilliseconds, ProcessorMilliseconds());
    times.Add((now.Item1 - last.Wall, now.Item2 - last.Processor));
    last = now;
}, CancellationToken.None);
rates = [.. rates, .. MatmulRates(target)];
var measured = times.Skip(warmup).ToArray();
var median = Median(measured.Select(time => time.Wall));
var processor = Median(measured.Select(time => time.Processor));
var (rate, processorRate) = (Median(rates.Select(rate => rate.Wall)), Median(rates.Select(rate => rate.Processor)));
// Of padded rows: where padding is dropped nobody counts.
double? work = pooling == "masked-mean" ? null : StepFlops(config, batch, length, rank);
Console.WriteLine(JsonSerializer.Serialize(new
{
    program = "ssti", model = Path.GetFileName(model), device, dtype, batch, length, lengths, rank, dropouts, threads, fused, pooling,
    median_ms = Math.Round(median, 2), min_ms = Math.Round(measured.Min(time => time.Wall), 2), rows_per_s = Math.Round(1000 * batch / median, 1),
    step_gflop = Rounded(work / 1e9, 1), matmul_gflop_per_s = Math.Round(rate / 1e9), best_matmul_gflop_per_s = Math.Round(rates.Max(r => r.Wall) / 1e9),
    share_of_matmul_rate = Rounded(work / (median / 1000) / rate, 3),
    processor_ms = Math.Round(processor, 2), share_of_matmul_rate_in_processor_time = Rounded(work / (processor / 1000) / processorRate, 3),
    libtorch = torchLibrary.Version,
}));
return 0;

// Products only. Forward: every linear and both attention products; backward to activations: the same again, except below the first
// adapted linear; weight gradients: the adapters' alone.
static double StepFlops(BertConfig config, int batch, int length, int rank)
{
    double tokens = (double)batch * length, hidden = config.HiddenSize, inner = config.IntermediateSize;
    var projections = 2 * tokens * 3 * hidden * hidden;
    var attention = 2 * 2 * tokens * length * hidden;
    var dense = 2 * tokens * (hidden * hidden + 2 * hidden * inner);
    var adapters = 2 * tokens * rank * (2 * hidden + 2 * (hidden + inner));
    var forward = config.Layers * (projections + attention + dense + adapters);
    var backward = (config.Layers - 1) * (projections + 2 * attention) + config.Layers * (dense + 2 * adapters);
    return forward + backward;
}

// The rates of large square products in the same precision, threads and instruction set: operations a second of wall and of processor time.
static (double Wall, double Processor)[] MatmulRates(TrainingTarget target)
{
    using var scope = NewDisposeScope();
    using var _ = no_grad();
    var cuda = target.Device.type == DeviceType.CUDA;
    var n = cuda ? 8192 : 2048;
    var (a, b) = (randn(n, n, ScalarType.Float32, target.Device).to(target.Dtype), randn(n, n, ScalarType.Float32, target.Device).to(target.Dtype));
    return [.. Enumerable.Range(0, 9).Select(_ =>
    {
        var (clock, before) = (Stopwatch.StartNew(), ProcessorMilliseconds());
        using var product = matmul(a, b);
        if (cuda) torch.cuda.synchronize();
        return (2.0 * n * n * n / clock.Elapsed.TotalSeconds, 2.0 * n * n * n / ((ProcessorMilliseconds() - before) / 1000));
    }).Skip(1)];
}

static double? Rounded(double? value, int digits) => value is { } number ? Math.Round(number, digits) : null;

static double ProcessorMilliseconds() => Process.GetCurrentProcess().TotalProcessorTime.TotalMilliseconds;

static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;
