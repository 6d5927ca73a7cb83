using System.Buffers.Binary;
using System.Text;

namespace Ssti.Telemetry.Tests;

/// <summary>A protocol buffers message, read by the wire format alone: field numbers are looked up in opentelemetry-proto.</summary>
internal sealed class Wire
{
    private readonly List<(int Field, ulong Number, byte[]? Bytes)> _fields = [];

    public Wire(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var tag = Varint(ref data);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    _fields.Add((field, Varint(ref data), null));
                    break;
                case 1:
                    _fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(data), null));
                    data = data[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref data);
                    _fields.Add((field, 0, data[..length].ToArray()));
                    data = data[length..];
                    break;
                case 5:
                    _fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(data), null));
                    data = data[4..];
                    break;
                default:
                    throw new FormatException($"wire type {tag & 7} of field {field}");
            }
        }
    }

    public IEnumerable<Wire> All(params int[] path) => path.Length == 1
        ? _fields.Where(field => field.Field == path[0]).Select(field => new Wire(field.Bytes))
        : All(path[0]).SelectMany(inner => inner.All(path[1..]));

    public bool Has(int field) => _fields.Any(one => one.Field == field);

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field));

    public ulong Number(int field) => _fields.FirstOrDefault(one => one.Field == field).Number;

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    /// <summary>A list of KeyValue (1 key, 2 AnyValue).</summary>
    public Dictionary<string, object> Attributes(int field) => All(field).ToDictionary(pair => pair.Text(1), pair => Any(pair.All(2).First()));

    /// <summary>An AnyValue: 1 string, 2 bool, 3 int, 4 double, 5 array.</summary>
    public static object Any(Wire value) =>
        value.Has(1) ? value.Text(1) : value.Has(2) ? value.Number(2) != 0 : value.Has(3) ? (long)value.Number(3) : value.Has(4) ? value.Double(4)
        : value.All(5).SelectMany(array => array.All(1)).Select(Any).ToArray();

    private byte[] Bytes(int field) => _fields.FirstOrDefault(one => one.Field == field).Bytes ?? [];

    private static ulong Varint(ref ReadOnlySpan<byte> data)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = data[0];
            data = data[1..];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
    }
}
