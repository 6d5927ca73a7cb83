using System.Text.RegularExpressions;

namespace Ssti.Corpus.Hub;

/// <summary>What a repository of the Hub holds.</summary>
public enum HubKind
{
    /// <summary>A data set.</summary>
    Dataset,

    /// <summary>A model.</summary>
    Model,
}

/// <summary>A repository of the Hub at a revision, as <c>hf://owner/name@revision</c> names it.</summary>
/// <param name="Kind">What it holds; the same name may be both.</param>
/// <param name="Id">Owner and name, such as <c>stanfordnlp/imdb</c>.</param>
/// <param name="Revision">A branch, tag, ref or commit.</param>
public sealed partial record HubRepository(HubKind Kind, string Id, string Revision)
{
    /// <summary>How URIs of the Hub begin.</summary>
    public const string Scheme = "hf://";

    /// <summary>The name without its owner.</summary>
    public string Name => Id[(Id.IndexOf('/') + 1)..];

    /// <summary>Whether <see cref="Revision"/> is a commit, which can never mean anything else.</summary>
    public bool IsPinned => Commit().IsMatch(Revision);

    /// <summary>The name that no other repository has, whatever is read: <c>hf://datasets/owner/name</c> for a data set; with the revision unless it is main.</summary>
    public string FullName => $"{Scheme}{(Kind == HubKind.Dataset ? "datasets/" : "")}{Id}{(Revision == "main" || IsPinned ? "" : "@" + Revision)}";

    internal string KindFolder => Kind == HubKind.Dataset ? "datasets" : "models";

    /// <summary>Reads <c>hf://owner/name[@revision]</c>; <c>hf://datasets/owner/name</c> is allowed for data sets.</summary>
    /// <exception cref="CorpusException">It has another form.</exception>
    public static HubRepository Parse(string uri, HubKind kind)
    {
        if (Form().Match(uri) is not { Success: true } form || form.Groups["id"].Value.Contains("..") || form.Groups["revision"].Value.Contains(".."))
            throw new CorpusException($"'{uri}' is not a source; a repository of the Hub is written hf://owner/name or hf://owner/name@revision");
        if (form.Groups["datasets"].Success && kind != HubKind.Dataset) throw new CorpusException($"'{uri}' is a data set, but a model is needed");
        return new HubRepository(kind, form.Groups["id"].Value, form.Groups["revision"] is { Success: true } revision ? revision.Value : "main");
    }

    /// <inheritdoc/>
    public override string ToString() => Revision == "main" ? Scheme + Id : $"{Scheme}{Id}@{Revision}";

    [GeneratedRegex(@"^hf://(?<datasets>datasets/)?(?<id>[A-Za-z0-9][\w.-]*/[\w.-]+)(?:@(?<revision>[\w./-]+))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    [GeneratedRegex("^[0-9a-f]{40}$", RegexOptions.CultureInvariant)]
    internal static partial Regex Commit();
}
