using BenchmarkDotNet.Attributes;
using Ssti.Corpus.Datasets;
using Ssti.Nets.Tokenizers;
using Ssti.Training.Batches;

namespace Ssti.Benchmarks.Tokenizing;

/// <summary>IMDB's training split into ids of bert-base-uncased, cut to 512 tokens: that the ids are the reference's is a test's matter.</summary>
public class TokenizingBenchmarks
{
    private const int MaxLength = 512;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-benchmark-").FullName;
    private readonly int[] _ids = new int[MaxLength];
    private WordPieceTokenizer _tokenizer = null!;
    private string[] _texts = [];

    [GlobalSetup]
    public void Setup()
    {
        _tokenizer = WordPieceTokenizer.Load(BenchmarkData.Path("tokenizers/bert-base-uncased/vocab.txt"));
        var rows = BenchmarkData.ImdbTrain();
        _texts = [.. rows.Select(row => row.Text)];
        using var writer = new DatasetWriter(_folder, "imdb", ["neg", "pos"]);
        using (var split = writer.OpenSplit("train"))
            foreach (var (id, text, label) in rows) split.Write(new(id, text, label));
        writer.Complete([]);
    }

    /// <summary>What train and evaluate stages do: JSON lines read as a stream, two threads at the tokenizer, the ids kept and the texts not.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public int FileToIdsOnTwoThreads() => FileToIds(2);

    /// <summary>The same with one thread at the tokenizer.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public int FileToIdsOnOneThread() => FileToIds(1);

    /// <summary>The tokenizer alone on texts in memory, on one core.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public long TextToIds()
    {
        long kept = 0;
        foreach (var text in _texts) kept += _tokenizer.Encode(text, _ids).Kept;
        return kept;
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_folder, recursive: true);

    private int FileToIds(int threads) =>
        TokenizedRows.Of(DatasetReader.OpenFolder(_folder).Read("train"), _tokenizer, MaxLength, threads, CancellationToken.None).Count;
}
