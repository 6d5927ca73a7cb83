namespace Ssti.Engine.Pipelines;

/// <summary>The profile that a pipeline was loaded with, and what it was not left as.</summary>
/// <param name="Name">The profile's name.</param>
/// <param name="Changed">The parameters that <c>--set</c> or a local value changed afterwards, in ordinal order.</param>
public sealed record AppliedProfile(string Name, IReadOnlyList<string> Changed)
{
    /// <summary>As results tell it: <c>smoke</c>, or <c>smoke, with other seeds and steps</c>: such a result is not what the profile's name promises.</summary>
    public override string ToString() => Changed.Count switch
    {
        0 => Name,
        1 => $"{Name}, with other {Changed[0]}",
        _ => $"{Name}, with other {string.Join(", ", Changed.SkipLast(1))} and {Changed[^1]}",
    };
}
