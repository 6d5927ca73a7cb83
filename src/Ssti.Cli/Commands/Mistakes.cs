using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ssti.Cli.Commands;

/// <summary>What is wrong with a command line, in a line or two: the word, what it was meant to be, and where to read on.</summary>
internal static class Mistakes
{
    // Which stages: 'run' and its like are about what stages need as well, and say so by other names.
    private static readonly string[] Selections = [PipelineOptions.Until.Name, PipelineOptions.From.Name, PipelineOptions.Only.Name];

    /// <summary>Says it; null when nothing is wrong.</summary>
    public static string? Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (Say(parsed, command) is { } said) return $"{said}\n\nsee: ssti {(command.Parents.Any() ? $"{command.Name} " : "")}--help";
        return null;
    }

    private static string? Say(ParseResult parsed, Command command)
    {
        if (!command.Parents.Any() && parsed.Errors.Count > 0)
        {
            var first = parsed.UnmatchedTokens.FirstOrDefault();
            if (first is "help" or "version") return $"That is an option: ssti --{first}; of a verb, ssti <verb> --help.";
            if (first is null) return "Say what to do: a verb, such as 'ssti run pipelines/quickstart.yaml'.";
            return first.StartsWith('-') ? Unknown(command, first)
                : $"There is no verb '{first}'{Display.Words.Meant(first, command.Subcommands.Select(verb => verb.Name))}; there are: {Listed(command)}.";
        }

        // Where an argument may still come, a mistyped option would be taken for it: 'ssti gc --keep-lst' for a pipeline's file.
        if (Mistyped(parsed) is { } option) return Unknown(command, option);
        if (parsed.UnmatchedTokens.FirstOrDefault() is { } word)
            return word.StartsWith('-') ? Unknown(command, word) : $"'{word}' is one word too many for '{command.Name}'.";
        return parsed.Errors.Count == 0 ? null : string.Join("\n", parsed.Errors.Select(error => error.Message).Distinct());
    }

    private static string? Mistyped(ParseResult parsed) => parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
        .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal) && !IsValue(parsed, token))?.Value;

    // What stands behind an option that takes a value is that value, whatever it looks like.
    private static bool IsValue(ParseResult parsed, Token token) =>
        parsed.CommandResult.Children.OfType<OptionResult>().Any(option => option.Tokens.Contains(token));

    private static string Unknown(Command command, string option)
    {
        var name = option.Split('=')[0];
        var options = Options(command).SelectMany(known => known.Aliases.Append(known.Name)).Distinct().ToList();
        if (name == CommonOptions.Stages.Name && Selections.Intersect(options).ToList() is { Count: > 0 } selections)
            return $"'{command.Name}' has no {name}: it selects stages with {string.Join(", ", selections)}.";
        return $"There is no option '{name}'{(command.Parents.Any() ? $" of '{command.Name}'" : "")}{Display.Words.Meant(name, options)}.";
    }

    private static string Listed(Command root) => string.Join(", ", root.Subcommands.Select(verb => verb.Name));

    private static IEnumerable<Option> Options(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(parent => parent.Options.Where(option => option.Recursive)));
}
