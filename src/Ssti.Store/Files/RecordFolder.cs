namespace Ssti.Store.Files;

/// <summary>Reads the records of a file store: <c>ac/&lt;key&gt;/&lt;tree&gt;.json</c>.</summary>
internal sealed class RecordFolder(string actions)
{
    /// <summary>Where the records of a key are.</summary>
    public string FolderOf(Digest key) => Path.Combine(actions, key.ToString());

    /// <summary>The summaries of a key's records, best first. One that cannot be read says so.</summary>
    public IReadOnlyList<RecordSummary> Summaries(Digest key)
    {
        List<RecordSummary>? found = null;
        foreach (var (path, tree) in FilesOf(key))
        {
            RecordSummary summary;
            try
            {
                summary = RecordSummary.Parse(Content(path));
                if (summary.Key != key || summary.Tree != tree) summary = summary with { Damage = $"the record {path} says it is another" };
            }
            catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
            {
                summary = new RecordSummary(key, tree, 0, [], 0) { Damage = $"the record {path} cannot be read ({e.Message})" };
            }

            (found ??= []).Add(summary);
        }

        found?.Sort((a, b) => a.Generation != b.Generation ? b.Generation.CompareTo(a.Generation) : a.Tree.CompareTo(b.Tree));
        return found ?? (IReadOnlyList<RecordSummary>)[];
    }

    /// <summary>The records of a key that can be read, best first.</summary>
    public List<ActionRecord> Records(Digest key)
    {
        var found = new List<ActionRecord>();
        foreach (var (path, tree) in FilesOf(key))
        {
            try
            {
                var record = ActionRecord.Parse(Content(path));
                if (record.Key == key && record.Tree == tree) found.Add(record);
            }
            catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
            {
                // A damaged record is no record; the look-up by summaries is what reports it.
            }
        }

        found.Sort((a, b) => a.Generation != b.Generation ? b.Generation.CompareTo(a.Generation) : a.Tree.CompareTo(b.Tree));
        return found;
    }

    // A record never changes under its name, so it takes no lock to read one. Whatever stands in the way, the second attempt says what it is.
    private static byte[] Content(string path) => Native.ReadUnlocked(path) ?? File.ReadAllBytes(path);

    private IEnumerable<(string Path, Digest Tree)> FilesOf(Digest key)
    {
        var folder = FolderOf(key);
        string[] files;
        try
        {
            files = Directory.GetFiles(folder);
        }
        catch (DirectoryNotFoundException)
        {
            yield break;
        }

        foreach (var path in files)
        {
            if (path.EndsWith(".json", StringComparison.Ordinal) && Digest.TryParse(Path.GetFileNameWithoutExtension(path), out var tree)) yield return (path, tree);
        }
    }
}
