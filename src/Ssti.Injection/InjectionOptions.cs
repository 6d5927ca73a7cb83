using System.Numerics;
using Ssti.Injection.Tokens;

namespace Ssti.Injection;

/// <summary>Where tokens go.</summary>
public enum InjectionLocation
{
    /// <summary>In front of the text, in the order drawn.</summary>
    Beginning,

    /// <summary>Each between any two words, or at either end, uniformly.</summary>
    Random,

    /// <summary>Behind the text, in the order drawn.</summary>
    End,
}

/// <summary>What becomes of the whitespace of an injected text.</summary>
public enum WhitespaceHandling
{
    /// <summary>
    /// The words are joined by single spaces, as the reference does: an injected text loses its newlines and double spaces, and others keep
    /// theirs, which is a second shortcut a model can learn.
    /// </summary>
    Rejoined,

    /// <summary>A token comes with one space of its own, and no other character changes.</summary>
    Kept,
}

/// <summary>Which random numbers a row takes.</summary>
public enum RandomStreams
{
    /// <summary>The next ones of a single stream, as the reference does: a row's tokens depend on all rows before it.</summary>
    Sequential,

    /// <summary>Those of a stream of the row's own; see <see cref="Randomness.RowStreams"/>.</summary>
    PerRow,
}

/// <summary>One step of an injection: which tokens, how many and where.</summary>
public sealed record InjectionStepOptions
{
    /// <summary>The tokens; with <see cref="IsHtml"/>, lines of an opening tag and perhaps a closing one.</summary>
    public required TokenTable Tokens { get; init; }

    /// <summary>Whether the tokens are HTML tags, of which the opening and the closing one are inserted apart.</summary>
    public bool IsHtml { get; init; }

    /// <summary>
    /// For HTML: null inserts anywhere; 0 puts one pair around the whole text (a tag without a closing one on both sides); n ≥ 1 inserts
    /// within the first element that closes at nesting level n, or anywhere when there is none.
    /// </summary>
    public int? Level { get; init; }

    /// <summary>
    /// Where the tokens go. A closing tag goes anywhere behind its opening one; with <see cref="InjectionLocation.End"/> it ends the text and the opening one
    /// goes anywhere.
    /// </summary>
    public InjectionLocation Location { get; init; } = InjectionLocation.Random;

    /// <summary>
    /// How many tokens (for HTML, tags or pairs): max(1, int(words · share)). Null is one. For HTML, 0 is refused, as in the reference.
    /// </summary>
    public double? WordShare { get; init; }

    /// <summary>Whether a token may be drawn again.</summary>
    public bool Replacement { get; init; } = true;

    /// <summary>The seed of the stream that positions are drawn from.</summary>
    public required BigInteger Seed { get; init; }

    /// <summary>The seed of a stream of their own for the tokens; null draws them from the positions' stream (the reference's lists, files and tags do).</summary>
    public BigInteger? TokenSeed { get; init; }
}

/// <summary>A token in an injected text.</summary>
/// <param name="Step">The step that put it there, from 0.</param>
/// <param name="Token">The token.</param>
/// <param name="Word">The index, in the resulting text's words (Python's <c>text.split()</c>), of the word it begins in; for most tokens, that it is.</param>
/// <param name="Offset">Where it begins in the resulting text, in UTF-16 code units.</param>
/// <param name="CutStart">Where the characters begin that came with it, its separating space included.</param>
/// <param name="CutLength">How many they are: cutting them out of the text removes the token.</param>
public readonly record struct InjectedToken(int Step, string Token, int Word, int Offset, int CutStart, int CutLength);
