using System.Collections.Concurrent;
using Ssti.Engine.Records;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Tests;

/// <summary>Several GPUs: each stage has its own, whatever the key knows of it. The devices are pretended; what is given out is not.</summary>
public sealed class GpuTests : IDisposable
{
    private const string Yaml = """
        name: cards
        compute: { device: cuda }
        stages:
          t: { uses: compute, matrix: { text: [a, b, c, d] }, with: { text: "${{ matrix.text }}" } }
        """;

    private readonly Sandbox _box = new();
    private readonly ConcurrentDictionary<string, string> _seen = new();
    private readonly ConcurrentDictionary<string, int> _busy = new();

    public void Dispose() => _box.Dispose();

    [Theory]
    [InlineData(1, "cuda:0")]
    [InlineData(2, "cuda:0 cuda:1")]
    [InlineData(4, "cuda:0 cuda:1 cuda:2 cuda:3")]
    public async Task Each_stage_at_work_has_a_card_of_its_own(int gpus, string devices)
    {
        _box.Probe.Gpus = [0, 1, 2, 3, 4];
        var run = await RunAsync(gpus);

        Assert.All(run.Stages, stage => Assert.Equal(StageState.Done, stage.State));
        Assert.Equal(devices.Split(' '), _seen.Values.Distinct().Order());
        foreach (var stage in run.Stages)
        {
            var gpu = Assert.Single(stage.Gpus);
            Assert.Equal(_seen[stage.Instance.Name], $"cuda:{gpu}");
            var record = (await _box.Store.RecordsAsync([stage.Key!.Value]))[0].Single();
            Assert.Equal([gpu], record.Gpus);
            Assert.Equal("cuda-sm90", record.Device);
            Assert.DoesNotContain("cuda:", record.Document.ToJsonString());
        }

        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;
        Assert.Equal(run.Stages.Select(stage => stage.Gpus[0]).Order(), past.Stages.Select(stage => stage.Gpus.Single()).Order());
        Assert.Contains("\"gpus\":[", RunTrace.Write(past));
        // On another card it is the same stage.
        Assert.All((await RunAsync(1)).Stages, stage => Assert.Equal(StageState.Cached, stage.State));
    }

    [Fact]
    public async Task Only_cards_of_the_class_in_the_key_are_given_out()
    {
        _box.Probe.Gpus = [0, 2];
        await RunAsync(2);
        Assert.Equal(["cuda:0", "cuda:2"], _seen.Values.Distinct().Order());
    }

    [Fact]
    public async Task More_cards_than_there_are_is_an_error_that_says_how_many()
    {
        _box.Probe.Gpus = [0, 1];
        var error = await Assert.ThrowsAsync<StageException>(() => RunAsync(3));
        Assert.Equal("3 GPUs are asked for (--gpus), and this machine shows 2 of the class cuda-sm90", error.Message);
    }

    [Fact]
    public async Task A_stage_on_the_CPU_takes_no_card_and_one_that_asks_for_two_has_two()
    {
        _box.Probe.Gpus = [0, 1];
        var catalog = Catalog();
        var cpu = await _box.Run(_box.Load("stages: { t: { uses: compute } }", catalog), new RunOptions { Gpus = 2 });
        Assert.Empty(cpu.Stages[0].Gpus);
        Assert.Equal("cpu", _seen["t"]);
        var both = await _box.Run(_box.Load("stages: { u: { uses: compute, compute: { device: cuda }, resources: { gpu: 2 } } }", catalog), new RunOptions { Gpus = 2 });
        Assert.Equal([0, 1], both.Stages[0].Gpus);
        Assert.Equal("cuda:0", _seen["u"]);
    }

    [Fact]
    public void Slots_give_out_the_lowest_numbers_and_take_them_back()
    {
        var slots = new Slots(8, [0, 1, 3], memory: null);
        var two = slots.TryTake(new Slots.Share(1, 2, 0))!;
        var one = slots.TryTake(new Slots.Share(1, 1, 0))!;
        Assert.Equal("0 1, 3", $"{string.Join(' ', two.Gpus)}, {string.Join(' ', one.Gpus)}");
        Assert.Null(slots.TryTake(new Slots.Share(1, 1, 0)));
        slots.Return(two);
        Assert.Equal([0], slots.TryTake(new Slots.Share(1, 1, 0))!.Gpus);
        Assert.Equal((1, 6), (slots.FreeGpus, slots.FreeJobs));
    }

    private Task<RunResult> RunAsync(int gpus) => _box.Run(_box.Load(Yaml, Catalog()), new RunOptions { Jobs = 8, Gpus = gpus });

    private StageCatalog Catalog() => TestKinds.Catalog(new DelegateKind("compute", async (context, cancellation) =>
    {
        var device = context.Compute.Device;
        _seen[context.StageName] = device;
        if (device != "cpu") Assert.Equal(1, _busy.AddOrUpdate(device, 1, (_, users) => users + 1));
        await Task.Delay(150, cancellation);
        _busy.AddOrUpdate(device, 0, (_, users) => users - 1);
        await File.WriteAllTextAsync(context.Output("text.txt"), "computed", cancellation);
    }, tensors: true));
}
