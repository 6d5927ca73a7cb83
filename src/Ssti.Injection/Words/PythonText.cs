namespace Ssti.Injection.Words;

/// <summary>What Python's <c>str</c> methods call whitespace.</summary>
public static class PythonText
{
    /// <summary>
    /// Whether <c>str.split()</c> and <c>str.strip()</c> treat a character as whitespace: Unicode's White_Space and the four separators
    /// U+001C to U+001F, which .NET leaves out. All of them lie in the basic plane.
    /// </summary>
    public static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    /// <summary>As <c>text.strip()</c>.</summary>
    public static ReadOnlySpan<char> Strip(ReadOnlySpan<char> text)
    {
        while (text.Length > 0 && IsWhiteSpace(text[0])) text = text[1..];
        while (text.Length > 0 && IsWhiteSpace(text[^1])) text = text[..^1];
        return text;
    }

    /// <summary>As <c>text.split()</c>: the words between runs of whitespace.</summary>
    public static List<string> Split(ReadOnlySpan<char> text)
    {
        var words = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            if (IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            var start = i;
            while (i < text.Length && !IsWhiteSpace(text[i])) i++;
            words.Add(text[start..i].ToString());
        }

        return words;
    }
}
