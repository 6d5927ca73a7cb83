using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ssti.Corpus.Datasets;
using Ssti.Nets;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;
using Ssti.Training.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

/// <summary>
/// What adapters of one base share in evaluation, on the CPU. In turn, so many rounds: each adapter asked alone, and all of them together, whose logits must be the
/// same bits; then rows tokenised, and the same rows read from where a tokenise stage left them.
/// <c>share model=FOLDER data=ROWS.jsonl [rows=256] [length=512] [adapters=4] [rank=64] [batch=32] [rounds=5] [threads=1] [targets=dense]</c>
/// </summary>
internal static class SharingBenchmark
{
    public static int Run(string[] args)
    {
        var options = args.Select(argument => argument.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        int Number(string name, int otherwise) => options.TryGetValue(name, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
        var (count, length, adapters, rank) = (Number("rows", 256), Number("length", 512), Number("adapters", 4), Number("rank", 64));
        var (batch, rounds, threads) = (Number("batch", 32), Number("rounds", 5), Number("threads", 1));
        var (model, data) = (options["model"], options["data"]);
        string[] targets = options.TryGetValue("targets", out var named) ? named.Split(',') : ["dense"];
        LibTorch.Ensure(new LibTorchOptions { Threads = threads });
        LibTorch.UseThreads(threads);

        var tokenizer = TokenizerFolder.Read(model, model);
        Row[] all = [.. File.ReadLines(data).Select((line, i) => new Row($"{i}", (string)System.Text.Json.Nodes.JsonNode.Parse(line)!["text"]!, 0))];
        var rows = TokenizedRows.Of(all.Where((_, i) => i % Math.Max(1, all.Length / count) == 0).Take(count), tokenizer, length, threads, CancellationToken.None);

        using var scope = NewDisposeScope();
        using var random = new RandomStream(1, CPU);
        var config = BertConfig.Read(Path.Combine(model, "config.json"));
        using var weights = ModelWeights.Read(model);
        using var trunk = new BertTrunk(config, Weights.Encoder(config, weights.Tensors, CPU, ScalarType.Float32));
        SequenceClassifier[] tuned = [.. Enumerable.Range(0, adapters).Select(_ => new SequenceClassifier(
            trunk, LoraAdapter.Create(new LoraConfig(rank, rank, 0, targets) { Start = LoraStart.Random }, trunk, random),
            ClassifierHead.Create(config.HiddenSize, 2, random, CPU)))];

        List<double> alone = [], together = [], made = [], read = [];
        var file = Path.Combine(Path.GetTempPath(), $"ssti-tokens-{Environment.ProcessId}.safetensors");
        for (var round = 0; round < rounds; round++)
        {
            float[][][] one = [], bank = [];
            alone.Add(Seconds(() => one = [.. tuned.Select(classifier => Predictor.Logits(classifier, rows, batch, null, CancellationToken.None))]));
            together.Add(Seconds(() => bank = [.. Predictor.LogitsOfEach(tuned, [rows], batch, null, CancellationToken.None).Select(sets => sets[0])]));
            if (!one.Zip(bank).All(pair => pair.First.Zip(pair.Second).All(logits => logits.First.SequenceEqual(logits.Second))))
                throw new InvalidDataException("adapters that were asked together gave other logits than alone");
        }

        for (var round = 0; round < rounds; round++)
        {
            TokenizedRows here = null!;
            made.Add(Seconds(() => here = TokenizedRows.Of(all, tokenizer, length, threads, CancellationToken.None)));
            if (round == 0) TokenFile.Write(file, here);
            read.Add(Seconds(() => here = TokenFile.Read(file, all, tokenizer, length, file)));
        }

        var bytes = new FileInfo(file).Length;
        File.Delete(file);
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            rows = rows.Count, length, adapters, rank, batch, threads, targets = string.Join(',', targets), rounds,
            alone_s = Median(alone), together_s = Median(together), ratio = Math.Round(Median(together) / Median(alone), 3),
            tokenised_rows = all.Length, tokenise_s = Median(made), read_s = Median(read), file_mb = Math.Round(bytes / 1e6, 1),
        }));
        return 0;
    }

    private static double Seconds(Action work)
    {
        // Of the processor, beside other work: what a thread computes does not depend on whom it waits for.
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        work();
        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
    }

    private static double Median(List<double> values) => Math.Round(values.Order().ElementAt(values.Count / 2), 3);
}
