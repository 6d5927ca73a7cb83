using Ssti.Injection.Words;

namespace Ssti.Injection.Rows;

/// <summary>Finds injected tokens again in a text that something was done to.</summary>
public static class TokenSearch
{
    /// <summary>Whether a text holds a token anywhere, in whatever case: the published rule of retention. <c>!</c> is in every <c>!!</c>, and 10% in 110%.</summary>
    public static bool Contains(string text, string token) => text.Contains(token, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The record of a text after something was done to it: of each token the first place that is left for it where it stands whole, in whatever case; those without one are lost.
    /// Whole means that it does not go on as a longer word, number or run of the same mark.
    /// </summary>
    /// <param name="record">The record before.</param>
    /// <param name="text">The text now.</param>
    public static InjectionRecord In(InjectionRecord record, string text)
    {
        var found = new List<InjectedToken>();
        var lost = new List<string>(record.Lost);
        var after = 0;
        foreach (var token in record.Tokens)
        {
            var at = Next(text, token.Token, after, found);
            if (at < 0) at = Next(text, token.Token, 0, found);
            if (at < 0)
            {
                lost.Add(token.Token);
                continue;
            }

            after = at + token.Token.Length;
            found.Add(Place(token.Step, text, at, token.Token.Length));
        }

        return record with { Tokens = [.. found.OrderBy(token => token.Offset)], Lost = lost };
    }

    private static int Next(string text, string token, int from, List<InjectedToken> taken)
    {
        for (var at = Index(from); at >= 0; at = Index(at + 1))
        {
            var end = at + token.Length;
            var whole = (at == 0 || !GoesOn(text[at], text[at - 1])) && (end == text.Length || !GoesOn(text[end - 1], text[end]));
            if (whole && !taken.Any(other => at < other.Offset + other.Token.Length && other.Offset < end)) return at;
        }

        return -1;

        int Index(int start) => start > text.Length ? -1 : text.IndexOf(token, start, StringComparison.OrdinalIgnoreCase);
    }

    private static bool GoesOn(char edge, char neighbour) => char.IsLetterOrDigit(edge) ? char.IsLetterOrDigit(neighbour) : edge == neighbour;

    private static InjectedToken Place(int step, string text, int at, int length)
    {
        var word = PythonText.Split(text.AsSpan(0, at)).Count;
        // Within a word its beginning was counted already.
        if (at > 0 && !PythonText.IsWhiteSpace(text[at - 1])) word--;
        var (start, end) = (at, at + length);
        if (start > 0 && PythonText.IsWhiteSpace(text[start - 1])) start--;
        else if (end < text.Length && PythonText.IsWhiteSpace(text[end])) end++;
        return new InjectedToken(step, text.Substring(at, length), word, at, start, end - start);
    }
}
