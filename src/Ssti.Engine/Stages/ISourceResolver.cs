namespace Ssti.Engine.Stages;

/// <summary>A URI among the parameters, taken apart by who knows its scheme.</summary>
/// <param name="Name">What it names, the same however it is written: lock files list sources by it.</param>
/// <param name="Address">The URI without a revision.</param>
/// <param name="Revision">The revision that it names for good; null when what it means may change.</param>
public sealed record RemoteSource(string Name, string Address, string? Revision)
{
    /// <summary>The URI at a revision, as it stands in a key.</summary>
    public string At(string revision) => $"{Address}@{revision}";
}

/// <summary>What a source means now.</summary>
/// <param name="Revision">The revision.</param>
/// <param name="Told">Who said so and when, for people.</param>
public sealed record ResolvedSource(string Revision, string Told);

/// <summary>
/// Says what a URI means before it goes into a key, so that the engine itself knows no scheme and no server: the same key is then the same content.
/// </summary>
public interface ISourceResolver
{
    /// <summary>Takes a URI apart, asking nobody; null when it is none of this resolver's: such a URI stands in keys as it is written.</summary>
    /// <param name="kind">The kind of stage that names it: one name may be a model and a data set.</param>
    /// <param name="uri">The URI.</param>
    /// <exception cref="StageException">It is malformed.</exception>
    RemoteSource? Read(IStageKind kind, string uri);

    /// <summary>Says what a URI means now, perhaps from a short while ago.</summary>
    /// <param name="kind">The kind of stage that names it.</param>
    /// <param name="uri">A URI without a revision of its own.</param>
    /// <param name="anew">Whether to ask, whatever is known from before.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StageException">Nobody knows; the message says what to do.</exception>
    Task<ResolvedSource> ResolveAsync(IStageKind kind, string uri, bool anew, CancellationToken cancellation);
}
