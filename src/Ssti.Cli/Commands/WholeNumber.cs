using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Ssti.Cli.Commands;

/// <summary>Options that take a whole number, and say so in words when they get something else.</summary>
internal static class WholeNumber
{
    public static Option<int?> Option(string name, string? alias, int least, string description, int most = int.MaxValue) => new(name, alias is null ? [] : [alias])
    {
        Description = description,
        HelpName = "n",
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && number >= least && number <= most) return number;
            // Of a number that is one, and only too large, nobody wants to hear that it is none.
            var large = BigInteger.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var any) && any > most;
            result.AddError(large ? $"{name}: {any} is too large; at most {most} is taken."
                : $"{name}: '{result.Tokens[0].Value}' is no whole number {(most == int.MaxValue ? $"of {least} or more" : $"from {least} to {most}")}.");
            return null;
        },
    };
}
