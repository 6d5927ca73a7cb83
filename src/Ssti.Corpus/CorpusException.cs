namespace Ssti.Corpus;

/// <summary>
/// Text that cannot be had or read for a reason the user can act on: the message names the file, the row and what to do.
/// The one exception type of this library for such reasons.
/// </summary>
public sealed class CorpusException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The field that was looked for and is not there, where that is what is wrong: whoever names fields in another way than a pipeline can say so.</summary>
    public MissingField? Missing { get; init; }

    /// <summary>An error at a row of a file, in the form <c>file(row): message</c> that editors can follow.</summary>
    /// <param name="file">The file, as the user knows it.</param>
    /// <param name="row">The row or line, from 1.</param>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="inner">The cause.</param>
    public static CorpusException AtRow(string file, long row, string message, Exception? inner = null) =>
        new($"{file}({row}): {message}", inner);
}

/// <summary>A field that is not there.</summary>
/// <param name="Where">File and row, as <c>file(row)</c>.</param>
/// <param name="Role">What it was to be: <c>text</c>, <c>label</c> or <c>id</c>.</param>
/// <param name="Named">Its name; null where none was named, and none has a usual one.</param>
/// <param name="Present">The fields that are there.</param>
public sealed record MissingField(string Where, string Role, string? Named, IReadOnlyList<string> Present);
