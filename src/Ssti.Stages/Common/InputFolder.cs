using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>An input as a folder, for libraries that want one: links to the stored files, in the stage's scratch folder.</summary>
internal static class InputFolder
{
    /// <summary>Makes the folder anew and returns its path.</summary>
    public static string Of(InputTree tree, string name, StageContext context)
    {
        var folder = Path.Combine(context.ScratchFolder, "inputs", name);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        foreach (var file in tree.Files)
        {
            var link = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, Path.GetFullPath(tree.PathOf(file)));
        }

        return folder;
    }
}
