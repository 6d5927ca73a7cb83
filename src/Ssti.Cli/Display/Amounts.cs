using System.Globalization;

namespace Ssti.Cli.Display;

/// <summary>Numbers of things as people say them.</summary>
internal static class Amounts
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary><c>512 B</c>, <c>1.5 kB</c>, <c>3.4 GB</c>: powers of 1000, as disks and networks count.</summary>
    public static string Bytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (Math.Abs(value) >= 999.5 && unit < Units.Length - 1) (value, unit) = (value / 1000, unit + 1);
        return unit == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes} B")
            : string.Create(CultureInfo.InvariantCulture, $"{value.ToString(value < 10 ? "0.0" : "0", CultureInfo.InvariantCulture)} {Units[unit]}");
    }

    /// <summary><c>1 blob</c>, <c>3 blobs</c>, <c>12,000 blobs</c>.</summary>
    public static string Of(long count, string one) => string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {one}{(count == 1 ? "" : "s")}");
}
