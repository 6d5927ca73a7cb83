using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>
/// The pipelines of this repository and of its documents, mutated: whatever comes in, the loader answers with a pipeline or with diagnostics, within a second.
/// <c>SSTI_FUZZ</c> sets how many files (the full count is 100,000); each file has a seed of its own, so that a failure repeats.
/// </summary>
public sealed partial class PipelineFuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void No_mutated_pipeline_makes_the_loader_crash_or_hang()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("SSTI_FUZZ"), out var asked) ? asked : 10_000;
        var catalog = new StageCatalog(StageKinds.All);
        var seeds = Seeds();
        Assert.True(seeds.Count >= 6, $"only {seeds.Count} pipelines were found to mutate");
        Assert.All(seeds.Take(3), seed => Assert.NotNull(Load(seed, Path.Combine(_folder, "seed"), catalog).Pipeline));
        var loaded = 0;
        Parallel.For(0, count, i =>
        {
            var random = new Random(i);
            var text = PipelineMutator.Mutate(seeds[random.Next(seeds.Count)], seeds[random.Next(seeds.Count)], 7, random);
            var folder = Path.Combine(_folder, Environment.CurrentManagedThreadId.ToString(System.Globalization.CultureInfo.InvariantCulture));
            TimeSpan took;
            var tries = 0;
            do
            {
                var clock = Stopwatch.StartNew();
                PipelineResult result;
                try
                {
                    result = Load(text, folder, catalog);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"file {i} crashed the loader:\n{text}", e);
                }

                took = clock.Elapsed;
                Assert.True(result.Pipeline is not null || result.Diagnostics.Count > 0, $"file {i} gave neither a pipeline nor a reason:\n{text}");
                Assert.All(result.Diagnostics, d => Assert.Matches("^SSTI[0-9]{4}$", d.Code));
                if (result.Pipeline is not null && tries == 0) Interlocked.Increment(ref loaded);
            }
            // A busy machine may stop any thread for a second, but not the same one again and again.
            while (took > TimeSpan.FromSeconds(1) && ++tries < 5);
            Assert.True(took <= TimeSpan.FromSeconds(1), $"file {i} took {took}:\n{text}");
        });

        // Mutations must stay close enough to real files to get past the parser.
        Assert.InRange(loaded, count / 200, count);
    }

    private static PipelineResult Load(string text, string folder, StageCatalog catalog)
    {
        if (!Directory.Exists(folder))
        {
            Copy(Path.Combine(Repository.Root, "pipelines"), folder);
            Directory.CreateDirectory(Path.Combine(folder, ".git"));
        }

        var path = Path.Combine(folder, "fuzzed.yaml");
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(text));
        return PipelineLoader.Load(path, [], catalog);
    }

    // The repository's own files first: they load. Examples of documents may be parts.
    private static List<string> Seeds()
    {
        var root = Repository.Root;
        var files = Directory.GetFiles(Path.Combine(root, "pipelines"), "*.yaml").Order(StringComparer.Ordinal)
            .Concat(Directory.GetFiles(Path.Combine(root, "pipelines", "shared"), "*.yaml").Order(StringComparer.Ordinal));
        var documents = Directory.GetFiles(Path.Combine(root, "docs"), "*.md").Order(StringComparer.Ordinal);
        // The calibrations of audits have thousands of stages: what takes a second there is the grid, and no mutation of it.
        var texts = files.Select(File.ReadAllText).Where(text => !text.Contains("audit-calibration", StringComparison.Ordinal));
        return [.. texts, .. documents.SelectMany(d => Example().Matches(File.ReadAllText(d))).Select(m => m.Groups[1].Value)];
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        foreach (var folder in Directory.GetDirectories(from)) Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }

    [GeneratedRegex(@"^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}
