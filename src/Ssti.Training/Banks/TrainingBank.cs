using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Training.Banks;

/// <summary>
/// Trainings of adapters on one frozen base whose rows go through it together. Each trains on a thread of its own as it does alone: its rows, seed, schedule,
/// clipping, optimiser, records, checkpoints and end are its own. They meet where an update goes through the model.
/// </summary>
/// <remarks>
/// Nobody's bytes depend on who is beside it. Passes are joined only after joined ones of that shape gave every training, bit for bit, the loss and the gradients
/// that it gets alone; where they do not, the trainings go one after the other. One of them computes at a time, so that together they take one place of a machine.
/// </remarks>
public sealed class TrainingBank
{
    // How many joined passes of a shape are held against those of each training alone, before they are believed.
    private const int Trials = 2;

    // Until B has moved, a wrong gradient or a wrong product with A would not show: it moves in the first update, or in the second where the rate begins at 0.
    private const int FirstJoined = 2;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly object _gate = new();
    private readonly bool[] _gone;
    private readonly BankCell?[] _waiting;
    private readonly Dictionary<string, int> _trials = [];
    private readonly IDeviceMemory? _memory;
    private readonly JointEncoders _encoders = new();
    private Trunk? _trunk;
    private int _users, _most;
    private bool _measured;

    /// <summary>A bank.</summary>
    /// <param name="size">How many trainings are expected.</param>
    /// <param name="device">Where they compute.</param>
    public TrainingBank(int size, Device device)
        : this(size, device.type == DeviceType.CUDA ? GpuMemory.Here() : ProcessMemory.Here())
    {
    }

    internal TrainingBank(int size, IDeviceMemory? memory) => (_gone, _waiting, _most, _memory) = (new bool[size], new BankCell?[size], size, memory);

    /// <summary>Called before trainings are joined, with how many; what it throws is taken for the pass's own. For tests.</summary>
    internal Action<int>? Joining { get; init; }

    /// <summary>How many trainings go through the model together at most, as far as is known.</summary>
    internal int Most => _most;

    /// <summary>
    /// Takes a seat for the calling thread, which computes from here on, but for the time that it waits for the others at a pass; to be disposed of on the same thread.
    /// </summary>
    /// <param name="number">Which, from 0.</param>
    /// <param name="log">Told what the bank does.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public BankSeat Take(int number, Action<string>? log, CancellationToken cancellation)
    {
        while (!Monitor.TryEnter(_gate, Look)) cancellation.ThrowIfCancellationRequested();
        if (!cancellation.IsCancellationRequested && !_gone[number]) return new BankSeat(this, number, log, cancellation);
        Monitor.Exit(_gate);
        throw new OperationCanceledException(cancellation);
    }

    /// <summary>Says that nobody comes to a seat any more, or comes back to it: the others wait for it no longer. Does not wait itself.</summary>
    public void Leave(int number)
    {
        Volatile.Write(ref _gone[number], true);
        Wake();
    }

    internal void Exit(int number)
    {
        _waiting[number] = null;
        Volatile.Write(ref _gone[number], true);
        Monitor.PulseAll(_gate);
        Monitor.Exit(_gate);
    }

    internal Trunk Share(Func<Trunk> build)
    {
        _users++;
        return _trunk ??= build();
    }

    internal void Release()
    {
        if (--_users > 0) return;
        _encoders.Dispose();
        _trunk?.Dispose();
        _trunk = null;
    }

    /// <summary>Waits for the others, and takes part in a pass with them; alone where nothing is to be joined, or where it is to stop.</summary>
    internal PassResult Pass(BankSeat seat, BankCell cell)
    {
        using var waking = seat.Cancellation.Register(Wake);
        _waiting[seat.Number] = cell;
        while (!cell.IsDone)
        {
            if (_most == 1 || seat.Cancellation.IsCancellationRequested) cell.Alone();
            else if (AllAreHere()) Round();
            else Monitor.Wait(_gate);
        }

        _waiting[seat.Number] = null;
        return cell.Take();
    }

    // From wherever somebody is cancelled: who computes holds the gate, perhaps for long.
    private void Wake() => Task.Run(() =>
    {
        lock (_gate) Monitor.PulseAll(_gate);
    });

    // One that has its result from the last round, and did not come to take it yet, is not here.
    private bool AllAreHere() => Enumerable.Range(0, _gone.Length).All(number => Volatile.Read(ref _gone[number]) || _waiting[number] is { IsDone: false });

    private void Round()
    {
        var cells = _waiting.OfType<BankCell>().Where(cell => !cell.IsDone).ToList();
        if (!_measured) Measure(cells[0]);
        var left = cells.Where(cell => !cell.IsDone && cell.Update >= FirstJoined).ToList();
        while (left.Count > 1)
        {
            // One may fit nobody, not even itself.
            var alike = left.Where(cell => cell.Fits(left[0])).ToList();
            left = [.. left.Skip(1).Except(alike)];
            // Of about the same size: nine where eight have room are five and four.
            if (alike.Count < 2) continue;
            foreach (var part in alike.Chunk(Share(alike.Count, Share(alike.Count, _most)))) Join(part);
        }

        _encoders.Sweep();
        foreach (var cell in cells.Where(cell => !cell.IsDone)) cell.Alone();
        Monitor.PulseAll(_gate);
    }

    // What one training's pass takes says how many have room; what is free is asked once, and half of it left alone.
    private void Measure(BankCell cell)
    {
        _measured = true;
        _memory?.Begin();
        cell.Alone();
        if (_memory?.End() is not { Taken: > 0 } use) return;
        var room = (int)Math.Clamp(use.Free / 2 / use.Taken, 1, _most);
        if (room < _most) Tell($"a training's pass takes {use.Taken >> 20} MiB, and {use.Free >> 20} are free: {room} go through the model together");
        _most = room;
    }

    // Whoever has nothing afterwards makes its pass alone.
    private void Join(IReadOnlyList<BankCell> cells)
    {
        var shape = $"{cells[0].Rows.Length}: {string.Join(',', cells.Select(cell => $"{cell.Rows.Count} of {cell.Adapter.Parameters.Count}"))}";
        var trials = _trials.GetValueOrDefault(shape);
        if (cells.Count == 1 || _most == 1) return;
        Action[] marks = [.. cells.Select(cell => cell.Random.Mark())];
        IReadOnlyList<PassResult> results;
        try
        {
            Joining?.Invoke(cells.Count);
            results = JointPass.Of(cells, _encoders);
        }
        catch (Exception e)
        {
            foreach (var mark in marks) mark();
            if (!IsOutOfMemory(e))
            {
                // Whoever it is due to fails by itself.
                Tell($"a pass of {cells.Count} trainings together failed, and each makes its own: {e.GetType().Name}: {e.Message.Split('\n')[0]}");
                return;
            }

            _most = Share(cells.Count, 2);
            Tell($"{cells.Count} trainings together are too many for the memory: {_most} from here on");
            foreach (var half in cells.Chunk(_most)) Join(half);
            return;
        }

        if (trials < Trials) Try(cells, results, marks, shape);
        else foreach (var (cell, result) in cells.Zip(results)) cell.Give(result);
    }

    private void Try(IReadOnlyList<BankCell> cells, IReadOnlyList<PassResult> results, IReadOnlyList<Action> marks, string shape)
    {
        var same = true;
        foreach (var ((cell, joint), mark) in cells.Zip(results).Zip(marks))
        {
            mark();
            cell.Alone();
            same &= cell.HasGot(joint);
            joint.Dispose();
        }

        _trials[shape] = _trials.GetValueOrDefault(shape) + 1;
        if (!same) _most = 1;
        if (!same) Tell($"{cells.Count} trainings together give other bytes here than each alone: they go one after the other");
        else if (_trials[shape] == Trials) Tell($"{cells.Count} trainings together give the bytes of each alone, and go through the model together from here on");
    }

    private void Tell(string line)
    {
        foreach (var cell in _waiting.OfType<BankCell>()) cell.Log?.Invoke(line);
    }

    private static int Share(int count, int parts) => (count + parts - 1) / parts;

    // libtorch's words for it on CUDA and on the CPU, and the C++ library's.
    private static bool IsOutOfMemory(Exception error) => error is OutOfMemoryException
        || new[] { "out of memory", "allocate memory", "bad_alloc" }.Any(words => error.Message.Contains(words, StringComparison.OrdinalIgnoreCase));
}
