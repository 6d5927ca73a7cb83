using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Ssti.Injection.Randomness;

/// <summary>
/// Seeds of per-row random streams: what is drawn for a row depends on the seed and the row's id and on no other row, so that adding,
/// dropping or reordering rows changes nobody else's tokens.
/// </summary>
/// <remarks>
/// The seed of a row's stream is the first 16 bytes, as a big-endian integer, of the SHA-256 of the UTF-8 text
/// <c>ssti row stream\n{seed}\n{purpose}\n{row id}</c>, with the purpose <c>rows</c> (which rows), or <c>tokens.{step}</c> and
/// <c>positions.{step}</c> with the step counted from 0. That integer seeds a <see cref="CPythonRandom"/>, so in Python:
/// <c>random.Random(int.from_bytes(hashlib.sha256(f"ssti row stream\n{seed}\n{purpose}\n{row_id}".encode()).digest()[:16], "big"))</c>.
/// </remarks>
public static class RowStreams
{
    /// <summary>The seed of a row's stream.</summary>
    /// <param name="seed">The seed of the whole.</param>
    /// <param name="purpose">What is drawn; see the remarks.</param>
    /// <param name="rowId">The id of the row.</param>
    public static BigInteger SeedOf(BigInteger seed, string purpose, string rowId)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"ssti row stream\n{seed}\n{purpose}\n{rowId}");
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return new BigInteger(hash[..16], isUnsigned: true, isBigEndian: true);
    }
}
