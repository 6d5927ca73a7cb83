using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ssti.Engine.Pipelines;

/// <summary>Where a stage's seed comes from when it has no <c>seed:</c>.</summary>
public static class SeedRule
{
    /// <summary>
    /// The first 63 bits of SHA-256 over <c>ssti-seed-1\n{pipeline seed}\n{stage name}</c>, as a non-negative number.
    /// </summary>
    /// <remarks>
    /// From the stage's name, so that adding a stage shifts nobody else's randomness; without its matrix cell, so that the twins of a matrix differ
    /// in nothing but what the matrix varies.
    /// </remarks>
    public static long Derive(long pipelineSeed, string stage)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"ssti-seed-1\n{pipelineSeed}\n{stage}")));
        return (long)(BinaryPrimitives.ReadUInt64BigEndian(hash) >> 1);
    }
}
