namespace Ssti.Engine.Stages;

/// <summary>What stages of one kind must have in common to be worked at together, see <see cref="StageGroup"/>.</summary>
/// <param name="Text">Whatever of the parameters must be equal, as text.</param>
/// <param name="Inputs">Inputs that must be the same trees.</param>
public sealed record StageLikeness(string Text, params IReadOnlyList<string> Inputs);

/// <summary>
/// Stages that are begun together on one place of the machine, so that they can share work. Each is executed as ever: under its own key and lock, with its own
/// attempts, log, progress, timeout and record. What they share is up to their kind, and may change no byte of any.
/// </summary>
/// <param name="size">How many.</param>
public sealed class StageGroup(int size)
{
    private readonly Lock _lock = new();
    private readonly bool[] _left = new bool[size];
    private Action<int>? _told;
    private object? _shared;

    /// <summary>How many stages were begun together.</summary>
    public int Size { get; } = size;

    /// <summary>What the group has in common: made by the first that asks.</summary>
    /// <param name="make">Makes it.</param>
    /// <param name="left">Tells it that a member, by its number, works no more with the others; also of those that left before. Must not wait.</param>
    public T Share<T>(Func<T> make, Action<T, int> left)
        where T : class
    {
        lock (_lock)
        {
            if (_shared is T there) return there;
            var made = make();
            _shared = made;
            _told = number => left(made, number);
            for (var number = 0; number < Size; number++)
                if (_left[number]) _told(number);
            return made;
        }
    }

    internal bool HasLeft(int number)
    {
        lock (_lock) return _left[number];
    }

    internal void Leave(int number)
    {
        lock (_lock)
        {
            if (_left[number]) return;
            _left[number] = true;
            _told?.Invoke(number);
        }
    }
}

/// <summary>A stage's membership of a group.</summary>
/// <param name="Group">The group.</param>
/// <param name="Number">Which of its members it is, from 0.</param>
public sealed record GroupSeat(StageGroup Group, int Number)
{
    internal bool HasLeft => Group.HasLeft(Number);

    internal void Leave() => Group.Leave(Number);
}
