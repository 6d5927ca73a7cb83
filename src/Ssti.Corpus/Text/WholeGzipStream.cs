using System.Buffers.Binary;
using System.IO.Compression;

namespace Ssti.Corpus.Text;

/// <summary>
/// Unpacks a gzip file and notices when it is cut short, which <see cref="GZipStream"/> passes over in silence: the last four bytes of a
/// whole file are its unpacked length (RFC 1952), modulo 2^32.
/// </summary>
internal sealed class WholeGzipStream(FileStream file) : Stream
{
    private readonly GZipStream _unpacked = new(file, CompressionMode.Decompress, leaveOpen: true);
    private uint _length;
    private bool _checked;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var read = _unpacked.Read(buffer);
        _length = unchecked(_length + (uint)read);
        if (read == 0 && buffer.Length > 0 && !_checked) Check();
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unpacked.Dispose();
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Check()
    {
        _checked = true;
        Span<byte> tail = stackalloc byte[4];
        if (file.Length < 18) throw new InvalidDataException("It is shorter than any gzip file.");
        file.Position = file.Length - 4;
        file.ReadExactly(tail);
        if (BinaryPrimitives.ReadUInt32LittleEndian(tail) != _length)
            throw new InvalidDataException("The gzip file is not whole (or made of several, which must be unpacked first).");
    }
}
