namespace Ssti.Injection.Tokens;

/// <summary>Finds tokens in texts as they stand: upper and lower case are told apart, and <c>art</c> is not found in <c>party</c>.</summary>
public sealed class TokenFinder
{
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _tokens;
    private readonly Dictionary<char, int[]> _lengths;

    /// <summary>Takes the tokens to look for.</summary>
    /// <param name="tokens">None of them empty.</param>
    public TokenFinder(IReadOnlyCollection<string> tokens)
    {
        _tokens = tokens.ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = tokens.GroupBy(token => token[0]).ToDictionary(group => group.Key, group => group.Select(token => token.Length).Distinct().Order().ToArray());
    }

    /// <summary>The first token in a text, the shortest where several begin; null where there is none.</summary>
    public string? Find(ReadOnlySpan<char> text)
    {
        for (var start = 0; start < text.Length; start++)
        {
            if (!_lengths.TryGetValue(text[start], out var lengths) || !IsEdge(text, start)) continue;
            foreach (var length in lengths)
            {
                if (start + length > text.Length) break;
                if (IsEdge(text, start + length) && _tokens.TryGetValue(text.Slice(start, length), out var token)) return token;
            }
        }

        return null;
    }

    // Between two characters of a word nothing begins or ends.
    private static bool IsEdge(ReadOnlySpan<char> text, int at) =>
        at == 0 || at == text.Length || !char.IsLetterOrDigit(text[at - 1]) || !char.IsLetterOrDigit(text[at]);
}
