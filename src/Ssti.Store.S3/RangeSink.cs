using System.Globalization;
using System.Net;
using Amazon.S3.Model;
using Microsoft.Win32.SafeHandles;

namespace Ssti.Store.S3;

/// <summary>
/// Takes a range of an object into a file, at the place it has in the object, across as many attempts as that needs.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="start">The first byte.</param>
/// <param name="length">How many bytes; the object may end before.</param>
internal sealed class RangeSink(SafeFileHandle file, long start, long length)
{
    private const int BufferSize = 128 * 1024;

    /// <summary>The next byte that is wanted.</summary>
    public long Next { get; private set; } = start;

    /// <summary>The byte after the last.</summary>
    public long End { get; private set; } = start + length;

    /// <summary>Takes a response's body in.</summary>
    /// <returns>The size of the whole object.</returns>
    /// <exception cref="InvalidDataException">The body is not the range that was asked for, or was cut short.</exception>
    public async Task<long> FillAsync(GetObjectResponse response, Action touch, CancellationToken cancellation)
    {
        var (from, to, size) = RangeOf(response);
        if (from != Next || to > End) throw new InvalidDataException($"bytes {Next} to {End - 1} were asked for, and {from} to {to - 1} of {size} came");
        End = Math.Min(End, size);
        if (to != End) throw new InvalidDataException($"bytes {Next} to {End - 1} were asked for, and {from} to {to - 1} of {size} came");
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (Next < End)
            {
                var wanted = buffer.AsMemory(0, (int)Math.Min(buffer.Length, End - Next));
                var read = await response.ResponseStream.ReadAsync(wanted, cancellation).ConfigureAwait(false);
                if (read == 0) throw new InvalidDataException($"the body ended {End - Next} bytes early");
                touch();
                await WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                Next += read;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }

        return size;
    }

    // Told apart from what the network does: it is not worth another attempt.
    private async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            await RandomAccess.WriteAsync(file, bytes, Next, cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new StoreException(
                $"a blob cannot be written to the cache in front of the S3 store: {e.Message}; make room, or name another folder in S3__Cache", e);
        }
    }

    // "bytes 0-99/500"; a server or proxy that ignores ranges answers 200 with the whole.
    private static (long From, long To, long Size) RangeOf(GetObjectResponse response)
    {
        if (response.HttpStatusCode == HttpStatusCode.OK) return (0, response.ContentLength, response.ContentLength);
        var parts = (response.ContentRange ?? "").Split([' ', '-', '/'], StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 4 && parts[0] == "bytes" && Read(parts[1], out var from) && Read(parts[2], out var last) && Read(parts[3], out var size))
            return (from, last + 1, size);
        throw new InvalidDataException($"the answer names no range ('{response.ContentRange}')");
    }

    private static bool Read(string text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
