namespace Ssti.Cluster.Security;

/// <summary>The files and names that connections of a cluster are made with: all PEM, all read anew for each new connection.</summary>
/// <param name="Certificate">This side's certificate, and behind it those between it and the authority (<c>Ssti__Tls__Certificate</c>).</param>
/// <param name="Key">Its private key, not encrypted (<c>Ssti__Tls__Key</c>).</param>
/// <param name="Authority">The authorities that are believed: one, or several while one takes over from another (<c>Ssti__Tls__Authority</c>).</param>
public sealed record TlsSettings(string Certificate, string Key, string Authority)
{
    /// <summary>A name that the certificate of every silo must have (<c>Ssti__Tls__Name</c>); null for any that the authority signed.</summary>
    public string? Name { get; init; }

    /// <summary>Names of which the certificate of a submitter must have one (<c>Ssti__Tls__Submitters</c>, with commas); none for any that the authority signed.</summary>
    public IReadOnlyList<string> Submitters { get; init; } = [];

    /// <summary>Reads the settings.</summary>
    /// <param name="variables">Gives a variable, or null.</param>
    /// <returns>Null where none is set.</returns>
    /// <exception cref="ClusterException">Some are set and others missing, or a name is none.</exception>
    public static TlsSettings? From(Func<string, string?> variables)
    {
        string[] names = ["Ssti__Tls__Certificate", "Ssti__Tls__Key", "Ssti__Tls__Authority"];
        var files = names.Select(name => Text(variables(name))).ToArray();
        var (name, submitters) = (Text(variables("Ssti__Tls__Name")), Text(variables("Ssti__Tls__Submitters")));
        if (files.All(file => file is null) && name is null && submitters is null) return null;
        if (Array.IndexOf(files, null) is >= 0 and var missing)
            throw new ClusterException($"{names[missing]} is not set, and other settings of TLS are: it takes {string.Join(", ", names[..^1])} and {names[^1]} together");
        var settings = new TlsSettings(Path.GetFullPath(files[0]!), Path.GetFullPath(files[1]!), Path.GetFullPath(files[2]!))
        {
            Name = name,
            Submitters = submitters?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
        };
        foreach (var (asked, where) in settings.Submitters.Select(one => (one, "Ssti__Tls__Submitters")).Append((name ?? "x", "Ssti__Tls__Name")))
            if (Uri.CheckHostName(asked) == UriHostNameType.Unknown) throw new ClusterException($"{where}: '{asked}' is no name that a certificate has, such as ssti-silo");
        return settings;
    }

    private static string? Text(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
