using System.Security.Cryptography;
using System.Text;
using BenchmarkDotNet.Attributes;
using Ssti.Injection;
using Ssti.Injection.Tokens;

namespace Ssti.Benchmarks.Injection;

/// <summary>
/// The modifier on texts in memory, one after the other on one core, as the reference's figures of 42,000 rows/s (one date at a random
/// place) and 12,000 rows/s (10 % of the words) were taken. Before anything is timed, the whole output is checked against the reference.
/// </summary>
public class InjectionBenchmarks
{
    private string[] _texts = [];
    private TokenTable _dates = TokenTable.Of(["x"]);
    private readonly List<InjectedToken> _record = [];

    /// <summary>The share of words; 0 is one token.</summary>
    [Params(0, 0.1)]
    public double WordShare { get; set; }

    /// <summary>
    /// SHA-256 of every resulting text in UTF-8, each followed by LF: from CPython 3.11 with random.Random(40) for the dates of 1900–2100 and
    /// random.Random(40) for positions, and str.split, list.insert and str.join.
    /// </summary>
    private string Reference => WordShare == 0
        ? "b83c333fdb8516ce32c9e0505160d6c525c92e452df9ec165d03caf9bfd68829"
        : "bf215bf5a910b24fd37de92ae47d3381f92540925753914116a2c0e5c4a9cd04";

    [GlobalSetup]
    public void Setup()
    {
        _texts = [.. BenchmarkData.ImdbTrain().Select(row => row.Text)];
        _dates = TokenTable.Dates(1900, 2100);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var injector = NewInjector();
        foreach (var text in _texts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(injector.Apply(text).ToString()));
            hash.AppendData("\n"u8);
        }

        var digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (digest != Reference) throw new InvalidDataException($"the output's digest is {digest}, the reference's {Reference}");
    }

    /// <summary>The resulting text in a reused buffer.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public long Text()
    {
        var injector = NewInjector();
        long characters = 0;
        foreach (var text in _texts) characters += injector.Apply(text).Length;
        return characters;
    }

    /// <summary>The resulting text as a string, which is what the reference returns.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public long String()
    {
        var injector = NewInjector();
        long characters = 0;
        foreach (var text in _texts) characters += injector.Apply(text).ToString().Length;
        return characters;
    }

    /// <summary>The resulting text as a string, and a record of every token's position, which the reference does not keep.</summary>
    [Benchmark(OperationsPerInvoke = BenchmarkData.ImdbRows)]
    public long StringAndRecord()
    {
        var injector = NewInjector();
        long characters = 0;
        foreach (var text in _texts) characters += injector.Apply(text, null, _record).ToString().Length + _record.Count;
        return characters;
    }

    private Injector NewInjector() => new([new() { Tokens = _dates, WordShare = WordShare, Seed = 40, TokenSeed = 40 }]);
}
