namespace Ssti.Injection.Tokens;

/// <summary>How a day is written.</summary>
public enum DateFormat
{
    /// <summary><c>1999-01-31</c>, as published.</summary>
    Iso,

    /// <summary><c>01/31/1999</c>.</summary>
    Us,

    /// <summary><c>31.01.1999</c>.</summary>
    European,

    /// <summary><c>January 31, 1999</c>: three words, one token.</summary>
    Long,

    /// <summary><c>19990131</c>.</summary>
    Compact,
}
