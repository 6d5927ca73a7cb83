using Ssti.Engine.Running;

namespace Ssti.Cluster.Silo;

/// <summary>A silo's job slots and GPUs, and who waits for them: first come, first served, but a smaller one may go first where a larger one does not fit yet.</summary>
/// <param name="jobs">Job slots.</param>
/// <param name="gpus">The numbers of the GPUs.</param>
/// <param name="perGpu">How many stages each is given to at once.</param>
internal sealed class SlotQueue(int jobs, IEnumerable<int> gpus, int perGpu = 1)
{
    private readonly Lock _lock = new();
    private readonly Slots _slots = new(jobs, gpus, memory: null, perGpu);
    private readonly List<Waiter> _waiting = [];

    /// <summary>Job slots and GPUs that are free, places on GPUs that are shared already, and how many wait.</summary>
    public (int Jobs, int Gpus, int Shared, int Waiting) State
    {
        get
        {
            lock (_lock) return (_slots.FreeJobs, _slots.FreeGpus, _slots.SharedPlaces, _waiting.Count);
        }
    }

    /// <summary>Waits for a place.</summary>
    /// <param name="order">For what.</param>
    /// <param name="waiting">Called when there is need to wait.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<Place> TakeAsync(WorkOrder order, Action waiting, CancellationToken cancellation)
    {
        var waiter = new Waiter(_slots.ShareOf(order.Kind, order.Policy, order.Compute));
        lock (_lock)
        {
            _waiting.Add(waiter);
            Admit();
        }

        if (!waiter.Place.Task.IsCompleted) waiting();
        await using var registration = cancellation.Register(() =>
        {
            lock (_lock)
                if (_waiting.Remove(waiter)) waiter.Place.TrySetCanceled(cancellation);
        });
        return await waiter.Place.Task.ConfigureAwait(false);
    }

    private void Admit()
    {
        foreach (var waiter in _waiting.ToList())
        {
            if (_slots.TryTake(waiter.Share) is not { } taken) continue;
            _waiting.Remove(waiter);
            waiter.Place.SetResult(new Place(this, taken));
        }
    }

    private void Return(Slots.Place taken)
    {
        lock (_lock)
        {
            _slots.Return(taken);
            Admit();
        }
    }

    private sealed record Waiter(Slots.Share Share)
    {
        public TaskCompletionSource<Place> Place { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Slots and GPUs that one stage holds.</summary>
    internal sealed class Place(SlotQueue queue, Slots.Place taken) : IDisposable
    {
        private SlotQueue? _queue = queue;

        /// <summary>The GPUs' numbers.</summary>
        public IReadOnlyList<int> Gpus => taken.Gpus;

        /// <summary>How many stages each of them is given to at once at most.</summary>
        public int PerGpu => taken.PerGpu;

        public void Dispose() => Interlocked.Exchange(ref _queue, null)?.Return(taken);
    }
}
