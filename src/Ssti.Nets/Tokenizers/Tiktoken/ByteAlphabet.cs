using System.Buffers;

namespace Ssti.Nets.Tokenizers;

/// <summary>Bytes as the letters that tokenizer.json writes for them (GPT-2's bytes_to_unicode): printable characters are themselves, the others U+0100 and up.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] Letters = Make();
    private static readonly SearchValues<char> All = SearchValues.Create(Letters);

    /// <summary>The letter of a byte.</summary>
    public static char Of(byte value) => Letters[value];

    /// <summary>Bytes as letters.</summary>
    public static string Of(byte[] bytes) => string.Create(bytes.Length, bytes, (into, from) =>
    {
        for (var i = 0; i < from.Length; i++) into[i] = Letters[from[i]];
    });

    /// <summary>Letters as bytes; null when there are others among them.</summary>
    public static byte[]? Bytes(string letters) => letters.AsSpan().ContainsAnyExcept(All) ? null : [.. letters.Select(letter => (byte)Array.IndexOf(Letters, letter))];

    private static char[] Make()
    {
        var (letters, next) = (new char[256], 256);
        for (var value = 0; value < 256; value++)
            letters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? (char)value : (char)next++;
        return letters;
    }
}
