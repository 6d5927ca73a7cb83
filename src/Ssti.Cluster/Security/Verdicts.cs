using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;

namespace Ssti.Cluster.Security;

/// <summary>
/// The first thing a silo says inside a TLS connection: whether it takes the other side's certificate, and if not, why. In TLS 1.3 a client is done before the
/// server has looked at its certificate, and .NET sends no alert on Linux: without this, a refusal would look like a broken line.
/// </summary>
internal static class Verdicts
{
    private const int Longest = 1000;

    /// <summary>Says it: two bytes of length, and as many of the reason; none for welcome.</summary>
    public static async Task SayAsync(PipeWriter to, string? problem, CancellationToken cancellation)
    {
        var text = Encoding.UTF8.GetBytes(problem is null || problem.Length <= Longest / 4 * 3 ? problem ?? "" : problem[..(Longest / 4 * 3)]);
        var message = new byte[2 + Math.Min(text.Length, Longest)];
        BinaryPrimitives.WriteUInt16BigEndian(message, (ushort)(message.Length - 2));
        text.AsSpan(0, message.Length - 2).CopyTo(message.AsSpan(2));
        await to.WriteAsync(message, cancellation).ConfigureAwait(false);
    }

    /// <summary>Hears it; null for welcome.</summary>
    /// <exception cref="InvalidDataException">The connection ended before, or what came is something else.</exception>
    public static async Task<string?> HearAsync(PipeReader from, CancellationToken cancellation)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(await TakeAsync(from, 2, cancellation).ConfigureAwait(false));
        if (length > Longest) throw new InvalidDataException("something else came");
        return length == 0 ? null : Plain(Encoding.UTF8.GetString(await TakeAsync(from, length, cancellation).ConfigureAwait(false)));
    }

    private static async Task<byte[]> TakeAsync(PipeReader from, int count, CancellationToken cancellation)
    {
        var read = await from.ReadAtLeastAsync(count, cancellation).ConfigureAwait(false);
        if (read.Buffer.Length < count) throw new InvalidDataException("the connection ended");
        var part = read.Buffer.Slice(0, count);
        var bytes = part.ToArray();
        from.AdvanceTo(part.End);
        return bytes;
    }

    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
