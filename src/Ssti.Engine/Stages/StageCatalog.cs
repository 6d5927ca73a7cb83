namespace Ssti.Engine.Stages;

/// <summary>The kinds of stage that <c>uses:</c> can name.</summary>
public sealed class StageCatalog
{
    private readonly SortedDictionary<string, IStageKind> _kinds = new(StringComparer.Ordinal);

    /// <summary>Makes a catalogue.</summary>
    /// <exception cref="ArgumentException">Two kinds have one name.</exception>
    public StageCatalog(IEnumerable<IStageKind> kinds)
    {
        foreach (var kind in kinds)
            if (!_kinds.TryAdd(kind.Name, kind)) throw new ArgumentException($"two stage kinds are named '{kind.Name}'", nameof(kinds));
    }

    /// <summary>All kinds by name.</summary>
    public IReadOnlyCollection<IStageKind> Kinds => _kinds.Values;

    /// <summary>The kind of a name, or null.</summary>
    public IStageKind? Find(string name) => _kinds.GetValueOrDefault(name);
}
