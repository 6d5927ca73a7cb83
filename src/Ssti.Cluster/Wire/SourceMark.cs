using Ssti.Engine.Running;

namespace Ssti.Cluster.Wire;

/// <summary>Stands in messages for the path of a source, which differs from machine to machine and is nobody else's business.</summary>
internal static class SourceMark
{
    public static string Of(int source) => $"<source {source}>";

    /// <summary>Puts marks where a silo's own paths stand.</summary>
    public static string Put(string text, IReadOnlyList<OrderSource> sources)
    {
        for (var i = 0; i < sources.Count; i++) text = text.Replace(sources[i].Path, Of(i), StringComparison.Ordinal);
        return text;
    }
}
