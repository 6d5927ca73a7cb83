namespace Ssti.Store;

/// <summary>
/// A signature beside a record: <c>ac/&lt;key&gt;/&lt;tree&gt;.&lt;signer&gt;.sig</c>. The record's bytes know nothing of it, and a store only keeps it: what is in it
/// is for others to check.
/// </summary>
public sealed record RecordSignature
{
    /// <summary>Longer ones are not read: a stranger may have put them there.</summary>
    public const int Longest = 64 << 20;

    private const string Extension = ".sig";
    private static readonly System.Buffers.SearchValues<char> Hex = System.Buffers.SearchValues.Create("0123456789abcdef");

    /// <summary>Makes one.</summary>
    /// <param name="key">The record's key.</param>
    /// <param name="tree">The record's tree.</param>
    /// <param name="signer">Who signed: 16 lower-case hexadecimal digits, of the public key's digest.</param>
    /// <param name="content">The signature, with what it is about.</param>
    /// <exception cref="ArgumentException">The signer is written otherwise.</exception>
    public RecordSignature(Digest key, Digest tree, string signer, ReadOnlyMemory<byte> content)
    {
        if (!IsSigner(signer)) throw new ArgumentException($"'{signer}' is no signer (16 lower-case hexadecimal digits)", nameof(signer));
        (Key, Tree, Signer, Content) = (key, tree, signer, content);
    }

    /// <summary>The record's key.</summary>
    public Digest Key { get; }

    /// <summary>The record's tree.</summary>
    public Digest Tree { get; }

    /// <summary>Who signed, as the file's name says.</summary>
    public string Signer { get; }

    /// <summary>The signature, with what it is about.</summary>
    public ReadOnlyMemory<byte> Content { get; }

    /// <summary>The name of the file.</summary>
    public string FileName => $"{Tree}.{Signer}{Extension}";

    /// <summary>Reads a file's name; false when it is not that of a signature.</summary>
    public static bool TryName(string name, out Digest tree, out string signer)
    {
        (tree, signer) = (default, "");
        if (!name.EndsWith(Extension, StringComparison.Ordinal) || name.Split('.') is not [var digest, var who, _]) return false;
        signer = who;
        return Digest.TryParse(digest, out tree) && IsSigner(who);
    }

    private static bool IsSigner(string text) => text.Length == 16 && !text.AsSpan().ContainsAnyExcept(Hex);
}
