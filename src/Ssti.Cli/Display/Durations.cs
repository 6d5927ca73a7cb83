using System.Globalization;

namespace Ssti.Cli.Display;

/// <summary>Times as people say them.</summary>
internal static class Durations
{
    /// <summary><c>0.4 s</c>, <c>14 s</c>, <c>3 min 12 s</c>, <c>2 h 05 min</c>.</summary>
    public static string Show(double seconds) => seconds switch
    {
        < 0 => "0 s",
        < 9.95 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 59.5 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(Math.Round(seconds) / 60):0} min {Math.Round(seconds) % 60:00} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 3600):0} h {Math.Floor(seconds % 3600 / 60):00} min"),
    };

    /// <summary><c>~14 s, from 3 runs</c>, or <c>unknown</c>.</summary>
    public static string Estimate(double? seconds, int count, string like = "run") => seconds is { } known
        ? $"~{Show(known >= 10 ? known : Math.Round(known, 1))}, from {Amounts.Of(count, like)}{(like == "run" ? "" : " of this run")}"
        : "unknown";

    /// <summary>What is added to a time that lacks some stages: <c> and 2 stages of unknown time</c>, or nothing.</summary>
    public static string Unknown(int stages) => stages == 0 ? "" : $" and {Amounts.Of(stages, "stage")} of unknown time";
}
