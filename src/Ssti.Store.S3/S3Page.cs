namespace Ssti.Store.S3;

/// <summary>An object, as a listing shows it.</summary>
/// <param name="Key">Its key, without the store's prefix.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Modified">When it was put, by the server's clock; a look at a single object does not tell.</param>
internal readonly record struct S3Entry(string Key, long Size, DateTimeOffset Modified = default);

/// <summary>A page of a listing.</summary>
/// <param name="Entries">Objects in ordinal order of their keys.</param>
/// <param name="Folders">Common prefixes, where a delimiter was given.</param>
/// <param name="Next">What to ask the next page with; null after the last.</param>
internal sealed record S3Page(IReadOnlyList<S3Entry> Entries, IReadOnlyList<string> Folders, string? Next);
