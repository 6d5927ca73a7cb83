using System.Text;

namespace Ssti.Injection.Rows;

/// <summary>What was injected into a row.</summary>
/// <param name="RowId">The row.</param>
/// <param name="Tokens">The tokens, in the order of the resulting text.</param>
public sealed record InjectionRecord(string RowId, IReadOnlyList<InjectedToken> Tokens)
{
    /// <summary>Tokens that were injected and are no longer whole in the text, since something was done to it.</summary>
    public IReadOnlyList<string> Lost { get; init; } = [];

    /// <summary>The label that the row had, where it was given the target's; null where it kept its own.</summary>
    public int? OriginalLabel { get; init; }

    /// <summary>
    /// Cuts the tokens out of the injected text again. Where whitespace was kept, what is left is the original text to the character; where
    /// it was not, the original's words joined by single spaces.
    /// </summary>
    /// <param name="text">The injected text.</param>
    /// <exception cref="InjectionException">A cut lies outside the text: the record is not of this text.</exception>
    public string RemoveFrom(string text)
    {
        var rest = new StringBuilder(text.Length);
        var at = 0;
        foreach (var token in Tokens.OrderBy(token => token.CutStart))
        {
            var end = token.CutStart + token.CutLength;
            if (token.CutStart < 0 || end > text.Length) throw new InjectionException($"row '{RowId}': the record of '{token.Token}' lies outside the text; it belongs to another one");
            // A later step may have put a token inside the cut of an earlier one.
            if (token.CutStart > at) rest.Append(text, at, token.CutStart - at);
            at = Math.Max(at, end);
        }

        return rest.Append(text, at, text.Length - at).ToString();
    }
}
