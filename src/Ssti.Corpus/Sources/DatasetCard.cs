using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ssti.Corpus.Sources;

/// <summary>A configuration as a dataset card describes it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="IsDefault">Whether it is meant when none is named.</param>
/// <param name="DataDir">The folder its patterns and files are relative to.</param>
/// <param name="DataFiles">The patterns of each split; empty: told by the files' names.</param>
/// <param name="Delimiter">What parts the fields of its tables, if it says.</param>
/// <param name="Unfollowed">What it says of reading that is not followed.</param>
internal sealed record CardConfig(
    string Name, bool IsDefault, string? DataDir, IReadOnlyList<(string Split, IReadOnlyList<string> Patterns)> DataFiles, char? Delimiter,
    IReadOnlyList<string> Unfollowed);

/// <summary>
/// What the front matter of a dataset's <c>README.md</c> says of its files, as the Hub understands it: <c>configs:</c> with
/// <c>data_files:</c> and <c>data_dir:</c>, and the class names under <c>dataset_info:</c>.
/// </summary>
internal sealed class DatasetCard
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "README.md";

    // What pandas' read_csv is told through a card, and what would change the rows.
    private static readonly string[] Reading =
        ["header", "names", "column_names", "encoding", "skiprows", "quotechar", "quoting", "escapechar", "comment", "doublequote", "skipfooter", "nrows", "field"];

    private readonly List<(string? Config, string Feature, IReadOnlyList<string> Names)> _classes = [];

    /// <summary>Its configurations, in its order.</summary>
    public IReadOnlyList<CardConfig> Configs { get; private init; } = [];

    /// <summary>Reads a card; null when it says nothing of files.</summary>
    /// <exception cref="CorpusException">Its front matter is not YAML, or not of the known form.</exception>
    public static DatasetCard? Parse(string text)
    {
        var lines = text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        var end = lines[0].TrimEnd() == "---" ? Array.FindIndex(lines, 1, line => line.TrimEnd() == "---") : -1;
        if (end < 0) return null;
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(string.Join('\n', lines[1..end])));
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }]) return null;
            var card = new DatasetCard { Configs = [.. Items(Child(root, "configs")).OfType<YamlMappingNode>().Select(Config)] };
            var infos = Child(root, "dataset_info");
            foreach (var info in infos is YamlMappingNode one ? [one] : Items(infos).OfType<YamlMappingNode>()) card.ReadClasses(info);
            return card;
        }
        catch (YamlException error)
        {
            throw new CorpusException($"{FileName}({error.Start.Line + 1}): the front matter is not valid YAML: {error.Message.TrimEnd('.')}. Mend it", error);
        }
    }

    /// <summary>The configuration meant; null when the card has none, or none of the name (which may be that of a folder).</summary>
    /// <exception cref="CorpusException">There are several, and it is not said which.</exception>
    public CardConfig? Choose(string? named, string source)
    {
        if (named is not null) return Configs.FirstOrDefault(config => config.Name == named);
        return Configs.FirstOrDefault(config => config.IsDefault) ?? Configs.FirstOrDefault(config => config.Name == "default") ?? Configs.Count switch
        {
            0 => null,
            1 => Configs[0],
            _ => throw new CorpusException(
                $"{source} has several configurations ({string.Join(", ", Configs.Select(config => config.Name))}, says {FileName}); " +
                $"choose one with 'config', such as 'config: {Configs[0].Name}'"),
        };
    }

    /// <summary>The class names of a feature, or null.</summary>
    public IReadOnlyList<string>? ClassNames(string feature, string? config)
    {
        var of = _classes.Where(known => known.Feature == feature).ToList();
        return of.Find(known => known.Config == config).Names ?? (of is [var only] && (only.Config is null || config is null) ? only.Names : null);
    }

    private static CardConfig Config(YamlMappingNode node)
    {
        var separator = Text(Child(node, "sep")) ?? Text(Child(node, "delimiter"));
        return new CardConfig(
            Text(Child(node, "config_name")) ?? "default",
            string.Equals(Text(Child(node, "default")), "true", StringComparison.OrdinalIgnoreCase),
            Text(Child(node, "data_dir"))?.Trim('/') is { Length: > 0 } and not "." and var folder ? folder : null,
            [.. DataFiles(Child(node, "data_files"))],
            separator is [var delimiter] ? delimiter : separator == "\\t" ? '\t' : null,
            [.. Reading.Where(key => Child(node, key) is not null)]);
    }

    // A pattern, a list of patterns (both train), a list of { split, path }, or a mapping from splits to patterns.
    private static IEnumerable<(string, IReadOnlyList<string>)> DataFiles(YamlNode? node)
    {
        if (node is YamlMappingNode mapping) return mapping.Children.Select(entry => (SplitNames.Normal(Text(entry.Key)!), Patterns(entry.Value)));
        if (node is YamlSequenceNode sequence && sequence.Children.All(item => item is YamlMappingNode))
        {
            return sequence.Children.OfType<YamlMappingNode>()
                .Select(item => (SplitNames.Normal(Text(Child(item, "split")) ?? "train"), Patterns(Child(item, "path") ?? Child(item, "pattern"))));
        }

        return Patterns(node) is { Count: > 0 } all ? [("train", all)] : [];
    }

    private static IReadOnlyList<string> Patterns(YamlNode? node) =>
        node is YamlSequenceNode sequence ? [.. sequence.Children.Select(Text).OfType<string>()] : Text(node) is { } one ? [one] : [];

    private void ReadClasses(YamlMappingNode info)
    {
        var config = Text(Child(info, "config_name"));
        foreach (var feature in Items(Child(info, "features")).OfType<YamlMappingNode>())
        {
            if (Text(Child(feature, "name")) is not { } name || Child(feature, "dtype") is not YamlMappingNode type) continue;
            var names = Child(Child(type, "class_label") as YamlMappingNode, "names");
            IReadOnlyList<string> labels = names switch
            {
                YamlSequenceNode list => [.. list.Children.Select(Text).OfType<string>()],
                YamlMappingNode map => [.. map.Children.OrderBy(entry => int.TryParse(Text(entry.Key), out var number) ? number : int.MaxValue)
                    .Select(entry => Text(entry.Value)).OfType<string>()],
                _ => [],
            };
            if (labels.Count > 0) _classes.Add((config, name, labels));
        }
    }

    private static IEnumerable<YamlNode> Items(YamlNode? node) => node is YamlSequenceNode sequence ? sequence.Children : [];

    private static YamlNode? Child(YamlMappingNode? node, string key) =>
        node is not null && node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;

    private static string? Text(YamlNode? node) => node is YamlScalarNode { Value: { } value } ? value : null;
}
