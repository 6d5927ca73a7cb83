using System.CommandLine;
using Ssti.Cli.Display;

namespace Ssti.Cli.Commands;

/// <summary>Which rows of a data set are meant: of an audit of data, and of the rows that an adapter is probed in.</summary>
internal sealed class AuditRows
{
    public static readonly Option<string?> SplitOption = new("--split")
    {
        Description = "The split to audit (default: train; a single file is one); with an adapter, the split of --data that tokens are put into (default: test).",
        HelpName = "name",
    };

    public static readonly Option<string?> TextOption = new("--text")
    {
        Description = "The field with the text, where it has no usual name; with an adapter, of --data.", HelpName = "field",
    };

    public static readonly Option<string?> LabelOption = new("--label")
    {
        Description = "The field with the label, where it has no usual name; with an adapter, of --data.", HelpName = "field",
    };

    private readonly string? _text, _label;

    /// <summary>Reads the options.</summary>
    /// <exception cref="UserException">A split is named that cannot be one.</exception>
    public AuditRows(ParseResult parsed)
    {
        (Split, _text, _label) = (parsed.GetValue(SplitOption), parsed.GetValue(TextOption), parsed.GetValue(LabelOption));
        if (Split is { } split && (split.Length == 0 || !split.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            throw new UserException($"--split: '{split}' cannot name a split");
    }

    /// <summary>The split that was named, or null.</summary>
    public string? Split { get; }

    /// <summary>The first of these options that was given, or null.</summary>
    public string? Given => Split is not null ? SplitOption.Name : _text is not null ? TextOption.Name : _label is not null ? LabelOption.Name : null;

    /// <summary>The fields as a dataset stage's parameters go on with them; nothing where none was named.</summary>
    public string Fields
    {
        get
        {
            string[] named = [.. new[] { ("text", _text), ("label", _label) }.Where(pair => pair.Item2 is not null).Select(pair => $"{pair.Item1}: {Quoted(pair.Item2!)}")];
            return named.Length == 0 ? "" : $", fields: {{ {string.Join(", ", named)} }}";
        }
    }

    private static string Quoted(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
