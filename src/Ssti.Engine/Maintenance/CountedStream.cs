using Ssti.Store;

namespace Ssti.Engine.Maintenance;

/// <summary>What comes out of a compressed file, counted against what went in: a small file that unpacks without end is stopped.</summary>
/// <param name="inner">The unpacked content.</param>
/// <param name="packed">Bytes of the file.</param>
/// <param name="name">What messages call the file.</param>
internal sealed class CountedStream(Stream inner, long packed, string name) : Stream
{
    // A run of nothing but logs shrinks to a fiftieth; gzip's best is a thousandth.
    private const int MostTimes = 200;
    private const long AlwaysFine = 64L << 20;
    private readonly long _most = Math.Max(AlwaysFine, packed > long.MaxValue / MostTimes ? long.MaxValue : packed * MostTimes);
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

    public override int Read(Span<byte> buffer) => Count(inner.Read(buffer));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    private int Count(int read)
    {
        _read += read;
        return _read <= _most ? read : throw new StoreException(
            $"{name} unpacks to more than {_most >> 20} MiB from {packed} bytes, which no run does; unpack it with gzip and look at it before you import that");
    }
}
