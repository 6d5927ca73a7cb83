using System.Text.Json;

namespace Ssti.Corpus.Sources;

/// <summary>What the name of a file says of its format.</summary>
internal static class FileKinds
{
    /// <summary>The formats of a row a record, the preferred first.</summary>
    public static readonly List<SourceFormat> RowFormats = [SourceFormat.Parquet, SourceFormat.Jsonl, SourceFormat.Tsv, SourceFormat.Csv];

    // What the Hub's library writes beside the data, and what it ignores.
    private static readonly string[] Descriptions =
        ["config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "metadata.json", "package.json", "dummy_data.zip", "requirements.txt"];

    /// <summary>The format of rows that an extension tells, or null.</summary>
    public static SourceFormat? RowFormat(string name) => Bare(name) switch
    {
        ".parquet" when !IsGzip(name) => SourceFormat.Parquet,
        ".jsonl" or ".ndjson" or ".json" => SourceFormat.Jsonl,
        ".tsv" or ".tab" => SourceFormat.Tsv,
        ".csv" => SourceFormat.Csv,
        _ => null,
    };

    /// <summary>The format of a file that stands for itself: of rows, or a text of lines with labels; null when its name tells none.</summary>
    public static SourceFormat? FormatOf(string name) => RowFormat(name) ?? (IsText(name) ? SourceFormat.Fasttext : null);

    /// <summary>Whether a name ends in .json, which may as well be a description of something.</summary>
    public static bool IsPlainJson(string name) => Bare(name) == ".json";

    /// <summary>Whether a file can be of a format of rows, by its extension.</summary>
    public static bool Fits(string name, SourceFormat format) =>
        RowFormat(name) is { } told && (told == format || (format == SourceFormat.CommonsenseQa && told is SourceFormat.Parquet or SourceFormat.Jsonl));

    /// <summary>The format a file is read in: CommonsenseQA is Parquet as well as JSON lines.</summary>
    public static SourceFormat Settled(SourceFormat format, string name) =>
        format == SourceFormat.CommonsenseQa && RowFormat(name) == SourceFormat.Parquet ? SourceFormat.Parquet : format;

    /// <summary>Whether a file's name says that it holds rows in a form that is not read: an archive, a spreadsheet, a pickle.</summary>
    public static bool IsUnreadData(string name) => Path.GetExtension(name).ToLowerInvariant()
        is ".arrow" or ".feather" or ".xlsx" or ".xls" or ".ods" or ".zip" or ".7z" or ".pkl" or ".pickle" or ".bz2" or ".zst" or ".xz" or ".tar" or ".tgz" or ".rar";

    /// <summary>Whether it is a plain text.</summary>
    public static bool IsText(string name) => Bare(name) == ".txt";

    /// <summary>Whether it can be one of several files of sentences, a file a label: not a text named after a split alone, such as <c>train.txt</c>.</summary>
    public static bool IsSentences(string name) => LineLabel(name) is not null;

    /// <summary>Files that are no data: hidden ones, cards, licences, descriptions, scripts.</summary>
    public static bool IsAside(string name)
    {
        var file = name[(name.LastIndexOf('/') + 1)..];
        var stem = Stem(name);
        return name.Split('/').Any(part => part.StartsWith('.') || part.StartsWith("__", StringComparison.Ordinal)) ||
            file.EndsWith(".md", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".py", StringComparison.OrdinalIgnoreCase) ||
            Descriptions.Contains(file, StringComparer.OrdinalIgnoreCase) ||
            ((stem.Equals("README", StringComparison.OrdinalIgnoreCase) || stem.Equals("LICENSE", StringComparison.OrdinalIgnoreCase)) && RowFormat(name) is null);
    }

    /// <summary>The label of a file of sentences: its extension, or the stem of a .txt, without the words of splits; null when there is none.</summary>
    public static string? LineLabel(string name)
    {
        var bare = Bare(name);
        if (bare.Length < 2) return null;
        // As it is written, for it is a class's name.
        var file = IsGzip(name) ? name[..^3] : name;
        var label = bare == ".txt" ? SplitNames.Without(Stem(name)) : Path.GetExtension(file)[1..];
        return label.Length > 0 ? label : null;
    }

    /// <summary>Sets of sentence files: one stem with several extensions, or several texts of one folder.</summary>
    public static List<SourceFile> Lines(List<string> names)
    {
        var files = names.Where(name => RowFormat(name) is null).Select(name => new SourceFile(name, SourceFormat.Lines, LineLabel(name))
        {
            IsLatin1 = name[(name.LastIndexOf('/') + 1)..].StartsWith("rt-polarity.", StringComparison.Ordinal),
        }).Where(file => file.Label is not null).ToList();
        var sets = files.GroupBy(file => IsText(file.Name) ? Parent(file.Name) : Parent(file.Name) + "/" + Stem(file.Name));
        return [.. sets.Where(set => set.Select(file => file.Label).Distinct().Count() > 1).SelectMany(set => set)];
    }

    // The files of one release overlap: those on whom fewer annotators agree hold the others' rows too.
    public static List<SourceFile> Phrasebank(List<string> names, bool named)
    {
        if (named) return [.. names.Select(name => new SourceFile(name, SourceFormat.Phrasebank) { IsLatin1 = true })];
        string[] widestFirst = ["50Agree", "66Agree", "75Agree", "AllAgree"];
        foreach (var agreement in widestFirst)
            if (names.Find(name => Stem(name).Equals("Sentences_" + agreement, StringComparison.OrdinalIgnoreCase)) is { } found)
                return [new SourceFile(found, SourceFormat.Phrasebank) { IsLatin1 = true }];
        return [];
    }

    /// <summary>The file's name without folders and extensions.</summary>
    public static string Stem(string name) => name[(name.LastIndexOf('/') + 1)..].Split('.')[0];

    /// <summary>The name of the folder a file lies in.</summary>
    public static string Parent(string name) => name.Split('/') is [.., var parent, _] ? parent : "";

    /// <summary>A format as pipelines write it.</summary>
    public static string NameOf(SourceFormat format) => JsonNamingPolicy.KebabCaseLower.ConvertName(format.ToString());

    private static bool IsGzip(string name) => name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    // The extension in lower case, without .gz.
    private static string Bare(string name) => Path.GetExtension(IsGzip(name) ? name[..^3] : name).ToLowerInvariant();
}
