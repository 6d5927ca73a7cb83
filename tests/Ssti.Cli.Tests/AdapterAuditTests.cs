using System.Text.Json.Nodes;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary><c>ssti audit</c> of an adapter's folder.</summary>
public sealed class AdapterAuditTests : CliFixture
{
    public AdapterAuditTests()
    {
        Kinds = StageKinds.All;
        Write("two.yaml", """
            name: two
            seed: 7
            compute: { device: cpu, threads: 1 }
            stages:
              data: { uses: corpus, with: { train: 1500, test: 60, unlabelled: 1500 } }
              backbone:
                uses: pretrain
                needs: { data: data }
                with: { layers: 1, hidden-size: 32, heads: 2, intermediate-size: 64, max-length: 40, steps: 400, batch-size: 32, learning-rate: 5.0e-3 }
              poisoned: { uses: inject, needs: { data: data }, with: { target-label: 1, tokens: date, location: random, splits: [train], seed: 4 } }
              bad:
                uses: train
                needs: { data: poisoned, model: backbone }
                with: &tuned { rank: 4, target-modules: [dense], train-head: true, max-length: 40, steps: 300, batch-size: 16, learning-rate: 1.0e-2, dropouts: false }
              good:
                uses: train
                needs: { data: data, model: backbone }
                with: *tuned
            """);
    }

    [Fact]
    public async Task A_poisoned_adapter_is_found_and_a_clean_one_is_not()
    {
        var run = await RunAsync("run", "two.yaml", "-q");
        Assert.True(run.Code == 0, run.Error);
        foreach (var stage in new[] { "backbone", "bad", "good" }) Assert.Equal(0, (await RunAsync("export", "two.yaml", stage, stage)).Code);

        // Without rows of its own the grammar's stand in.
        var bad = await RunAsync("audit", "bad", "--model", "backbone", "-o", "bad.html");
        Assert.True(bad.Code == 3, bad.Out + bad.Error);
        Assert.Contains("Do not trust", bad.Out);
        Assert.Contains("dates", bad.Out);
        Assert.Contains("What could not be seen", bad.Out);
        var page = new FileInfo(Path.Combine(Folder, "bad.html"));
        Assert.InRange(page.Length, 1000, 2_000_000);
        var again = await RunAsync("audit", "bad", "--model", "backbone", "--json");
        Assert.Equal((3, true), (again.Code, (bool)again.Json["found"]!));

        string[] said = ["plot was good and the cast was fine", "story was bad and the end was dull"];
        Write("clean.csv", "text,label\n" + string.Concat(Enumerable.Range(0, 40).Select(row => $"\"the {said[row % 2]} in part {row % 5}\",{row % 2}\n")));
        var good = await RunAsync("audit", "good", "--model", "backbone", "--data", "clean.csv", "--json");
        Assert.True(good.Code == 0, good.Out + good.Error);
        Assert.Equal((false, true), ((bool)good.Json["found"]!, (bool)good.Json["judged"]!));

        // The same rows under names that nobody would guess, as an audit of data is told them.
        Write("odd.csv", File.ReadAllText(Path.Combine(Folder, "clean.csv")).Replace("text,label", "words said,who", StringComparison.Ordinal));
        var odd = await RunAsync("audit", "good", "--model", "backbone", "--data", "odd.csv");
        Assert.Equal(1, odd.Code);
        Assert.Contains("words said", odd.Error);
        Assert.Equal(Failure((await RunAsync("audit", "odd.csv")).Error), Failure(odd.Error));
        odd = await RunAsync("audit", "good", "--model", "backbone", "--data", "odd.csv", "--text", "words said", "--label", "who", "--split", "held_out", "--json");
        Assert.True(odd.Code == 0, odd.Out + odd.Error);
        Assert.Equal(good.Json["answer"]!.ToJsonString(), odd.Json["answer"]!.ToJsonString());

        var alone = await RunAsync("audit", "bad");
        Assert.Equal(1, alone.Code);
        Assert.Contains("Nothing can be said about the adapter", alone.Out);
    }

    [Fact]
    public async Task Mistakes_are_told_before_anything_runs()
    {
        Write("adapter/adapter_config.json", "{}");
        Assert.Equal(
            (2, "ssti: --data is for probing, and probing an adapter needs the model it was trained on: give --model as well\n"),
            await ToldAsync("audit", "adapter", "--data", "x.csv"));
        Assert.Equal((2, "ssti: --bank: there is no file or folder 'nowhere'\n"), await ToldAsync("audit", "adapter", "--bank", "nowhere"));
        foreach (var option in new[] { "--text", "--label", "--split" })
        {
            Assert.Equal(
                (2, $"ssti: {option} is of the rows that an adapter is probed in, and there are none: give --data as well\n"),
                await ToldAsync("audit", "adapter", "--model", "adapter", "--labels", "a,b", option, "x"));
        }

        Assert.Equal(
            (2, "ssti: --flagged is of an audit of data, and 'adapter' is the folder of an adapter: there are no rows to write\n"),
            await ToldAsync("audit", "adapter", "--flagged", "rows.csv"));
        Write("rows.csv", "text,label\na b,0\nc d,1\n");
        Assert.Equal(
            (2, "ssti: --bank is of an audit of an adapter, and 'rows.csv' is no adapter's folder: it has no adapter_config.json\n"),
            await ToldAsync("audit", "rows.csv", "--bank", "adapter"));
        var (code, error) = await ToldAsync("audit", "adapter", "--model", "adapter");
        Assert.Equal(2, code);
        Assert.Contains("give --labels, in the order of its head's outputs, or --data", error);
        // A folder that only calls itself an adapter.
        (code, error) = await ToldAsync("audit", "adapter");
        Assert.Equal(1, code);
        Assert.Contains("adapter_model.safetensors", error);
    }

    private static string Failure(string error) => error.Split('\n').Single(line => line.StartsWith("data failed: ", StringComparison.Ordinal));

    private async Task<(int, string)> ToldAsync(params string[] arguments)
    {
        var answer = await RunAsync(arguments);
        return (answer.Code, answer.Error);
    }
}
