using Ssti.Corpus.Text;

namespace Ssti.Defenses.Data;

/// <summary>The words of a text, as an audit sees them: between white space; <see cref="Word"/> without the punctuation around it.</summary>
internal ref struct TextWords(ReadOnlySpan<char> text)
{
    private const string Around = ".,;:!?\"'()[]{}…“”‘’*";

    private readonly ReadOnlySpan<char> _text = text;
    private WordRanges _words = new(text);

    /// <summary>The word with its punctuation.</summary>
    public ReadOnlySpan<char> Raw { get; private set; }

    /// <summary>The word without; with it where there is nothing else.</summary>
    public ReadOnlySpan<char> Word { get; private set; }

    /// <summary>Where it begins in the text, punctuation included.</summary>
    public int Start { get; private set; }

    public bool MoveNext()
    {
        if (!_words.MoveNext()) return false;
        Start = _words.Current.Start.Value;
        Raw = _text[_words.Current];
        var trimmed = Raw.Trim(Around);
        Word = trimmed.IsEmpty ? Raw : trimmed;
        return true;
    }
}
