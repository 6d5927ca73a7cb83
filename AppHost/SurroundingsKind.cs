namespace Ssti.AppHost;

/// <summary>What the services run on.</summary>
internal enum SurroundingsKind
{
    /// <summary>Redis and MinIO in containers.</summary>
    Containers,

    /// <summary>A Redis of this machine, and a folder.</summary>
    RedisServer,

    /// <summary>Nothing but the services themselves, and a folder.</summary>
    Alone,
}
