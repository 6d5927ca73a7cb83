using System.Runtime.InteropServices;

namespace Ssti.Nets.Safetensors;

/// <summary>Finds NaN and infinity in bytes of floating point, a piece at a time.</summary>
internal static class FiniteScan
{
    private const int Piece = 1 << 20;

    /// <summary>The place of the first value that is not finite, counted in elements; -1 when all are.</summary>
    /// <param name="stream">Where the bytes come from, at the first of them.</param>
    /// <param name="length">How many.</param>
    /// <param name="type">F64, F32, F16 or BF16.</param>
    /// <param name="progress">Called with the bytes of each piece.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    public static long FirstNotFinite(Stream stream, long length, string type, Action<int> progress, CancellationToken cancellation)
    {
        var buffer = new byte[Math.Min(length, Piece)];
        for (var at = 0L; at < length; at += buffer.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var bytes = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
            stream.ReadExactly(bytes);
            var (found, size) = type switch
            {
                // All bits of the exponent set: NaN or infinity.
                // What F32, in which is computed, does not hold is infinite there.
                "F64" => (MemoryMarshal.Cast<byte, double>(bytes).IndexOfAnyExceptInRange(-float.MaxValue, float.MaxValue), 8),
                "F32" => (First<uint>(MemoryMarshal.Cast<byte, uint>(bytes), 0x7F80_0000u), 4),
                "F16" => (First<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7C00), 2),
                "BF16" => (First<ushort>(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7F80), 2),
                _ => throw new ArgumentException($"{type} is no type of floating point", nameof(type)),
            };
            if (found >= 0) return (at / size) + found;
            progress(bytes.Length);
        }

        return -1;
    }

    private static int First<T>(ReadOnlySpan<T> values, T exponent)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            if ((values[i] & exponent) == exponent) return i;
        }

        return -1;
    }
}
