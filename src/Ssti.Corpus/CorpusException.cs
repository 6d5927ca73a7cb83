namespace Ssti.Corpus;

/// <summary>
/// Text that cannot be had or read for a reason the user can act on: the message names the file, the row and what to do.
/// The one exception type of this library for such reasons.
/// </summary>
public sealed class CorpusException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>An error at a row of a file, in the form <c>file(row): message</c> that editors can follow.</summary>
    /// <param name="file">The file, as the user knows it.</param>
    /// <param name="row">The row or line, from 1.</param>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="inner">The cause.</param>
    public static CorpusException AtRow(string file, long row, string message, Exception? inner = null) =>
        new($"{file}({row}): {message}", inner);
}
