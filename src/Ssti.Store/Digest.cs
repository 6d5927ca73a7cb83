using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Ssti.Store;

/// <summary>A SHA-256 digest: the name of every blob, tree and action in a store.</summary>
/// <remarks>
/// Text form: 64 lower-case hexadecimal digits. What dictionaries call by the ten thousand is compiled in full at once: most commands are over before
/// the runtime would do so by itself.
/// </remarks>
public readonly struct Digest : IEquatable<Digest>, IComparable<Digest>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 32;

    private static readonly System.Buffers.SearchValues<char> LowerHex = System.Buffers.SearchValues.Create("0123456789abcdef");
    private static readonly System.Buffers.SearchValues<byte> LowerHexUtf8 = System.Buffers.SearchValues.Create("0123456789abcdef"u8);
    private readonly UInt128 _high;
    private readonly UInt128 _low;

    private Digest(ReadOnlySpan<byte> bytes)
    {
        _high = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
        _low = System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes[16..]);
    }

    /// <summary>The digest of some bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return new Digest(hash);
    }

    /// <summary>The digest of a UTF-8 text.</summary>
    public static Digest Of(string text) => Of(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Wraps 32 bytes that are a SHA-256 already.</summary>
    public static Digest FromHash(ReadOnlySpan<byte> hash) =>
        hash.Length == Size ? new Digest(hash) : throw new ArgumentException($"a digest has {Size} bytes, not {hash.Length}", nameof(hash));

    /// <summary>Reads the text form.</summary>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"'{text}' is not a digest (64 lower-case hexadecimal digits)");

    /// <summary>Reads the text form; false when it is not one.</summary>
    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is not { Length: 2 * Size } || text.AsSpan().ContainsAnyExcept(LowerHex)) return false;
        Span<byte> bytes = stackalloc byte[Size];
        Convert.FromHexString(text, bytes, out _, out _);
        digest = new Digest(bytes);
        return true;
    }

    /// <summary>Reads the text form in UTF-8; false when it is not one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Digest digest)
    {
        digest = default;
        if (text.Length != 2 * Size || text.ContainsAnyExcept(LowerHexUtf8)) return false;
        Span<byte> bytes = stackalloc byte[Size];
        Convert.FromHexString(text, bytes, out _, out _);
        digest = new Digest(bytes);
        return true;
    }

    /// <summary>The first 12 digits, for people.</summary>
    public string Short => ToString()[..12];

    /// <inheritdoc/>
    public override string ToString() => string.Create(2 * Size, this, static (text, digest) =>
    {
        Span<byte> bytes = stackalloc byte[Size];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, digest._high);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes[16..], digest._low);
        Convert.TryToHexStringLower(bytes, text, out _);
    });

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Equals(Digest other) => _high == other._high && _low == other._low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Digest other && Equals(other);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override int GetHashCode() => _high.GetHashCode();

    /// <inheritdoc/>
    public int CompareTo(Digest other) => _high != other._high ? _high.CompareTo(other._high) : _low.CompareTo(other._low);

    /// <summary>Whether two digests are the same.</summary>
    public static bool operator ==(Digest left, Digest right) => left.Equals(right);

    /// <summary>Whether two digests differ.</summary>
    public static bool operator !=(Digest left, Digest right) => !left.Equals(right);
}
