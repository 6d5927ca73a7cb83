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

    /// <summary>The signatures beside the records of a key; what cannot be read is none.</summary>
    public List<RecordSignature> Signatures(Digest key)
    {
        var found = new List<RecordSignature>();
        foreach (var path in AllOf(key))
        {
            if (!RecordSignature.TryName(Path.GetFileName(path), out var tree, out var signer)) continue;
            try
            {
                if (new FileInfo(path).Length <= RecordSignature.Longest) found.Add(new RecordSignature(key, tree, signer, File.ReadAllBytes(path)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A record that nobody signed, for whoever asks.
            }
        }

        return found;
    }

    /// <summary>The files of a record: its own, and the signatures beside it.</summary>
    public IEnumerable<string> FilesOf(Digest key, Digest tree) =>
        AllOf(key).Where(path => Path.GetFileName(path) is var name && (name == $"{tree}.json" || (RecordSignature.TryName(name, out var of, out _) && of == tree)));

    // A record never changes under its name, so it takes no lock to read one. Whatever stands in the way, the second attempt says what it is.
    private static byte[] Content(string path) => Native.ReadUnlocked(path) ?? File.ReadAllBytes(path);

    private IEnumerable<(string Path, Digest Tree)> FilesOf(Digest key)
    {
        foreach (var path in AllOf(key))
        {
            if (path.EndsWith(".json", StringComparison.Ordinal) && Digest.TryParse(Path.GetFileNameWithoutExtension(path), out var tree)) yield return (path, tree);
        }
    }

    private string[] AllOf(Digest key)
    {
        try
        {
            return Directory.GetFiles(FolderOf(key));
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
