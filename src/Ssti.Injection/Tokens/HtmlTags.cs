using Ssti.Injection.Words;

namespace Ssti.Injection.Tokens;

/// <summary>HTML tags as tokens: lines of an opening tag and, for tags that are closed, a closing one (<c>&lt;b&gt; &lt;/b&gt;</c>).</summary>
internal static class HtmlTags
{
    /// <summary>The tags of a table of lines: the opening tag of line i at 2·i, its closing tag or nothing at 2·i + 1.</summary>
    public static TokenTable Pieces(TokenTable lines)
    {
        var pieces = new string[2 * lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            var words = PythonText.Split(lines[i]);
            pieces[2 * i] = words[0];
            pieces[2 * i + 1] = words.Count > 1 ? words[1] : "";
        }

        return TokenTable.Pack(pieces);
    }

    /// <summary>
    /// The content of the first element to close at a nesting level, counted as the reference counts: every tag but a closing one opens an
    /// element, <c>&lt;br /&gt;</c> included, and a closing tag closes the latest, whatever its name.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="level">1 is an outermost element.</param>
    /// <returns>Where the content begins and ends, or null when no element closes at that level.</returns>
    public static (int Start, int End)? ContentAt(ReadOnlySpan<char> text, int level)
    {
        var open = new Stack<int>();
        var at = 0;
        while (true)
        {
            var tag = text[at..].IndexOf('<');
            if (tag < 0) return null;
            tag += at;
            var closes = tag + 1 < text.Length && text[tag + 1] == '/';
            var name = closes ? tag + 2 : tag + 1;
            if (name >= text.Length || !char.IsAsciiLetter(text[name]))
            {
                at = tag + 1;
                continue;
            }

            var length = text[name..].IndexOf('>');
            if (length < 0) return null;
            at = name + length + 1;
            if (!closes) open.Push(at);
            else if (open.TryPop(out var start) && open.Count == level - 1) return (start, tag);
        }
    }
}
