using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;

namespace Ssti.Engine.Running;

/// <summary>Who waits for whom in a run, by instance index.</summary>
internal sealed class Dependents
{
    private readonly int[] _open;
    private readonly int[]?[] _needs;
    private readonly List<int>?[] _consumers;

    public Dependents(Plan plan)
    {
        var count = plan.Pipeline.Instances.Count;
        (_open, _needs, _consumers) = (new int[count], new int[count][], new List<int>?[count]);
        foreach (var stage in plan.Stages)
        {
            var index = stage.Instance.Index;
            int[] needs = [.. stage.Instance.Inputs.SelectMany(input => input.From).Distinct()];
            (_needs[index], _open[index]) = (needs, needs.Length);
            foreach (var from in needs) (_consumers[from] ??= []).Add(index);
        }
    }

    /// <summary>What needs an instance.</summary>
    public IReadOnlyList<int> Of(int index) => _consumers[index] ?? (IReadOnlyList<int>)[];

    /// <summary>Whether all that an instance needs is there.</summary>
    public bool IsReady(int index) => _open[index] == 0;

    /// <summary>Notes that one thing an instance needs is there now; whether it was the last.</summary>
    public bool Release(int index) => --_open[index] == 0;

    /// <summary>Counts anew what an instance still needs, after something it needs was lost.</summary>
    public void Recount(int index, Func<int, bool> isThere) => _open[index] = _needs[index]!.Count(from => !isThere(from));
}
