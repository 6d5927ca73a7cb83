using System.Net;
using Orleans.Runtime;
using Ssti.Cluster.Grains;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Wire;
using Ssti.Store;

namespace Ssti.Cluster.Tests;

public sealed class RosterTests
{
    private static readonly ComputeMessage Cpu = new("cpu", "cpu-avx2", 2, "fp32", false, "2.10.0");
    private static readonly ComputeMessage Cuda = new("cuda", "cuda-sm90", 2, "fp32", false, "2.10.0");
    private readonly Clock _clock = new();

    [Fact]
    public void What_was_sent_to_a_silo_counts_until_it_reports_again()
    {
        var roster = Ready(Silo(1, free: 2), Silo(2, free: 2));
        var chosen = Enumerable.Range(0, 6).Select(_ => roster.Choose(Train(), null).Silo!.Endpoint.Port).ToList();
        Assert.Equal(3, chosen.Count(port => port == 1));
        Assert.Equal(3, chosen.Count(port => port == 2));
    }

    [Fact]
    public void A_silo_that_does_not_report_or_is_declared_dead_is_forgotten()
    {
        var dead = new HashSet<SiloAddress>();
        var roster = new Roster(_clock, dead.Contains);
        roster.Note(Silo(1));
        _clock.Now += TimeSpan.FromSeconds(4);
        roster.Note(Silo(2));
        _clock.Now += TimeSpan.FromSeconds(3);
        Assert.Equal([2], roster.Silos().Select(silo => silo.Silo.Endpoint.Port));
        dead.Add(Silo(2).Silo);
        Assert.Empty(roster.Silos());
    }

    [Fact]
    public void A_silo_that_stops_or_is_avoided_is_not_chosen()
    {
        var roster = Ready(Silo(1), Silo(2) with { Draining = true });
        Assert.Equal(1, roster.Choose(Train(), null).Silo!.Endpoint.Port);
        var avoided = roster.Choose(Train(), Silo(1).Silo);
        // There is one, but not now: that is worth waiting for.
        Assert.Equal((null, null), (avoided.Silo, avoided.Error));
    }

    [Fact]
    public void A_kind_that_nobody_runs_may_still_come_and_one_of_another_version_will_not()
    {
        var roster = Ready(Silo(1));
        Assert.Null(roster.Choose(Train() with { Kind = "table" }, null).Error);
        Assert.Contains("version 1, not 2", roster.Choose(Train() with { Version = 2 }, null).Error, StringComparison.Ordinal);
        Assert.Contains(
            "computes on cpu-avx2 with libtorch 2.10.0, not on cuda-sm90",
            roster.Choose(Train() with { DeviceClass = "cuda-sm90" }, null).Error, StringComparison.Ordinal);
        Assert.Contains("has no GPU to give", roster.Choose(Train() with { Gpus = 1 }, null).Error, StringComparison.Ordinal);
        Assert.Contains("speaks protocol 9", Ready(Silo(1) with { Protocol = 9 }).Choose(Train(), null).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_roster_that_has_just_begun_waits_before_it_says_no()
    {
        var roster = new Roster(_clock, _ => false);
        roster.Note(Silo(1));
        Assert.Null(roster.Choose(Train() with { Version = 2 }, null).Error);
    }

    [Fact]
    public void Gpu_work_goes_to_gpus_and_other_work_leaves_them_free()
    {
        var roster = Ready(Silo(1) with { Gpus = 2, FreeGpus = 2, Devices = [Cpu, Cuda] }, Silo(2));
        Assert.Equal(1, roster.Choose(Train() with { DeviceClass = "cuda-sm90", Gpus = 1 }, null).Silo!.Endpoint.Port);
        Assert.Equal(2, roster.Choose(Train(), null).Silo!.Endpoint.Port);
    }

    [Fact]
    public void Silos_that_share_their_gpus_are_filled_before_a_stage_waits_and_whole_gpus_are_whole()
    {
        var shared = Silo(1) with { Jobs = 16, FreeJobs = 16, Gpus = 2, FreeGpus = 2, PerGpu = 2, Devices = [Cuda] };
        var one = Train() with { DeviceClass = "cuda-sm90", Gpus = 1 };
        Assert.True(shared.HasRoomFor(1, 2));
        foreach (var (free, places) in ((int, int)[])[(1, 1), (0, 2), (0, 1), (0, 0)])
        {
            Assert.True(shared.HasRoomFor(1, 1));
            shared = shared.With(1, 1);
            Assert.Equal((free, places, 0), (shared.FreeGpus, shared.SharedPlaces, shared.Queued));
            Assert.False(shared.HasRoomFor(1, 2));
        }

        Assert.Equal(1, shared.With(1, 1).Queued);
        Assert.Equal((16 - 4, 0), (shared.FreeJobs, shared.With(1, 1).SharedPlaces));
        // Both silos have four places: none has a stage wait while the other has one.
        var roster = Ready(
            shared with { FreeJobs = 16, FreeGpus = 2 }, Silo(2) with { Jobs = 16, FreeJobs = 16, Gpus = 4, FreeGpus = 4, Devices = [Cuda] });
        var chosen = Enumerable.Range(0, 8).Select(_ => roster.Choose(one, null).Silo!.Endpoint.Port).ToList();
        Assert.Equal((4, 4), (chosen.Count(port => port == 1), chosen.Count(port => port == 2)));
        Assert.All(roster.Silos(), silo => Assert.Equal(0, silo.Queued));
    }

    [Fact]
    public void A_grains_name_says_which_silos_can_do_it()
    {
        var name = new StageName("train", 3, "cuda-sm90", "2.10.0", Digest.Of("x"));
        Assert.Equal(name, StageName.Parse(name.ToString()));
        var plain = new StageName("inject", 1, null, null, Digest.Of("y"));
        Assert.Equal(plain, StageName.Parse(plain.ToString()));
        Assert.Null(StageName.Parse("train/3/x"));

        var silo = Silo(1) with { Kinds = new() { ["train"] = 3, ["inject"] = 1 }, Devices = [Cuda] };
        var dead = new HashSet<SiloAddress>();
        var known = new KnownSilos(dead.Contains);
        Assert.Empty(known.For(plain));
        known.Hear([silo, Silo(2)]);
        Assert.Equal([silo.Silo], known.For(name));
        Assert.Equal([silo.Silo], known.For(plain));
        Assert.Empty(known.For(name with { Version = 2 }));
        Assert.Empty(known.For(name with { LibTorch = "2.11.0" }));
        Assert.Empty(known.For(name with { DeviceClass = "cpu-avx2" }));
        dead.Add(silo.Silo);
        Assert.Empty(known.For(plain));
        dead.Clear();
        known.Hear([]);
        Assert.Empty(known.For(plain));
    }

    private static StageNeeds Train() => new("train", 1, "cpu-avx2", "2.10.0", Jobs: 1, Gpus: 0);

    private static SiloReport Silo(int port, int free = 2) => new()
    {
        Silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, port), 1),
        Service = "training",
        Kinds = new() { ["train"] = 1 },
        Devices = [Cpu],
        Jobs = 2,
        Gpus = 0,
        FreeJobs = free,
        Store = "/s",
        Protocol = StageMessage.Protocol,
    };

    private Roster Ready(params SiloReport[] silos)
    {
        var roster = new Roster(_clock, _ => false);
        _clock.Now += TimeSpan.FromSeconds(5);
        foreach (var silo in silos) roster.Note(silo);
        return roster;
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
