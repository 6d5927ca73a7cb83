namespace Ssti.Engine.Pipelines;

/// <summary>The project that a file belongs to: the nearest folder with a <c>.git</c>, upwards.</summary>
public static class ProjectFolder
{
    /// <summary>The nearest folder with a <c>.git</c> (a folder, or in a worktree a file), this one or above it; null when there is none.</summary>
    public static string? Of(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            if (Path.Exists(Path.Combine(at.FullName, ".git"))) return at.FullName;
        return null;
    }

    /// <summary>
    /// Which pipeline a file is, where several have one name: its path within its project behind the name of the project's folder, such as
    /// <c>SstiPipeline/pipelines/table1.yaml</c>; outside of a project the whole path.
    /// </summary>
    /// <remarks>Clones are one place, as they should be on a store that a team shares; and of a project no home folder stands in a journal that is passed on.</remarks>
    public static string PlaceOf(string file)
    {
        var full = Path.GetFullPath(file);
        if (Of(Path.GetDirectoryName(full) ?? full) is not { } project) return full;
        return Path.Combine(Path.GetFileName(project), Path.GetRelativePath(project, full)).Replace(Path.DirectorySeparatorChar, '/');
    }
}
