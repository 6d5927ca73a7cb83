using System.CommandLine;
using System.Globalization;

namespace Ssti.Cli.Commands;

/// <summary>Options that take a number, and say so in words when they get something else.</summary>
internal static class RealNumber
{
    /// <param name="name">The option.</param>
    /// <param name="helpName">What its value is called.</param>
    /// <param name="description">What it means.</param>
    /// <param name="fits">Which numbers are taken.</param>
    /// <param name="range">The same in words, such as <c>from 0 to below 1</c>.</param>
    public static Option<double?> Option(string name, string helpName, string description, Func<double, bool> fits, string range) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) && fits(number)) return number;
            result.AddError($"{name}: '{result.Tokens[0].Value}' is no number {range}.");
            return null;
        },
    };
}
