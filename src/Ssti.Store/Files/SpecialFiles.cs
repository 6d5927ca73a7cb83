namespace Ssti.Store.Files;

/// <summary>Tells files from what only looks like one.</summary>
public static class SpecialFiles
{
    /// <summary>Whether a path is a pipe, a socket or a device, links followed: to read it may never end. False where there is nothing, or it cannot be told.</summary>
    public static bool Is(string path) => Native.IsSpecial(path);
}
