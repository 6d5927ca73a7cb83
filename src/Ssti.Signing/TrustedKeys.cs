namespace Ssti.Signing;

/// <summary>Whose word is taken.</summary>
/// <param name="Keys">Their keys.</param>
public sealed record TrustedKeys(IReadOnlyList<NamedKey> Keys)
{
    /// <summary>Their names, for messages.</summary>
    public string Names => string.Join(" or ", Keys.Select(key => key.Name));

    /// <summary>Whether a key is one of theirs. The whole key is compared; a fingerprint is for people.</summary>
    public bool Has(ReadOnlyMemory<byte> key) => Keys.Any(known => known.Bytes.Span.SequenceEqual(key.Span));
}
