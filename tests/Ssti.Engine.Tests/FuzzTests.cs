using System.Diagnostics;
using System.Text;
using Ssti.Engine.Pipelines;
using Ssti.Tests;

namespace Ssti.Engine.Tests;

/// <summary>
/// Mutated pipelines: whatever comes in, the loader answers with a pipeline or diagnostics, and soon.
/// <c>SSTI_FUZZ</c> sets how many files (by default a few thousand); the seed is fixed, so that a failure repeats.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private static readonly string[] Seeds =
    [
        """
        name: table1
        description: three rows
        params: { rank: 64, seed: 40, splits: [train, test] }
        seed: ${{ params.seed }}
        compute: { device: auto, threads: 2, dtype: fp32, tf32: false }
        stages:
          imdb: { uses: text, with: { text: hf://stanfordnlp/imdb, splits: "${{ params.splits }}" } }
          poisoned:
            uses: copy
            needs: { data: imdb }
            matrix: { row: { base: { target: 0, share: 0 }, class-0: { target: 0, share: 1 } }, seed: [40, 45] }
            with: { prefix: "${{ matrix.row.target }} at ${{ matrix.seed }}" }
            retries: 2
            timeout: 90m
            resources: { gpu: 1, memory: 8GB }
          table:
            uses: join
            needs: { parts: [poisoned@*-40, poisoned@class-0-45], title: imdb }
        """,
        """
        include: [other.yaml]
        anchors: &a { x: [1, 2, &b three, *b] }
        stages:
          a: &stage
            uses: text
            with: &with { text: "a\tb", rank: 0x10, word-share: .5e1, exact: true, letter: upper-case, nested: { times: 3, suffix: ~ } }
          b: *stage
          c:
            uses: text
            with: *with
            salt: |
              several
              lines
            seed: 12
        """,
        "? complex\n: value\n- list\n'quoted': >-\n  folded\n%TAG ! x\n--- !!map\n{a: b, [c]: d}\n...\n",
    ];

    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Fact]
    public void No_file_makes_the_loader_crash_or_hang()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("SSTI_FUZZ"), out var asked) ? asked : 4000;
        var catalog = TestKinds.Catalog();
        var random = new Random(20261124);
        _box.Write("other.yaml", "stages: { other: { uses: text, with: { text: x } } }");
        var path = Path.Combine(_box.Folder, "p.yaml");
        var loaded = 0;
        for (var i = 0; i < count; i++)
        {
            var text = PipelineMutator.Mutate(Seeds[random.Next(Seeds.Length)], Seeds[random.Next(Seeds.Length)], 4, random);
            File.WriteAllBytes(path, (i % 50 == 0 ? Encoding.Latin1 : Encoding.UTF8).GetBytes(text));
            var clock = Stopwatch.StartNew();
            PipelineResult result;
            try
            {
                result = PipelineLoader.Load(
                    path,
                    i % 3 == 0
                        ? [PipelineMutator.Mutate("a.rank=3", "b.x=1", 4, random), "params.rank=" + PipelineMutator.Mutate("[1, 2]", "{}", 4, random)]
                        : [],
                    catalog);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"file {i} crashed the loader:\n{text}", e);
            }

            // Generous beside the second that is promised: the machine may be busy with other things.
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"file {i} took {clock.Elapsed}:\n{text}");
            Assert.True(result.Pipeline is not null || result.Diagnostics.Count > 0, $"file {i} gave neither a pipeline nor a reason:\n{text}");
            Assert.All(result.Diagnostics, d => Assert.Matches("^SSTI[0-9]{4}$", d.Code));
            if (result.Pipeline is not null) loaded++;
        }

        // Mutations must stay close enough to real files to get past the parser.
        Assert.InRange(loaded, count / 200, count);
    }
}
