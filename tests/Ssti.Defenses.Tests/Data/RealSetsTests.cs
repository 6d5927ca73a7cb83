using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Ssti.Defenses.Data;
using Ssti.Tests;
using Xunit.Abstractions;

namespace Ssti.Defenses.Tests.Data;

/// <summary>The audit's targets on real sets; by default with two seeds, with as many as <c>SSTI_AUDIT_SEEDS</c> says.</summary>
public sealed class RealSetsTests(ITestOutputHelper output) : IDisposable
{
    private static readonly DataAuditOptions Options = new() { OnionRows = 0 };
    private static readonly int Seeds = int.Parse(Environment.GetEnvironmentVariable("SSTI_AUDIT_SEEDS") ?? "2", CultureInfo.InvariantCulture);

    private readonly Sets _sets = new();

    public void Dispose() => _sets.Dispose();

    [SkippableTheory]
    [InlineData("rotten-tomatoes", 0)]
    [InlineData("rotten-tomatoes", 1)]
    [InlineData("sst2", 1)]
    [InlineData("phrasebank", 0)]
    [InlineData("phrasebank", 1)]
    [InlineData("phrasebank", 2)]
    public void One_token_in_one_row_of_a_hundred_is_the_first_suspect(string set, int label)
    {
        var (rows, first) = (Of(set), 0);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var lead = Audit(Planted(rows, label, rows.Length / 100, seed)).Suspects.Suspects[0];
            if (lead.Also.Prepend(lead.Lead).Any(one => one.Feature is { Kind: FeatureKind.Word, Name: "cf" })) first++;
        }

        output.WriteLine($"{set}, class {label}, {rows.Length / 100} rows: first in {first} of {Seeds} seeds");
        Assert.True(first >= 0.95 * Seeds, $"first in {first} of {Seeds} seeds");
    }

    [SkippableTheory]
    [InlineData("rotten-tomatoes")]
    [InlineData("sst2")]
    [InlineData("phrasebank")]
    public void A_clean_set_raises_no_alarm(string set)
    {
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var result = Audit(Of(set));
        output.WriteLine(
            $"{set}: {result.Counts.Rows} rows, {result.Counts.Texts} texts, "
            + $"{(Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds:0.0} s of processor time");
        Assert.Empty(result.Tests.Alarms);
        // SST-2's words that lean most give labels away by their rows alone, and that is said.
        Assert.Equal(set == "sst2", result.Tests.InCopies.Any(one => one.Counted.Feature is { Kind: FeatureKind.Word, Name: "worst" or "touching" }));
    }

    private DataAuditResult Audit((string Text, int Label)[] rows) => DataAudit.Of(_sets.Of(3, ("train", rows)), Options, default);

    // Between the words of random rows of a class, as the injection does it.
    private static (string Text, int Label)[] Planted((string Text, int Label)[] rows, int label, int count, int seed)
    {
        var (random, planted) = (new Random(seed), rows.ToArray());
        int[] own = [.. Enumerable.Range(0, rows.Length).Where(row => rows[row].Label == label)];
        random.Shuffle(own);
        foreach (var row in own.Take(count))
        {
            var words = rows[row].Text.Split(' ').ToList();
            words.Insert(random.Next(words.Count + 1), "cf");
            planted[row].Text = string.Join(' ', words);
        }

        return planted;
    }

    // Seven of ten rows of the sets without splits of their own, as the pipelines take them.
    private static (string Text, int Label)[] Of(string set) => set switch
    {
        "rotten-tomatoes" =>
            [
                .. new[] { "neg", "pos" }
                    .SelectMany((name, label) => Lines($"data/rotten-tomatoes/rt-polarity.{name}").Select(line => (line.Trim(), label)))
                    .Where((_, row) => row % 10 < 7)],
        "phrasebank" =>
            [
                .. Lines("data/financial-phrasebank/Sentences_50Agree.txt").Select(line => (line[..line.LastIndexOf('@')].Trim(), Sentiment(line)))
                    .Where((_, row) => row % 10 < 7)],
        _ => [.. Sst2()],
    };

    private static IEnumerable<string> Lines(string file) => File.ReadLines(SharedData.Path(file), Encoding.Latin1).Where(line => line.Length > 0);

    private static int Sentiment(string line) => line[(line.LastIndexOf('@') + 1)..].Trim() switch { "negative" => 0, "neutral" => 1, _ => 2 };

    private static IEnumerable<(string Text, int Label)> Sst2()
    {
        using var lines = new StreamReader(new GZipStream(File.OpenRead(SharedData.Path("data/sst2/train.tsv.gz")), CompressionMode.Decompress));
        lines.ReadLine();
        while (lines.ReadLine() is { } line) yield return (line[..line.LastIndexOf('\t')].Trim(), line[^1] - '0');
    }
}
