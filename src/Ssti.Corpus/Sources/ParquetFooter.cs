using System.Buffers.Binary;
using System.Text;

namespace Ssti.Corpus.Sources;

/// <summary>
/// Opens a Parquet file so that a column of a kind that the library does not know does not close all others: such a kind (float16, variant,
/// geometry) is a note beside the column in the footer, and without the note the column is plain bytes.
/// </summary>
internal static class ParquetFooter
{
    // The last field of parquet.thrift's LogicalType that the library reads is UUID, 14.
    private const int LastKnown = 14, LogicalType = 10, Name = 4, Schema = 2;

    private static readonly Dictionary<int, string> Kinds = new() { [15] = "float16", [16] = "variant", [17] = "geometry", [18] = "geography" };

    /// <summary>The file as the library can open it, and the columns whose kind was taken away, by name.</summary>
    public static (Stream Stream, IReadOnlyDictionary<string, string> Unknown) Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        var unknown = new Dictionary<string, string>();
        try
        {
            Span<byte> tail = stackalloc byte[8];
            if (file.Length < 12) return (file, unknown);
            file.Position = file.Length - 8;
            file.ReadExactly(tail);
            var length = BinaryPrimitives.ReadInt32LittleEndian(tail);
            if (!tail[4..].SequenceEqual("PAR1"u8) || length <= 0 || length > file.Length - 12) return (file, unknown);
            var footer = new byte[length];
            file.Position = file.Length - 8 - length;
            file.ReadExactly(footer);
            var cured = new Thrift(footer).WithoutUnknownKinds(unknown);
            if (unknown.Count == 0) return (file, unknown);
            // What is behind the end of the footer's record is not looked at: the length can stay.
            Array.Resize(ref cured, length);
            return (new Overlaid(file, file.Length - 8 - length, cured), unknown);
        }
        catch (IndexOutOfRangeException)
        {
            // Not a footer: the library says so.
            return (file, unknown);
        }
        finally
        {
            file.Position = 0;
        }
    }

    /// <summary>Walks a record in Thrift's compact protocol.</summary>
    private sealed class Thrift(byte[] bytes)
    {
        private int _at;

        public byte[] WithoutUnknownKinds(Dictionary<string, string> unknown)
        {
            var cuts = new List<Range>();
            Fields((id, type) =>
            {
                if (id != Schema || type != 9) { Skip(type); return; }
                var (count, _) = List();
                for (var element = 0; element < count; element++) Element(cuts, unknown);
            });
            var kept = new MemoryStream(bytes.Length);
            var from = 0;
            foreach (var cut in cuts)
            {
                kept.Write(bytes.AsSpan(from..cut.Start.Value));
                from = cut.End.Value;
            }

            kept.Write(bytes.AsSpan(from));
            return kept.ToArray();
        }

        private void Element(List<Range> cuts, Dictionary<string, string> unknown)
        {
            var name = "";
            Fields((id, type) =>
            {
                var header = _at - 1;
                if (id == Name && type == 8)
                {
                    var length = (int)Varint();
                    name = Encoding.UTF8.GetString(bytes, _at, length);
                    _at += length;
                }
                else if (id == LogicalType && type == 12)
                {
                    var kind = 0;
                    Fields((union, inner) => { kind = union; Skip(inner); });
                    // The last field of the element: what follows does not count from it.
                    if (kind <= LastKnown) return;
                    cuts.Add(header.._at);
                    unknown.TryAdd(name, Kinds.GetValueOrDefault(kind, $"logical type {kind}"));
                }
                else
                {
                    Skip(type);
                }
            });
        }

        private void Fields(Action<int, int> field)
        {
            var id = 0;
            while (bytes[_at++] is not 0 and var header)
            {
                id = header >> 4 is not 0 and var delta ? id + delta : (int)(Varint() is var zigzag ? (zigzag >> 1) ^ (0 - (zigzag & 1)) : 0);
                field(id, header & 15);
            }
        }

        private (int Count, int Type) List()
        {
            var header = bytes[_at++];
            return (header >> 4 == 15 ? (int)Varint() : header >> 4, header & 15);
        }

        private void Skip(int type, bool inList = false)
        {
            switch (type)
            {
                case 1 or 2: _at += inList ? 1 : 0; break;
                case 3: _at++; break;
                case 4 or 5 or 6: Varint(); break;
                case 7: _at += 8; break;
                case 8: var length = (int)Varint(); _at += length; break;
                case 9 or 10:
                    var (count, element) = List();
                    for (var one = 0; one < count; one++) Skip(element, inList: true);
                    break;
                case 11:
                    if ((int)Varint() is not 0 and var entries)
                    {
                        var kinds = bytes[_at++];
                        for (var one = 0; one < entries; one++) { Skip(kinds >> 4, inList: true); Skip(kinds & 15, inList: true); }
                    }

                    break;
                case 12: Fields((_, inner) => Skip(inner)); break;
                default: throw new IndexOutOfRangeException();
            }
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var next = bytes[_at++];
                value |= (ulong)(next & 127) << shift;
                if (next < 128) return value;
            }
        }
    }

    /// <summary>A file with some bytes in it replaced.</summary>
    private sealed class Overlaid(FileStream file, long from, byte[] bytes) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position { get => file.Position; set => file.Position = value; }

        public override int Read(Span<byte> buffer)
        {
            var start = file.Position;
            var read = file.Read(buffer);
            var first = Math.Max(start, from);
            var count = Math.Min(start + read, from + bytes.Length) - first;
            if (count > 0) bytes.AsSpan((int)(first - from), (int)count).CopyTo(buffer[(int)(first - start)..]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) file.Dispose();
            base.Dispose(disposing);
        }
    }
}
