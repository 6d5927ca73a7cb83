using System.Globalization;
using System.Text;

namespace Ssti.Nets.Tokenizers;

/// <summary>
/// Canonical decomposition (NFD): <c>é</c> is <c>e</c> with an accent behind it, and <c>e</c> where the combining marks are left out.
/// </summary>
/// <remarks>
/// <see cref="string.Normalize(NormalizationForm)"/> does nothing to such letters under <c>InvariantGlobalization</c>, and otherwise follows the
/// machine's ICU; a table of our own gives the same ids everywhere.
/// </remarks>
public static class Decomposition
{
    private const int HangulBase = 0xAC00, HangulCount = 11172, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7, VowelTails = 588, Tails = 28;

    private static readonly Dictionary<int, int[]> Table = Read();
    private static readonly Dictionary<int, int[]> Stripped = Table.ToDictionary(entry => entry.Key, entry => entry.Value.Where(part => !IsMark(new Rune(part))).ToArray());

    /// <summary>
    /// Writes what is left of <paramref name="rune"/> without combining marks to <paramref name="into"/> (at most 4 code points) and returns how many there are.
    /// </summary>
    public static int Strip(Rune rune, Span<int> into)
    {
        var count = Write(rune, Stripped, into);
        return count == 1 && into[0] == rune.Value && IsMark(rune) ? 0 : count;
    }

    /// <summary>A text in which every letter stands before its marks. Marks of one letter keep their order.</summary>
    public static string Of(string text)
    {
        var whole = new StringBuilder(text.Length);
        Span<int> parts = stackalloc int[4];
        foreach (var rune in text.EnumerateRunes())
            foreach (var part in parts[..Write(rune, Table, parts)]) whole.Append(new Rune(part).ToString());
        return whole.ToString();
    }

    private static int Write(Rune rune, Dictionary<int, int[]> table, Span<int> into)
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

        if (table.TryGetValue(value, out var parts))
        {
            parts.CopyTo(into);
            return parts.Length;
        }

        into[0] = value;
        return 1;
    }

    private static bool IsMark(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark;

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
