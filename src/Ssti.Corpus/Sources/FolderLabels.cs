namespace Ssti.Corpus.Sources;

/// <summary>A text a file, in a folder for each label: which files are rows, and of which label and split.</summary>
internal static class FolderLabels
{
    /// <summary>
    /// The texts that lie in folders of labels. The label's folder is the one below a folder named after a split, or else the one the text
    /// lies in; a text that lies directly in a split's folder, as aclImdb's <c>train/urls_pos.txt</c>, is no row.
    /// </summary>
    public static List<SourceFile> Of(List<string> names) =>
        [.. names.Select(name => (Name: name, Label: Label(name))).Where(file => file.Label is not null)
            .Select(file => new SourceFile(file.Name, SourceFormat.Folder, file.Label))];

    /// <summary>The split of a text: that of the folders above its label's, or of the label's own where it means "none" (<c>unsup</c>).</summary>
    public static string? SplitOf(SourceFile file)
    {
        var folders = file.Name.Split('/')[..^1];
        if (folders.Any(folder => SplitNames.In(folder) == "unsupervised")) return "unsupervised";
        return SplitFolder(folders) is var at and >= 0 && at < folders.Length - 1 ? SplitNames.In(folders[at]) : null;
    }

    private static string? Label(string name)
    {
        var folders = name.Split('/')[..^1];
        if (folders.Length == 0) return null;
        var split = SplitFolder(folders);
        // A lone train.txt in some folder is a split, not a text of the class that the folder is called.
        if (split < 0) return SplitNames.In(FileKinds.Stem(name)) is null ? folders[^1] : null;
        return split < folders.Length - 1 ? folders[split + 1] : null;
    }

    // The first folder that is named after a split and nothing else counts: a label may be called 'train', too.
    private static int SplitFolder(string[] folders)
    {
        var exact = Array.FindIndex(folders, folder => SplitNames.In(folder) is not null and not "unsupervised" && SplitNames.Without(folder).Length == 0);
        return exact >= 0 ? exact : Array.FindIndex(folders, folder => SplitNames.In(folder) is not null and not "unsupervised");
    }
}
