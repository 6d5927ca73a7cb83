using Ssti.Engine.Pipelines;
using Ssti.Engine.Yaml;
using Ssti.Store.Files;

namespace Ssti.Engine.Parameters;

/// <summary>Where a path written in a pipeline may lead: nowhere outside the pipeline's repository, links followed.</summary>
internal static class PathRules
{
    /// <summary>The absolute path, or null and the reason why it is refused.</summary>
    public static string? Resolve(SourceFile source, string text, out string? problem)
    {
        problem = null;
        try
        {
            var full = Path.GetFullPath(text, source.Folder);
            if (source.Root is null) return full;
            if (!IsInside(source.Root, full)) problem = $"the path '{text}' leads out of {source.Root}";
            else if (Escaping(source.Root, full) is { } link) problem = $"the path '{text}' leads out of {source.Root} by the link {link}";
            return problem is null ? full : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem = $"the path '{text}' cannot be followed: {e.Message}";
            return null;
        }
    }

    /// <summary>The folder that a pipeline's paths may not leave: that of its repository, or its own when there is none.</summary>
    public static string RootOf(string folder) => ProjectFolder.Of(folder) ?? folder;

    private static bool IsInside(string root, string path) =>
        path == root || path.StartsWith(root.EndsWith(Path.DirectorySeparatorChar) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // A link on the way (or in the folder that is named) may lead where the words do not.
    private static string? Escaping(string root, string path)
    {
        var at = root;
        foreach (var part in Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar))
        {
            at = Path.Combine(at, part);
            if (Leads(root, at)) return at;
        }

        if (!Directory.Exists(path)) return null;
        return FolderWalk.Entries(path, once: true).FirstOrDefault(entry => Leads(root, entry.FullName))?.FullName;
    }

    // By the path the kernel would take, not by the words of the link: those may lead over another link.
    private static bool Leads(string root, string path)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is null) return false;
        if (Path.Exists(path)) return !IsInside(FolderWalk.RealPath(root), FolderWalk.RealPath(path));
        return info.ResolveLinkTarget(returnFinalTarget: true) is not { } target || !IsInside(root, target.FullName);
    }
}
