using System.Text;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>
/// Labels that look alike and are not: <c>é</c> as one character, and as an <c>e</c> with an accent behind it. Files that were written on different systems
/// mix them, and each becomes a class.
/// </summary>
internal static class LabelSpelling
{
    /// <summary>A sentence for each group of labels that are one but for how their accents are written, and perhaps for case.</summary>
    public static IEnumerable<string> Doubts(IReadOnlyList<string> labels)
    {
        foreach (var alike in labels.GroupBy(label => Decomposition.Of(label).ToLowerInvariant(), StringComparer.Ordinal))
        {
            // Case alone is told of where the rows are read.
            if (alike.Select(label => label.ToLowerInvariant()).Distinct().Count() == 1) continue;
            var but = alike.Select(Decomposition.Of).Distinct().Count() > 1 ? " but for case" : "";
            yield return $"the classes {string.Join(", ", alike.Select(label => $"'{label}' ({Points(label)})"))} look the same{but}: their accents are written "
                + "once within the letters and once behind them; if they are one, write the labels in one way (Unicode's form NFC)";
        }
    }

    // What nobody sees has to be told by number.
    private static string Points(string label) => string.Join(' ', label.EnumerateRunes().Where(rune => rune.Value > 0x7F).Select(rune => $"U+{rune.Value:X4}"));
}
