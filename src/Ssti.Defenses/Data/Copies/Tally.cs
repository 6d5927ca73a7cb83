namespace Ssti.Defenses.Data;

/// <summary>Rows by class of things that are numbered from 0, and texts by class: rows of one group of near-duplicates are one text.</summary>
/// <param name="classes">Classes.</param>
/// <param name="salt">Tells its things from those of other tallies.</param>
internal sealed class Tally(int classes, int salt)
{
    private int[] _counts = new int[1024 * 2 * classes], _last = new int[1024];

    public int Count { get; private set; }

    /// <summary>Counts a row, once, and tells whether this was the first time. As a text it counts where it is the first of its group that has the thing.</summary>
    /// <param name="id">The thing.</param>
    /// <param name="label">The row's class.</param>
    /// <param name="number">The row's number, from 1.</param>
    /// <param name="group">Its group; -1 where it stands alone.</param>
    /// <param name="seen">Which things groups have had.</param>
    public bool Add(int id, int label, int number, int group, SeenBefore? seen)
    {
        if (id >= _last.Length)
        {
            var size = Math.Max(id + 1, _last.Length * 2);
            Array.Resize(ref _last, size);
            Array.Resize(ref _counts, size * 2 * classes);
        }

        Count = Math.Max(Count, id + 1);
        if (_last[id] == number) return false;
        _last[id] = number;
        _counts[(2 * id * classes) + label]++;
        if (group < 0 || seen!.Add(FrequencySketch.Hash((ulong)group, ((ulong)salt << 32) | (uint)id))) _counts[(((2 * id) + 1) * classes) + label]++;
        return true;
    }

    /// <summary>Rows by class.</summary>
    public int[] Rows(int id) => _counts[(2 * id * classes)..(((2 * id) + 1) * classes)];

    /// <summary>Texts by class.</summary>
    public int[] Texts(int id) => _counts[(((2 * id) + 1) * classes)..((2 * id + 2) * classes)];
}
