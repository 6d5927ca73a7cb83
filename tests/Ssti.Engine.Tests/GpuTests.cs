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
          t: { uses: compute, matrix: { text: [a, b, c, d, e, f, g, h] }, with: { text: "${{ matrix.text }}" } }
        """;

    private readonly Sandbox _box = new();
    private readonly ConcurrentDictionary<string, string> _seen = new();
    private readonly ConcurrentDictionary<string, int> _busy = new();
    private readonly ConcurrentDictionary<string, int> _most = new();

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

    [Theory]
    // Cards are filled evenly: three stages on two of them are two and one.
    [InlineData(2, 2, 3, "cuda:0 2, cuda:1 1")]
    [InlineData(2, 2, 8, "cuda:0 2, cuda:1 2")]
    [InlineData(1, 3, 8, "cuda:0 3")]
    [InlineData(4, 2, 4, "cuda:0 1, cuda:1 1, cuda:2 1, cuda:3 1")]
    public async Task Stages_share_a_card_when_told_to_and_it_is_written_down(int gpus, int perGpu, int jobs, string most)
    {
        _box.Probe.Gpus = [0, 1, 2, 3];
        var run = await RunAsync(gpus, perGpu, jobs);

        Assert.All(run.Stages, stage => Assert.Equal(StageState.Done, stage.State));
        Assert.Equal(most, string.Join(", ", _most.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}")));
        foreach (var stage in run.Stages)
        {
            var record = (await _box.Store.RecordsAsync([stage.Key!.Value]))[0].Single();
            Assert.Equal((perGpu, perGpu), (stage.PerGpu, record.PerGpu));
            Assert.Equal(_seen[stage.Instance.Name], $"cuda:{Assert.Single(record.Gpus)}");
            Assert.Contains($"on GPU {record.Gpus[0]}, shared by up to {perGpu} stages", await File.ReadAllTextAsync(stage.LogPath!));
            Assert.DoesNotContain("perGpu", record.Document.ToJsonString());
        }

        var past = new RunHistory(_box.Workspace).Read(run.RunId)!;
        Assert.All(past.Stages, stage => Assert.Equal(perGpu, stage.PerGpu));
        Assert.Contains($"\"perGpu\":{perGpu}", RunTrace.Write(past));
        Assert.Equal(gpus, run.Gpus.Count);
        Assert.Equal(run.Gpus.Select(gpu => (gpu.Gpu, gpu.Stages)), GpuUse.Of(past).Select(gpu => (gpu.Gpu, gpu.Stages)));
        // How much of the time lies between stages is the machine's load, too.
        Assert.All(run.Gpus, gpu => Assert.InRange(gpu.Share, double.Epsilon, 1));
        // With a card of its own it is the same stage.
        Assert.All((await RunAsync(1)).Stages, stage => Assert.Equal(StageState.Cached, stage.State));
    }

    [Fact]
    public async Task A_record_of_a_stage_with_a_card_of_its_own_says_nothing_of_sharing()
    {
        _box.Probe.Gpus = [0];
        var run = await RunAsync(1);
        var record = (await _box.Store.RecordsAsync([run.Stages[0].Key!.Value]))[0].Single();
        Assert.Null(record.PerGpu);
        Assert.DoesNotContain("perGpu", System.Text.Encoding.UTF8.GetString(record.ToJson()));
        Assert.DoesNotContain("shared", await File.ReadAllTextAsync(run.Stages[0].LogPath!));
    }

    [Fact]
    public void Slots_fill_cards_evenly_and_give_whole_ones_to_who_takes_several()
    {
        var slots = new Slots(16, [0, 1, 3], memory: 10, perGpu: 2);
        var one = new Slots.Share(1, 1, 0);
        var two = new Slots.Share(1, 2, 0, WholeGpus: true);
        Assert.Equal((6, 1), (slots.Room(one), slots.Room(two)));
        var places = Enumerable.Range(0, 4).Select(_ => slots.TryTake(one)!).ToList();
        Assert.Equal([0, 1, 3, 0], places.Select(place => place.Gpus.Single()));
        Assert.All(places, place => Assert.Equal(2, place.PerGpu));
        Assert.Equal((0, 2, 2), (slots.FreeGpus, slots.SharedPlaces, slots.Room(one)));
        // A card with somebody on it is nobody's to have whole.
        Assert.Null(slots.TryTake(two));
        slots.Return(places[1]);
        Assert.Null(slots.TryTake(two));
        slots.Return(places[2]);
        var whole = slots.TryTake(two)!;
        Assert.Equal([1, 3], whole.Gpus);
        Assert.Equal(1, whole.PerGpu);
        Assert.Null(slots.TryTake(one));
        slots.Return(whole);
        slots.Return(places[0]);
        // The emptiest first, whatever its number.
        Assert.Equal([1, 3, 0], Enumerable.Range(0, 3).Select(_ => slots.TryTake(one)!.Gpus.Single()));
    }

    [Fact]
    public void A_stage_that_asks_for_more_cards_than_there_are_has_all_of_them_to_itself()
    {
        var slots = new Slots(8, [0], memory: null, perGpu: 4);
        var kind = new DelegateKind("compute", (_, _) => Task.CompletedTask, tensors: true);
        var share = slots.ShareOf(kind, new Pipelines.StagePolicy(Gpus: 2), compute: null);
        var small = slots.TryTake(slots.ShareOf(kind, new Pipelines.StagePolicy(Gpus: 1), compute: null))!;
        Assert.Null(slots.TryTake(share));
        slots.Return(small);
        var whole = slots.TryTake(share)!;
        Assert.Equal([0], whole.Gpus);
        Assert.Equal((1, 0, 0), (whole.PerGpu, slots.FreeGpus, slots.SharedPlaces));
    }

    [Fact]
    public void Memory_is_that_of_the_machine_however_many_share_a_card()
    {
        var slots = new Slots(8, [0], memory: 10, perGpu: 4);
        var share = new Slots.Share(1, 1, 4);
        Assert.NotNull(slots.TryTake(share));
        Assert.NotNull(slots.TryTake(share));
        Assert.Null(slots.TryTake(share));
    }

    [Fact]
    public void The_use_of_a_card_is_the_union_of_the_times_of_its_stages()
    {
        PastStage Stage(int gpu, double start, double end, int together = 1) =>
            new($"t@{gpu}-{start}", "train", "done", null, null, start, end, null, null, null, null) { Gpus = [gpu], Together = together };
        var run = new PastRun("000001-0000", "p", "", "", default, "succeeded", 100, new Dictionary<string, string>(),
            [
                Stage(1, 10, 20), Stage(1, 15, 30), Stage(1, 17, 19), Stage(1, 40, 50),
                Stage(0, 2, 6, together: 2), Stage(0, 2, 6, together: 2),
                Stage(0, 0, 0) with { Gpus = [], Ended = 100 },
            ], []);
        var uses = GpuUse.Of(run);
        Assert.Equal([new GpuUse(0, 2, 2, 6, 4, 4), new GpuUse(1, 4, 10, 50, 30, 37)], uses);
        Assert.Equal((1, 0.75), (uses[0].Share, uses[1].Share));
        Assert.Equal(37 / 30.0, uses[1].AtOnce);
        // Numbers of cards say nothing where they are those of several machines.
        Assert.Empty(GpuUse.Of(run with { IsElsewhere = true }));
    }

    private Task<RunResult> RunAsync(int gpus, int perGpu = 1, int jobs = 8) =>
        _box.Run(_box.Load(Yaml, Catalog()), new RunOptions { Jobs = jobs, Gpus = gpus, PerGpu = perGpu });

    private StageCatalog Catalog() => TestKinds.Catalog(new DelegateKind("compute", async (context, cancellation) =>
    {
        var device = context.Compute.Device;
        _seen[context.StageName] = device;
        if (device != "cpu")
        {
            var users = _busy.AddOrUpdate(device, 1, (_, users) => users + 1);
            _most.AddOrUpdate(device, users, (_, most) => Math.Max(most, users));
            Assert.InRange(users, 1, context.PerGpu);
        }

        await Task.Delay(150, cancellation);
        _busy.AddOrUpdate(device, 0, (_, users) => users - 1);
        await File.WriteAllTextAsync(context.Output("text.txt"), "computed", cancellation);
    }, tensors: true));
}
