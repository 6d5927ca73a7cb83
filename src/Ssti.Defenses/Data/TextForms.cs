namespace Ssti.Defenses.Data;

/// <summary>
/// How a whole text is written. The published injection splits a text at white space and joins it by single spaces, so that lost line
/// breaks are a second sign of it.
/// </summary>
public static class TextForms
{
    /// <summary>The forms' names, in the order of the bits of <see cref="Of"/>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "has line breaks", "has no white space but single spaces", "has runs of white space", "has white space at its beginning or end", "has tabs",
        "begins with a capital letter", "begins with a lower-case letter", "begins with neither a letter nor a digit", "ends with a full stop, question or exclamation mark",
        "ends without punctuation", "is in lower case throughout", "is in capitals throughout", "has an HTML element (a tag that is closed)", "is empty",
    ];

    /// <summary>The forms of a text as bits.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        if (text.IsWhiteSpace()) return 1 << 13;
        bool breaks = text.ContainsAny('\n', '\r'), tabs = text.Contains('\t'), edge = char.IsWhiteSpace(text[0]) || char.IsWhiteSpace(text[^1]);
        bool runs = false, other = breaks || tabs, upper = false, lower = false;
        var before = false;
        foreach (var c in text)
        {
            var blank = char.IsWhiteSpace(c);
            runs |= blank && before;
            other |= blank && c != ' ';
            before = blank;
            upper |= char.IsUpper(c);
            lower |= char.IsLower(c);
        }

        var words = text.Trim();
        var (first, last) = (words[0], words[^1]);
        var forms = 0;
        if (breaks) forms |= 1;
        if (!runs && !other && !edge) forms |= 1 << 1;
        if (runs) forms |= 1 << 2;
        if (edge) forms |= 1 << 3;
        if (tabs) forms |= 1 << 4;
        if (char.IsUpper(first)) forms |= 1 << 5;
        if (char.IsLower(first)) forms |= 1 << 6;
        if (!char.IsLetterOrDigit(first)) forms |= 1 << 7;
        if (last is '.' or '!' or '?') forms |= 1 << 8;
        else if (!char.IsPunctuation(last) && !char.IsSymbol(last)) forms |= 1 << 9;
        if (lower && !upper) forms |= 1 << 10;
        if (upper && !lower) forms |= 1 << 11;
        if (HasElement(words)) forms |= 1 << 12;
        return forms;
    }

    // An opening tag with a closing one of its name somewhere behind it.
    private static bool HasElement(ReadOnlySpan<char> text)
    {
        for (var close = text.IndexOf("</"); close >= 0;)
        {
            var name = text[(close + 2)..];
            var length = 0;
            while (length < name.Length && char.IsAsciiLetterOrDigit(name[length])) length++;
            if (length > 0 && Opens(text[..close], name[..length])) return true;
            var next = text[(close + 2)..].IndexOf("</");
            close = next < 0 ? -1 : close + 2 + next;
        }

        return false;
    }

    private static bool Opens(ReadOnlySpan<char> before, ReadOnlySpan<char> name)
    {
        for (var at = before.LastIndexOf('<'); at >= 0; at = before[..at].LastIndexOf('<'))
        {
            var rest = before[(at + 1)..];
            if (rest.StartsWith(name, StringComparison.OrdinalIgnoreCase) && rest.Length > name.Length && rest[name.Length] is '>' or ' ' or '/') return true;
        }

        return false;
    }
}
