using System.Text.RegularExpressions;

namespace Ssti.Corpus.Sources;

/// <summary>Which files make which split, told from their names alone, so that a remote source downloads no file it does not need.</summary>
internal static partial class SourceLayout
{
    private static readonly Dictionary<string, string> SplitWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = "train", ["training"] = "train", ["test"] = "test", ["testing"] = "test", ["validation"] = "validation",
        ["valid"] = "validation", ["val"] = "validation", ["dev"] = "validation", ["unsupervised"] = "unsupervised", ["unsup"] = "unsupervised",
    };

    private static readonly string[] JsonEndings = [".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"];

    /// <summary>The files of each split, in the order they are read.</summary>
    /// <exception cref="CorpusException">No file fits, or it cannot be told which are meant.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<SourceFile>> Plan(IReadOnlyList<string> names, ImportOptions options, string source)
    {
        var candidates = names.Where(name => InConfig(name, options.Config) && !IsAside(name)).Order(StringComparer.Ordinal).ToList();
        if (options.Files.Count > 0)
        {
            foreach (var pattern in options.Files)
                if (!candidates.Exists(name => Matches(pattern, name))) throw Nothing($"no file fits the pattern '{pattern}'", names, source);
            candidates = [.. candidates.Where(name => options.Files.Any(pattern => Matches(pattern, name)))];
        }

        var files = options.Format == SourceFormat.Auto ? Detect(candidates) : OfFormat(candidates, options.Format, options.Files.Count > 0 || names.Count == 1);
        if (files.Count == 0)
        {
            var wanted = options.Format == SourceFormat.Auto ? "no file of a known format" : $"no file that looks like the format '{options.Format}'";
            throw Nothing(wanted + (options.Config is null ? "" : $" under '{options.Config}'"), names, source);
        }

        var splits = files.GroupBy(SplitOf).ToDictionary(group => group.Key ?? "", group => (IReadOnlyList<SourceFile>)[.. group]);
        if (splits.Count > 1) splits.Remove("");
        else if (splits.Remove("", out var unnamed)) splits["train"] = unnamed;
        foreach (var (split, members) in splits) RequireOneConfig(split, members, source);
        return splits;
    }

    private static List<SourceFile> Detect(List<string> names)
    {
        foreach (var format in new[] { SourceFormat.Parquet, SourceFormat.Jsonl, SourceFormat.Tsv, SourceFormat.Csv, SourceFormat.Phrasebank, SourceFormat.Folder, SourceFormat.Lines })
        {
            var files = OfFormat(names, format, named: false);
            if (files.Count > 0) return files;
        }

        return [];
    }

    private static List<SourceFile> OfFormat(List<string> names, SourceFormat format, bool named) => format switch
    {
        SourceFormat.Parquet => Of(names, format, named, ".parquet"),
        SourceFormat.Jsonl => Of(names, format, named, JsonEndings),
        SourceFormat.CommonsenseQa => Of(names, SourceFormat.Parquet, named: false, ".parquet") is { Count: > 0 } parquet ? parquet : Of(names, format, named, JsonEndings),
        SourceFormat.Tsv => Tables(Of(names, format, named, ".tsv", ".tsv.gz")),
        SourceFormat.Csv => Tables(Of(names, format, named, ".csv", ".csv.gz")),
        SourceFormat.Phrasebank => Phrasebank(names, named),
        SourceFormat.Folder => [.. names.Where(name => name.EndsWith(".txt", StringComparison.Ordinal) && name.Contains('/') && SplitWord(Stem(name)) is null)
            .Select(name => new SourceFile(name, format, Parent(name)))],
        SourceFormat.Lines => Lines(names),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static List<SourceFile> Of(List<string> names, SourceFormat format, bool named, params string[] endings) =>
        [.. names.Where(name => named || Array.Exists(endings, ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)))
            .Select(name => new SourceFile(name, format))];

    // Tables with split names are the splits; others are parts of one split, labelled by their names unless a column says better.
    private static List<SourceFile> Tables(List<SourceFile> files)
    {
        if (files.Exists(file => SplitOf(file) is not null)) return files;
        var depth = files.Count == 0 ? 0 : files.Min(file => file.Name.Count(c => c == '/'));
        var top = files.Where(file => file.Name.Count(c => c == '/') == depth).ToList();
        return top.Count < 2 ? top : [.. top.Select(file => file with { Label = Stem(file.Name) })];
    }

    // The files of one release overlap: those on whom fewer annotators agree hold the others' rows too.
    private static List<SourceFile> Phrasebank(List<string> names, bool named)
    {
        if (named) return [.. names.Select(name => new SourceFile(name, SourceFormat.Phrasebank))];
        string[] widestFirst = ["50Agree", "66Agree", "75Agree", "AllAgree"];
        foreach (var agreement in widestFirst)
            if (names.Find(name => Stem(name).Equals("Sentences_" + agreement, StringComparison.OrdinalIgnoreCase)) is { } found)
                return [new SourceFile(found, SourceFormat.Phrasebank)];
        return [];
    }

    private static List<SourceFile> Lines(List<string> names)
    {
        var files = names.Select(name => new SourceFile(name, SourceFormat.Lines, LineLabel(name))).Where(file => file.Label is not null).ToList();
        // One stem with several extensions is a set; a lone file with an odd extension is not.
        var sets = files.GroupBy(file => file.FileName.EndsWith(".txt", StringComparison.Ordinal) ? Parent(file.Name) : Parent(file.Name) + "/" + Stem(file.Name));
        return [.. sets.Where(set => set.Select(file => file.Label).Distinct().Count() > 1).SelectMany(set => set)];
    }

    private static string? LineLabel(string name)
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        if (file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)) file = file[..^3];
        var extension = Path.GetExtension(file);
        return extension.Length < 2 ? null : extension == ".txt" ? Stem(name) : extension[1..];
    }

    /// <summary>The split a file's name or its nearest folder tells, or null.</summary>
    internal static string? SplitOf(SourceFile file)
    {
        if (Shard().Match(file.FileName) is { Success: true } shard) return SplitWord(shard.Groups[1].Value) ?? shard.Groups[1].Value;
        foreach (var part in file.Name.Split('/').Reverse())
            if (SplitWord(part) is { } split) return split;
        return null;
    }

    private static string? SplitWord(string part) =>
        part.Split('-', '_', '.', ' ').Select(word => SplitWords.GetValueOrDefault(word)).FirstOrDefault(split => split is not null);

    private static void RequireOneConfig(string split, IReadOnlyList<SourceFile> files, string source)
    {
        if (files[0].Format is SourceFormat.Folder or SourceFormat.Lines) return;
        var folders = files.Select(file => file.Name.LastIndexOf('/') is var at and >= 0 ? file.Name[..at] : ".").Distinct().ToList();
        if (folders.Count > 1)
            throw new CorpusException($"{source} has files of '{split}' in several folders ({string.Join(", ", folders)}); choose one with 'config', such as 'config: {folders[0]}', or name the 'files'");
    }

    private static bool IsAside(string name)
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        return name.Split('/').Any(part => part.StartsWith('.')) || file.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ||
            file.StartsWith("README", StringComparison.OrdinalIgnoreCase) || file.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase);
    }

    private static bool InConfig(string name, string? config) => config is null || name.StartsWith(config.TrimEnd('/') + "/", StringComparison.Ordinal);

    internal static bool Matches(string pattern, string name)
    {
        var regex = Regex.Escape(pattern).Replace(@"\*\*/", "(?:.*/)?").Replace(@"\*\*", ".*").Replace(@"\*", "[^/]*").Replace(@"\?", "[^/]");
        return Regex.IsMatch(name, $"^{regex}$", RegexOptions.CultureInvariant);
    }

    private static string Stem(string name) => name[(name.LastIndexOf('/') + 1)..].Split('.')[0];

    private static string Parent(string name) => name.Split('/') is [.., var parent, _] ? parent : "";

    private static CorpusException Nothing(string what, IReadOnlyList<string> names, string source)
    {
        var shown = string.Join(", ", names.Order(StringComparer.Ordinal).Take(12)) + (names.Count > 12 ? $", … ({names.Count} in all)" : "");
        return new($"{source}: {what}; it has: {(names.Count == 0 ? "no files" : shown)}. Set 'format' or 'files'");
    }

    [GeneratedRegex(@"^(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
