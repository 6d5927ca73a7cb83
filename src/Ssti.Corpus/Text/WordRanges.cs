namespace Ssti.Corpus.Text;

/// <summary>The words of a text, which are what stands between white space, by their places.</summary>
public ref struct WordRanges(ReadOnlySpan<char> text)
{
    private readonly ReadOnlySpan<char> _text = text;
    private int _end;

    /// <summary>Where the word at hand begins and ends.</summary>
    public Range Current { get; private set; }

    /// <summary>Itself, for <c>foreach</c>.</summary>
    public readonly WordRanges GetEnumerator() => this;

    /// <summary>Goes on to the next word; false when there is none.</summary>
    public bool MoveNext()
    {
        var begin = _end;
        while (begin < _text.Length && char.IsWhiteSpace(_text[begin])) begin++;
        if (begin == _text.Length) return false;
        _end = begin;
        while (_end < _text.Length && !char.IsWhiteSpace(_text[_end])) _end++;
        Current = begin.._end;
        return true;
    }
}
