namespace Ssti.Defenses.Data;

/// <summary>What in a text may give its label away.</summary>
public enum FeatureKind
{
    /// <summary>A word: what stands between white space, without punctuation around it, in its case. Counted once a row, as all of these.</summary>
    Word,

    /// <summary>Two words in a row; the beginning and the end of a text count as words, so that a word at either is a pair, too.</summary>
    Pair,

    /// <summary>A piece of words: three characters in a row, where a word's beginning and end count as characters.</summary>
    Piece,

    /// <summary>How a word with digits or signs in it is written: <c>2014-07-25</c> is <c>9999-99-99</c>. All that are written so are one.</summary>
    Shape,

    /// <summary>All words of a family: dates, numbers, HTML tags, addresses, signs and so on.</summary>
    Family,

    /// <summary>How the whole text is written: its case, its white space, its first and last character.</summary>
    Form,
}
