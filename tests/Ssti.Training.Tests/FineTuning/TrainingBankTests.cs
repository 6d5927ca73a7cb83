using Ssti.Corpus.Tests;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Training.Banks;
using Ssti.Training.FineTuning;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Tests.FineTuning;

public sealed class TrainingBankTests
{
    [Fact]
    public void Trainings_of_all_kinds_give_in_a_bank_the_bytes_of_each_alone()
    {
        var ended = Bank.Together(new TrainingBank(4, memory: null), Bank.Unlike);
        foreach (var (member, end) in Bank.Unlike.Zip(ended))
        {
            Assert.Null(end.Error);
            Tuned.Same(Bank.Alone(member), end.Result!);
        }

        // Two updates before anything moves, two beside each alone; of the others' ten updates three are without the training that has but seven, and of those two
        // are beside each alone again.
        Assert.Equal([4, 4, 3, 4], ended.Select(end => end.Joined));
        Assert.Contains("4 trainings together give the bytes of each alone, and go through the model together from here on", ended[0].Log);
        Assert.Contains("3 trainings together give the bytes of each alone, and go through the model together from here on", ended[0].Log);
    }

    [Fact]
    public void Passes_that_are_written_out_go_together_by_ranks_that_are_stored_alike()
    {
        var lora = Bank.Settings.Lora;
        Bank.Member[] members =
        [
            .. new[]
            {
                new Bank.Member(Bank.Settings, Bank.Rows(31, 0)), new(Bank.Settings with { Lora = lora with { Rank = 16, Alpha = 16 }, Seed = 3 }, Bank.Rows(31, 2)),
                new(Bank.Settings with { Lora = lora with { Rank = 7, Alpha = 7 }, Seed = 41, LearningRate = 3e-2, TrainHead = true }, Bank.Rows(23, 1)),
                new(Bank.Settings with { Lora = lora with { Rank = 16, Alpha = 16 }, Seed = 4, BatchSize = 32, MicroBatchSize = 16 }, Bank.Rows(31, 0)),
                new(Bank.Settings with { Lora = lora with { Rank = 8, Alpha = 16 }, Seed = 5 }, Bank.Rows(31, 0)),
            }.Select(member => member with { IsWrittenOut = true }),
        ];
        var ended = Bank.Together(new TrainingBank(5, memory: null), members);
        foreach (var (member, end) in members.Zip(ended))
        {
            Assert.Null(end.Error);
            Tuned.Same(Bank.Alone(member), end.Result!);
        }

        // Ranks 4 and 7 are both stored as 8; that of rank 8 is scaled otherwise. Of rank 16 one has updates in two parts, of which the first alone draws as the other's:
        // when that has made its 5th, 7th and 9th update. Two of a set's passes are beside each alone.
        Assert.Equal([6, 1, 6, 1, 0], ended.Select(end => end.Joined));
    }

    [Fact]
    public void Passes_in_parts_and_looks_at_other_rows_are_each_trainings_own_too()
    {
        var plain = Bank.Settings with { Steps = 8 };
        Bank.Member[] members =
        [
            new(plain with { BatchSize = 32, MicroBatchSize = 16 }, Bank.Rows(31, 0)),
            new(plain with { Validation = new ValidationSettings(2, 1), LearningRate = 0.3, Seed = 3 }, Bank.Rows(23, 0)) { Validation = Bank.Rows(9, 23) },
            new(plain with { Seed = 5 }, Bank.Rows(20, 1)),
        ];
        var ended = Bank.Together(new TrainingBank(3, memory: null), members);
        foreach (var (member, end) in members.Zip(ended)) Tuned.Same(Bank.Alone(member), end.Result!);
        Assert.All(ended, end => Assert.True(end.Joined > 0, string.Join('\n', end.Log)));
    }

    [Fact]
    public void Where_joined_passes_give_other_bytes_each_training_goes_alone()
    {
        // 16 wide: MKL adds up another way for other counts of rows.
        var settings = Bank.Settings with { BatchSize = 3 };
        Bank.Member[] members = [new(settings, Bank.Rows(31, 0)), new(settings with { Seed = 2 }, Bank.Rows(31, 0))];
        var ended = Bank.Together(new TrainingBank(2, memory: null), members);
        foreach (var (member, end) in members.Zip(ended)) Tuned.Same(Bank.Alone(member), end.Result!);
        Assert.All(ended, end => Assert.Equal(0, end.Joined));
        Assert.Contains("2 trainings together give other bytes here than each alone: they go one after the other", ended[0].Log);
    }

    [Fact]
    public void Trainings_that_do_not_fit_each_other_go_alone_in_one_bank()
    {
        Bank.Member[] members =
        [
            new(Bank.Settings, Bank.Rows(31, 0)), new(Bank.Settings with { Dropouts = false }, Bank.Rows(31, 0)),
            new(Bank.Settings with { Lora = Bank.Settings.Lora with { UseDora = true } }, Bank.Rows(31, 0)),
            new(Bank.Settings with { Lora = new LoraConfig(4, 4, 0.05, ["query"]) }, Bank.Rows(31, 0)),
            new(Bank.Settings with { Train = TrainedPart.Head }, Bank.Rows(31, 0)), new(Bank.Settings with { Seed = 9 }, Bank.Rows(31, 0)),
        ];
        var ended = Bank.Together(new TrainingBank(6, memory: null), members);
        foreach (var (member, end) in members.Zip(ended)) Tuned.Same(Bank.Alone(member), end.Result!);
        Assert.True(ended[0].Joined > 0 && ended[5].Joined > 0);
        Assert.All(ended.Skip(1).SkipLast(1), end => Assert.Equal(0, end.Joined));
    }

    [Fact]
    public void One_that_fails_takes_nobody_down()
    {
        Bank.Member[] members =
        [
            new(Bank.Settings, Bank.Rows(31, 0)), new(Bank.Settings, Bank.Rows(31, 0)) { Progress = record => Fail(record.Step == 6) },
            new(Bank.Settings with { LearningRate = 1e6, Seed = 2 }, Bank.Rows(31, 0)), new(Bank.Settings with { Seed = 3 }, Bank.Rows(31, 0)) { IsAbsent = true },
            new(Bank.Settings with { Seed = 4, ClassWeights = [1e38, 1e38] }, Bank.Rows(31, 0)), new(Bank.Settings with { Seed = 5 }, Bank.Rows(31, 0)),
            new(Bank.Settings with { Lora = new LoraConfig(4, 4, 0, ["nothing"]) }, Bank.Rows(31, 0)),
        ];
        var ended = Bank.Together(new TrainingBank(7, memory: null), members);
        Assert.IsType<InvalidOperationException>(ended[1].Error);
        Assert.IsType<TrainingException>(ended[4].Error);
        Assert.IsType<ModelException>(ended[6].Error);
        foreach (var number in new[] { 0, 5 }) Tuned.Same(Bank.Alone(members[number]), ended[number].Result!);
        Assert.True(ended[0].Joined > 0);

        static void Fail(bool now)
        {
            if (now) throw new InvalidOperationException("a bug");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_bank_that_is_interrupted_goes_on_to_the_same_bytes(bool together)
    {
        var folders = Enumerable.Range(0, 3).Select(_ => new TempFolder()).ToArray();
        try
        {
            using var stop = new CancellationTokenSource();
            var members = Bank.Unlike.Take(3).Zip(folders, (member, folder) => member with { Folder = folder.Root }).ToArray();
            var stopped = Bank.Together(new TrainingBank(3, memory: null), [.. members.Select((member, number) => member with
            {
                Cancellation = stop.Token, Progress = record => StopAt(number == 0 && record.Step == 5),
            })]);
            Assert.All(stopped, end => Assert.IsAssignableFrom<OperationCanceledException>(end.Error));
            var again = together ? Bank.Together(new TrainingBank(3, memory: null), members)
                : [.. members.Select(member => Bank.Together(new TrainingBank(1, memory: null), [member])[0])];
            foreach (var (member, end) in members.Zip(again))
            {
                Tuned.Same(Bank.Alone(member with { Folder = null }), end.Result!);
                Assert.Contains(end.Log, line => line.StartsWith("going on from update ", StringComparison.Ordinal));
            }

            Assert.Equal(together, again[0].Joined > 0);

            void StopAt(bool now)
            {
                if (now) stop.Cancel();
            }
        }
        finally
        {
            foreach (var folder in folders) folder.Dispose();
        }
    }

    [Fact]
    public void One_that_is_cancelled_alone_leaves_the_others_to_go_on()
    {
        using var stop = new CancellationTokenSource();
        Bank.Member[] members =
        [
            new(Bank.Settings, Bank.Rows(31, 0)) { Progress = record => StopAt(record.Step == 4) },
            new(Bank.Settings with { Seed = 2 }, Bank.Rows(31, 0)) { Cancellation = stop.Token },
            new(Bank.Settings with { Seed = 3 }, Bank.Rows(31, 0)),
        ];
        var ended = Bank.Together(new TrainingBank(3, memory: null), members);
        Assert.IsAssignableFrom<OperationCanceledException>(ended[1].Error);
        foreach (var number in new[] { 0, 2 }) Tuned.Same(Bank.Alone(members[number] with { Progress = null }), ended[number].Result!);
        Assert.True(ended[0].Joined > 0);

        void StopAt(bool now)
        {
            if (now) stop.Cancel();
        }
    }

    [Theory]
    [InlineData(4, "6 trainings together are too many for the memory: 3 from here on", 3)]
    [InlineData(2, "3 trainings together are too many for the memory: 2 from here on", 2)]
    [InlineData(1, "2 trainings together are too many for the memory: 1 from here on", 1)]
    public void Running_out_of_memory_halves_the_bank_and_changes_no_byte(int most, string line, int left)
    {
        var members = Enumerable.Range(0, 6).Select(i => new Bank.Member(Bank.Settings with { Seed = i, Steps = 8 }, Bank.Rows(31, i))).ToArray();
        var sizes = new List<int>();
        var bank = new TrainingBank(6, memory: null)
        {
            Joining = count =>
            {
                sizes.Add(count);
                if (count > most) throw new InvalidOperationException("CUDA out of memory. Tried to allocate 2.00 GiB");
            },
        };
        var ended = Bank.Together(bank, members);
        foreach (var (member, end) in members.Zip(ended)) Tuned.Same(Bank.Alone(member), end.Result!);
        Assert.Contains(line, ended[0].Log);
        Assert.Equal(left, bank.Most);
        Assert.Equal(6, sizes[0]);
        Assert.Equal(left > 1, ended.All(end => end.Joined > 0));
    }

    [Theory]
    [InlineData(100, 650, 3)]
    [InlineData(100, 10, 1)]
    [InlineData(0, 10, 6)]
    [InlineData(1, 1_000_000, 6)]
    public void How_many_go_together_follows_from_what_the_first_pass_took(long taken, long free, int most)
    {
        var members = Enumerable.Range(0, 6).Select(i => new Bank.Member(Bank.Settings with { Seed = i, Steps = 5 }, Bank.Rows(31, 0))).ToArray();
        var sizes = new List<int>();
        var bank = new TrainingBank(6, new Measured(taken, free)) { Joining = sizes.Add };
        var ended = Bank.Together(bank, members);
        Assert.All(ended, end => Assert.Null(end.Error));
        Assert.Equal(most, bank.Most);
        Assert.All(sizes, size => Assert.Equal(most, size));
        Assert.Equal(most > 1, sizes.Count > 0);
    }

    [Fact]
    public void A_bank_of_one_is_a_training()
    {
        var ended = Bank.Together(new TrainingBank(1, CPU), [Bank.Unlike[1]]);
        Tuned.Same(Bank.Alone(Bank.Unlike[1]), ended[0].Result!);
        Assert.Equal(0, ended[0].Joined);
    }

    private sealed class Measured(long taken, long free) : IDeviceMemory
    {
        public void Begin()
        {
        }

        public (long Taken, long Free)? End() => (taken, free);
    }
}
