using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Stages;
using Ssti.Store;

namespace Ssti.Engine.Running;

/// <summary>Which of the stages that are ready are begun together, on one place.</summary>
/// <param name="keys">Says what a stage computes with.</param>
/// <param name="most">How many at most.</param>
internal sealed class Companions(KeyBuilder keys, int most)
{
    /// <summary>
    /// A stage with those that are like it, in their order; itself alone where nobody is. They are spread over the places that are free for them, as far as there is
    /// memory: what could be done side by side is not done together on one.
    /// </summary>
    /// <param name="first">The stage.</param>
    /// <param name="others">Those that are ready behind it.</param>
    /// <param name="share">What each of them takes.</param>
    /// <param name="slots">What is free.</param>
    /// <param name="trees">The output of a stage, by its index.</param>
    public IReadOnlyList<PlannedStage> Of(PlannedStage first, IEnumerable<PlannedStage> others, Slots.Share share, Slots slots, Func<int, Digest> trees)
    {
        if (most < 2 || Likeness(first) is not { } likeness) return [first];
        var compute = keys.Compute(first.Instance);
        // Two of one key are one execution, and the second would wait for the first.
        var alike = others.Where(IsAlike).Prepend(first).DistinctBy(stage => stage.Key).ToList();
        var rooms = Math.Max(1, slots.Room(share));
        var room = share.Memory > 0 ? (int)Math.Clamp(slots.FreeMemory / share.Memory, 1, alike.Count) : alike.Count;
        return [.. alike.Take(Math.Min(Math.Min(most, room), (alike.Count + rooms - 1) / rooms))];

        bool IsAlike(PlannedStage other) => ReferenceEquals(other.Instance.Kind, first.Instance.Kind) && other.Instance.Policy == first.Instance.Policy
            && Likeness(other) is { } theirs && theirs.Text == likeness.Text && keys.Compute(other.Instance) == compute
            && likeness.Inputs.All(name => TreesOf(other, name).SequenceEqual(TreesOf(first, name)));

        IEnumerable<Digest> TreesOf(PlannedStage stage, string input) =>
            stage.Instance.Inputs.Where(given => given.Declaration.Name == input).SelectMany(given => given.From).Select(trees);
    }

    // Beside others it takes as long as all of them: a time limit is for a stage alone.
    private StageLikeness? Likeness(PlannedStage stage) =>
        stage.Instance.Policy.Timeout is null ? stage.Instance.Kind.Likeness(stage.Instance.Parameters, keys.Compute(stage.Instance)) : null;
}
