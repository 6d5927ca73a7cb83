using Ssti.Training.Banks;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

/// <summary>A bank's trainings are on threads of their own, and its memory is the process's: both are counted while no other test takes or frees any.</summary>
[Collection(AloneCollection.Name)]
public sealed class TrainingBankMemoryTests
{
    [Fact]
    public void Tensors_do_not_gather()
    {
        var counts = new List<long>();
        // All of them are between two passes here: the last to go on from one is the first to be told of the next.
        Bank.Member[] members =
        [
            new(Bank.Settings with { Steps = 80, CheckpointEvery = 0 }, Bank.Rows(31, 0)) { Progress = _ => counts.Add(Tensor.TotalCount) },
            new(Bank.Settings with { Steps = 80, CheckpointEvery = 0, Seed = 2 }, Bank.Rows(31, 0)),
        ];
        using (NewDisposeScope()) Bank.Together(new TrainingBank(2, memory: null), members);
        // Losses wait in sixteens, and one of the two may be an update ahead.
        Assert.True(counts[70] - counts[38] is >= -12 and <= 12, string.Join(' ', counts));
    }

    [Fact]
    public void The_memory_that_work_takes_is_measured()
    {
        if (ProcessMemory.Here() is not { } memory) return;
        memory.Begin();
        var held = new byte[64 << 20];
        Array.Fill(held, (byte)1);
        var use = memory.End()!.Value;
        GC.KeepAlive(held);
        Assert.InRange(use.Taken, 48L << 20, 4L << 30);
        Assert.InRange(use.Free, 1, long.MaxValue / 2);
    }
}

/// <summary>Tests that count what the whole process has: they come after the others, one by one.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "counts of the process";
}
