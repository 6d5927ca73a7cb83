using System.Globalization;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// What is left of a code point after canonical decomposition (NFD) without its combining marks: <c>é</c> is <c>e</c>.
/// </summary>
/// <remarks>
/// <see cref="string.Normalize(NormalizationForm)"/> does nothing to such letters under <c>InvariantGlobalization</c>, and otherwise follows the
/// machine's ICU; a table of our own gives the same ids everywhere.
/// </remarks>
internal static class Decomposition
{
    private const int HangulBase = 0xAC00, HangulCount = 11172, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7, VowelTails = 588, Tails = 28;

    private static readonly Dictionary<int, int[]> Table = Read();

    /// <summary>Writes what <paramref name="rune"/> becomes to <paramref name="into"/> (at most 4 code points) and returns how many there are.</summary>
    public static int Strip(Rune rune, Span<int> into)
    {
        var value = rune.Value;
        if (value - HangulBase is >= 0 and < HangulCount)
        {
            var syllable = value - HangulBase;
            into[0] = LeadBase + syllable / VowelTails;
            into[1] = VowelBase + syllable % VowelTails / Tails;
            if (syllable % Tails == 0) return 2;
            into[2] = TailBase + syllable % Tails;
            return 3;
        }

        if (Table.TryGetValue(value, out var parts))
        {
            parts.CopyTo(into);
            return parts.Length;
        }

        if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark) return 0;
        into[0] = value;
        return 1;
    }

    private static Dictionary<int, int[]> Read()
    {
        var table = new Dictionary<int, int[]>();
        using var stream = typeof(Decomposition).Assembly.GetManifestResourceStream("Ssti.Nets.Tokenizers.decompositions.txt")
            ?? throw new InvalidOperationException("the assembly lacks its table of decompositions");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            var numbers = line.Split(' ').Select(hex => int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            table.Add(numbers[0], numbers[1..]);
        }

        return table;
    }
}
