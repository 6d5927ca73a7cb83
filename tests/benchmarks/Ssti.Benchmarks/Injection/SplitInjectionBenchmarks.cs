using BenchmarkDotNet.Attributes;
using Ssti.Corpus.Datasets;
using Ssti.Injection;
using Ssti.Injection.Rows;
using Ssti.Injection.Tokens;

namespace Ssti.Benchmarks.Injection;

/// <summary>
/// A whole split from file to file, as the inject stage does it: JSON lines read (twice, as the target class goes first), one date in every
/// row of one class, JSON lines and records written.
/// </summary>
public class SplitInjectionBenchmarks
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-benchmark-").FullName;
    private TokenTable _dates = TokenTable.Of(["x"]);

    [GlobalSetup]
    public void Setup()
    {
        _dates = TokenTable.Dates(1900, 2100);
        using var writer = new DatasetWriter(Path.Combine(_folder, "in"), "imdb", ["neg", "pos"]);
        using (var split = writer.OpenSplit("train"))
            foreach (var (id, text, label) in BenchmarkData.ImdbTrain()) split.Write(new(id, text, label));
        writer.Complete([]);
    }

    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public InjectionCounts FileToFile()
    {
        var data = DatasetReader.OpenFolder(Path.Combine(_folder, "in"));
        var output = Path.Combine(_folder, "out");
        using var writer = new DatasetWriter(output, "imdb", data.Info.Labels);
        using var rows = writer.OpenSplit("train");
        using var records = new InjectionRecordWriter(Path.Combine(output, InjectionRecordFile.NameFor("train")));
        var plan = new InjectionPlan { Steps = [new() { Tokens = _dates, Seed = 40, TokenSeed = 40 }], TargetLabel = 0, RowSeed = 40 };
        return new SplitInjector(plan).Inject(data.Info.Splits[0], () => data.Read("train"), rows.Write, records.Write);
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);
}
