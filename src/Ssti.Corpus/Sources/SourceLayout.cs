namespace Ssti.Corpus.Sources;

/// <summary>
/// Which files make which split. Told from names alone, so that a remote source downloads no file it does not need: by <c>files</c> and
/// <c>split</c> where the user names them, else by the dataset card, else by the words of splits in the names.
/// </summary>
internal sealed class SourceLayout
{
    private readonly IReadOnlyList<string> _names;
    private readonly ImportOptions _options;
    private readonly string _source;
    private readonly List<string> _notes = [];
    private readonly List<string> _warnings = [];

    private SourceLayout(IReadOnlyList<string> names, ImportOptions options, string source) => (_names, _options, _source) = (names, options, source);

    /// <summary>The files of each split.</summary>
    /// <param name="names">All files of the source.</param>
    /// <param name="options">What to take.</param>
    /// <param name="source">What to call the source in messages.</param>
    /// <param name="card">The source's card.</param>
    /// <param name="lone">Whether the source is a single file, whose name is the user's own business and tells nothing but its format.</param>
    /// <exception cref="CorpusException">No file fits, or it cannot be told which are meant.</exception>
    public static SourcePlan Plan(IReadOnlyList<string> names, ImportOptions options, string source, DatasetCard? card = null, bool lone = false)
    {
        var layout = new SourceLayout(names, options, source);
        return lone ? layout.Lone(names[0]) : layout.Folder(card);
    }

    // The key of a stage covers a lone file's content and extension, so nothing else of its name may matter.
    private SourcePlan Lone(string name)
    {
        var format = _options.Format != SourceFormat.Auto ? _options.Format : FileKinds.FormatOf(name)
            ?? throw Nothing("its format cannot be told from its name", "Set 'format'");
        if (format == SourceFormat.Folder) throw new CorpusException($"{_source}: 'format: folder' needs a folder with a folder for each label, not a file");
        var wanted = _options.Splits.Concat(_options.UnlabelledSplits).ToList();
        var split = _options.Split ?? (wanted is [var only] ? SplitNames.Normal(only) : "train");
        if (_options.Split is null && SplitNames.Of(name) is { } told && told != split)
            _warnings.Add($"'{name}' is named as if it were '{told}', but a file that is the whole source is taken as '{split}': " +
                $"its name says nothing; 'split: {told}' does");
        if (_options.Files.Count > 0) _notes.Add("'files' is for folders: the source is one file, which is taken");
        var label = format == SourceFormat.Lines && !FileKinds.IsText(name) ? FileKinds.LineLabel(name)?.ToLowerInvariant() : null;
        return Done(new() { [split] = [new SourceFile(name, FileKinds.Settled(format, name), label) { IsLatin1 = format == SourceFormat.Phrasebank }] });
    }

    private SourcePlan Folder(DatasetCard? card)
    {
        var candidates = _names.Where(name => !FileKinds.IsAside(name)).Order(StringComparer.Ordinal).ToList();
        if (_options.Files.Count > 0) return Named(candidates);
        var config = card?.Choose(_options.Config, _source);
        if (config is null && card is { Configs.Count: > 0 } && _options.Config is { } unknown &&
            !candidates.Exists(name => name.StartsWith(unknown.Trim('/') + "/", StringComparison.Ordinal)))
        {
            throw new CorpusException($"{_source} has no configuration '{unknown}', neither in its {DatasetCard.FileName} nor as a folder; " +
                $"it has: {string.Join(", ", card.Configs.Select(known => known.Name))}");
        }

        if (config is { Unfollowed: [_, ..] unfollowed })
        {
            _warnings.Add($"{DatasetCard.FileName} says {string.Join(", ", unfollowed.Select(key => $"'{key}'"))} of how its tables are read, which is not followed: " +
                "'header', 'fields', 'delimiter', 'quotes' and 'encoding' of the stage say it here");
        }

        if (config is { DataFiles.Count: > 0 } && _options.Split is null) return OfCard(config, candidates);
        candidates = InConfig(candidates, config);
        var files = _options.Format == SourceFormat.Auto ? Detect(candidates) : OfFormat(candidates, _options.Format);
        if (files.Count == 0)
            throw Nothing(_options.Format == SourceFormat.Auto ? "no file of a known format" : $"no file that can be of the format '{FileKinds.NameOf(_options.Format)}'");
        if (config?.Delimiter is { } delimiter) files = [.. files.Select(file => file with { Delimiter = delimiter })];
        var plan = Parted(files, oneConfig: true);
        if (_options.Split is null) _warnings.AddRange(NameDoubts.Of(plan, _names));
        return plan with { Config = config?.Name ?? _options.Config };
    }

    // What the user names is taken, all of it, whatever its depth and name.
    private SourcePlan Named(List<string> candidates)
    {
        foreach (var pattern in _options.Files)
            if (!candidates.Exists(name => GlobPattern.Matches(pattern, name)))
                throw Nothing($"no file fits the pattern '{pattern}'", "A pattern is relative to the source, with '/' between folders");
        candidates = [.. candidates.Where(name => _options.Files.Any(pattern => GlobPattern.Matches(pattern, name)))];
        List<SourceFile> files;
        if (_options.Format != SourceFormat.Auto) files = OfFormat(candidates, _options.Format, named: true);
        else if (candidates.TrueForAll(name => FileKinds.RowFormat(name) is null)) files = Texts(candidates);
        else
        {
            var unknown = candidates.Find(name => FileKinds.RowFormat(name) is null);
            if (unknown is not null)
                throw new CorpusException($"{_source}: the format of '{unknown}', which 'files' takes, cannot be told from its name; narrow 'files', or say 'format'");
            files = Labelled([.. candidates.Select(name => new SourceFile(name, FileKinds.RowFormat(name)!.Value))]);
        }

        if (files.Count == 0) throw Nothing("the files that 'files' takes are of no known format");
        return Parted(files, oneConfig: false) with { Config = _options.Config };
    }

    private SourcePlan OfCard(CardConfig config, List<string> candidates)
    {
        var splits = new Dictionary<string, IReadOnlyList<SourceFile>>();
        foreach (var (split, patterns) in config.DataFiles)
        {
            var taken = new List<SourceFile>();
            foreach (var pattern in patterns)
            {
                var full = config.DataDir is { } folder ? $"{folder}/{pattern}" : pattern;
                var fitting = candidates.Where(name => GlobPattern.Matches(full, name) || name.StartsWith(full.TrimEnd('/') + "/", StringComparison.Ordinal)).ToList();
                if (fitting.Count == 0)
                    throw new CorpusException($"{_source}: {DatasetCard.FileName} says that '{split}' is '{pattern}', but there is no such file; mend it, or name the 'files'");
                foreach (var name in fitting.Where(name => !taken.Exists(file => file.Name == name)))
                {
                    var format = _options.Format != SourceFormat.Auto ? _options.Format : FileKinds.FormatOf(name)
                        ?? throw new CorpusException($"{_source}: {DatasetCard.FileName} says that '{split}' is '{name}', " +
                            $"{(FileKinds.IsUnreadData(name) ? $"but: {Unread}" : "whose format cannot be told from its name; say 'format'")}");
                    taken.Add(new SourceFile(name, FileKinds.Settled(format, name)) { Delimiter = config.Delimiter });
                }
            }

            splits[split] = splits.TryGetValue(split, out var before) ? [.. before, .. taken] : taken;
        }

        foreach (var twice in splits.SelectMany(split => split.Value.Select(file => (file.Name, split.Key))).GroupBy(file => file.Name).Where(file => file.Count() > 1))
            _warnings.Add($"{DatasetCard.FileName} puts '{twice.Key}' into several splits: {string.Join(", ", twice.Select(file => file.Key))}");
        _notes.Add($"the splits are those of {DatasetCard.FileName} (configuration '{config.Name}')");
        return Done(splits) with { Config = config.Name };
    }

    private List<string> InConfig(List<string> candidates, CardConfig? config)
    {
        if ((config?.DataDir ?? _options.Config)?.Trim('/') is not { Length: > 0 } folder) return candidates;
        var inside = candidates.Where(name => name.StartsWith(folder + "/", StringComparison.Ordinal)).ToList();
        if (inside.Count > 0) return inside;
        if (config is not null && config.DataDir is null) return candidates;
        // A copy of one configuration of the Hub often lacks its folder. Several folders are refused later, so nothing else is taken for it.
        _notes.Add($"there is no configuration '{folder}' here, neither a folder nor in a {DatasetCard.FileName}: taken without");
        return candidates;
    }

    private List<SourceFile> Detect(List<string> names)
    {
        var rows = names.Select(name => (Name: name, Format: FileKinds.RowFormat(name))).Where(file => file.Format is not null)
            .Select(file => new SourceFile(file.Name, file.Format!.Value)).ToList();
        var named = rows.Where(file => SplitNames.Of(file.Name) is not null).ToList();
        if (named.Count > 0) return [.. named.GroupBy(file => SplitNames.Of(file.Name)!).SelectMany(Preferred)];

        var texts = Texts(names);
        if (rows.Count == 0 || (texts is [{ Format: SourceFormat.Folder }, ..] && texts.Exists(file => FolderLabels.SplitOf(file) is not null))) return texts;
        var formats = rows.Where(file => !FileKinds.IsPlainJson(file.Name)).Select(file => file.Format).Distinct().ToList();
        if (formats.Count > 1)
        {
            throw new CorpusException($"{_source} has files of several formats, none named after a split ({Shown([.. rows.Select(file => file.Name)])}); " +
                $"say which with 'files' or 'format', such as 'files: [\"{rows[0].Name}\"]'");
        }

        if (formats.Count == 1) rows = [.. rows.Where(file => !FileKinds.IsPlainJson(file.Name))];
        return Labelled(Shallowest(rows));
    }

    // One format a split: a repository often holds the same rows twice.
    private IEnumerable<SourceFile> Preferred(IGrouping<string, SourceFile> split)
    {
        var formats = split.GroupBy(file => (Rank: FileKinds.RowFormats.IndexOf(file.Format), Plain: FileKinds.IsPlainJson(file.Name), file.IsGzip))
            .OrderBy(group => group.Key).ToList();
        if (formats.Count > 1)
        {
            var names = formats.Select(group => Shown([.. group.Select(file => file.Name)])).ToList();
            _warnings.Add($"'{split.Key}' is there in {formats.Count} formats; taken: {names[0]}; left out: {string.Join(", ", names[1..])}. " +
                "Name the 'files' if that is not meant");
        }

        return formats[0];
    }

    private static List<SourceFile> OfFormat(List<string> names, SourceFormat format, bool named = false) => format switch
    {
        SourceFormat.Phrasebank => FileKinds.Phrasebank(names, named || names.Count == 1),
        SourceFormat.Folder => Classes(names, texts: false),
        SourceFormat.Lines => FileKinds.Lines(names),
        SourceFormat.Fasttext => [.. names.Where(name => named || FileKinds.IsText(name)).Select(name => new SourceFile(name, format))],
        _ => Rows(names, format, named),
    };

    private static List<SourceFile> Rows(List<string> names, SourceFormat format, bool named)
    {
        var fitting = names.Where(name => named || FileKinds.Fits(name, format)).Select(name => new SourceFile(name, FileKinds.Settled(format, name))).ToList();
        // A format that is named decides, also where no name says so.
        if (fitting.Count == 0) fitting = [.. names.Where(name => FileKinds.RowFormat(name) is null).Select(name => new SourceFile(name, format))];
        return fitting.Exists(file => SplitNames.Of(file.Name) is not null) ? fitting : Labelled(named ? fitting : Shallowest(fitting));
    }

    private static List<SourceFile> Texts(List<string> names)
    {
        foreach (var files in new[] { FileKinds.Phrasebank(names, named: false), Classes(names, texts: true), FileKinds.Lines([.. names.Where(FileKinds.IsSentences)]) })
            if (files.Count > 0) return files;
        return [.. names.Where(FileKinds.IsText).Select(name => new SourceFile(name, SourceFormat.Fasttext))];
    }

    private static List<SourceFile> Classes(List<string> names, bool texts)
    {
        var files = FolderLabels.Of([.. names.Where(name => !texts || FileKinds.IsText(name))]);
        return !texts || files.Select(file => file.Label).Distinct().Count() > 1 || files.Exists(file => FolderLabels.SplitOf(file) is not null) ? files : [];
    }

    // Tables without split names are parts of one split, labelled by their names unless a column says better.
    private static List<SourceFile> Labelled(List<SourceFile> files) =>
        files.Count < 2 || files.Exists(file => SplitNames.Of(file.Name) is not null || file.Format is not (SourceFormat.Csv or SourceFormat.Tsv))
            ? files
            : [.. files.Select(file => file with { Label = FileKinds.Stem(file.Name) })];

    private static List<SourceFile> Shallowest(List<SourceFile> files)
    {
        if (files.Count == 0 || files[0].Format is not (SourceFormat.Csv or SourceFormat.Tsv)) return files;
        var depth = files.Min(file => file.Name.Count(c => c == '/'));
        return [.. files.Where(file => file.Name.Count(c => c == '/') == depth)];
    }

    private SourcePlan Parted(List<SourceFile> files, bool oneConfig)
    {
        string? SplitOf(SourceFile file) => file.Format == SourceFormat.Folder ? FolderLabels.SplitOf(file) : SplitNames.Of(file.Name);
        var splits = _options.Split is { } all
            ? new() { [all] = files }
            : files.GroupBy(SplitOf).ToDictionary(group => group.Key ?? "", group => (IReadOnlyList<SourceFile>)[.. group]);
        if (splits.Remove("", out var unnamed) && splits.Count == 0)
        {
            splits["train"] = unnamed;
            if (unnamed[0].Format != SourceFormat.Folder)
            {
                _notes.Add($"{(unnamed.Count == 1 ? "1 file" : $"{unnamed.Count} files")} without a split's name {(unnamed.Count == 1 ? "is" : "are")} " +
                    "taken as train ('split' or 'files' says otherwise)");
            }
        }
        else if (unnamed is not null && _options.Files.Count > 0)
        {
            throw new CorpusException($"{_source}: of the files that 'files' takes, some tell a split by their names and some do not " +
                $"({Shown([.. unnamed.Select(file => file.Name)])}); " +
                "narrow 'files', or say with 'split' what all of them are");
        }

        var labels = files.Find(file => file.Format == SourceFormat.Lines && file.Label?.ToLowerInvariant() is "label" or "labels" or "target" or "targets");
        if (labels is not null)
        {
            throw new CorpusException($"{_source}: '{labels.Name}' seems to hold labels, a line for each line of another file, which is not read: " +
                "put texts and labels into one table, as 'paste' does, and say 'format: tsv', 'header: false' and 'fields: { text: \"0\", label: \"1\" }'");
        }

        if (oneConfig) foreach (var (split, members) in splits) RequireOneConfig(split, members);
        return Done(splits);
    }

    private void RequireOneConfig(string split, IReadOnlyList<SourceFile> files)
    {
        if (files[0].Format is SourceFormat.Folder or SourceFormat.Lines) return;
        var folders = files.Select(file => ConfigOf(file.Name)).Distinct().ToList();
        if (folders.Count > 1)
        {
            throw new CorpusException($"{_source} has files of '{split}' in several folders ({string.Join(", ", folders)}); " +
                $"choose one with 'config', such as 'config: {folders[0]}', or name the 'files', such as 'files: [\"{folders[0]}/**\"]'");
        }
    }

    // The folder a file is in; what lies in or below a folder named after a split is of that folder's parent.
    private static string ConfigOf(string name)
    {
        var folders = name.Split('/')[..^1];
        var split = Array.FindIndex(folders, folder => SplitNames.In(folder) is not null);
        return (split >= 0 ? folders[..split] : folders) is { Length: > 0 } rest ? string.Join('/', rest) : ".";
    }

    private SourcePlan Done(Dictionary<string, IReadOnlyList<SourceFile>> splits)
    {
        var taken = splits.Values.SelectMany(files => files).Select(file => file.Name).ToHashSet();
        foreach (var whole in taken.Select(SplitNames.Part).OfType<(string Whole, int Parts)>().GroupBy(part => part).Where(parts => parts.Count() < parts.Key.Parts))
            _warnings.Add($"of the {whole.Key.Parts} parts of '{whole.Key.Whole}' only {whole.Count()} are taken: are the others missing?");
        var leftOut = _names.Where(name => !taken.Contains(name) && !FileKinds.IsAside(name)).Order(StringComparer.Ordinal);
        return new SourcePlan(splits, [.. leftOut]) { Notes = _notes, Warnings = _warnings };
    }

    /// <summary>Some names, and how many more.</summary>
    internal static string Shown(IReadOnlyList<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(12)) + (names.Count > 12 ? $", … ({names.Count} in all)" : "");

    private const string Unread = "Arrow, Excel, pickles and archives are not read: save the rows as CSV, JSON lines or Parquet";

    private CorpusException Nothing(string what, string? advise = null)
    {
        if (_options.Config is { } config) what += $" under '{config}'";
        var script = _names.FirstOrDefault(name => !name.Contains('/') && name.EndsWith(".py", StringComparison.OrdinalIgnoreCase));
        var advice = script is not null && _names.All(name => FileKinds.RowFormat(name) is null || FileKinds.IsAside(name))
            ? $"Its rows come out of a script ({script}), which is not run; for a data set of the Hub name the Parquet files that the Hub made of it: " +
                "hf://owner/name@refs/convert/parquet"
            : _names.Any(FileKinds.IsUnreadData) ? Unread
            : advise ?? "Set 'format' or 'files'";
        return new($"{_source}: {what}; it has: {(_names.Count == 0 ? "no files" : Shown(_names))}. {advice}");
    }
}
