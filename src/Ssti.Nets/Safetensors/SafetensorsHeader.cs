using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace Ssti.Nets.Safetensors;

/// <summary>Where a tensor lies in a safetensors file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="TypeName">Its element type in the format's words, such as <c>F32</c>.</param>
/// <param name="Type">Its element type; null for one that cannot be read here.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
internal sealed record SafetensorsEntry(string Name, string TypeName, ScalarType? Type, long[] Shape, long Begin, long End);

/// <summary>
/// The header of a safetensors file: 8 bytes of length, then JSON. Source: the format's description at huggingface/safetensors.
/// </summary>
internal sealed class SafetensorsHeader
{
    private const long LongestHeader = 100_000_000; // the reference's own bound
    private const string MetadataKey = "__metadata__";

    // In the order in which the reference writes tensors, so that files it wrote are written back byte-equal.
    private static readonly (string Name, ScalarType Type, int Size)[] Types =
    [
        ("I64", ScalarType.Int64, 8), ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("I32", ScalarType.Int32, 4),
        ("BF16", ScalarType.BFloat16, 2), ("F16", ScalarType.Float16, 2), ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1), ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    // Types of the format that no tensor here has, by their bytes: a file that holds them beside others is sound.
    private static readonly Dictionary<string, int> OtherTypes = new()
    {
        ["U64"] = 8, ["U32"] = 4, ["U16"] = 2, ["C64"] = 8, ["F8_E4M3"] = 1, ["F8_E5M2"] = 1, ["F8_E8M0"] = 1, ["F8_E4M3FNUZ"] = 1, ["F8_E5M2FNUZ"] = 1,
    };

    private static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private SafetensorsHeader(IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata, long length) =>
        (Entries, Metadata, Length) = (entries, metadata, length);

    /// <summary>The tensors, in the order of their bytes.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free text by key.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes before the first tensor's.</summary>
    public long Length { get; }

    /// <summary>Reads and checks a header: every tensor inside the file, its bytes as many as its shape says, none over another, none left out.</summary>
    public static SafetensorsHeader Read(string path, Stream file)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (file.ReadAtLeast(prefix, 8, throwOnEndOfStream: false) < 8) throw Damaged(path, "it is shorter than a header");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader || (long)length > file.Length - 8)
            throw Damaged(path, OtherKind(prefix) ?? $"its header claims {length} bytes, and the file has {file.Length}");
        var json = new byte[length];
        file.ReadExactly(json);
        try
        {
            using var document = JsonDocument.Parse(json);
            return Check(path, document.RootElement, 8 + (long)length, file.Length);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw Damaged(path, $"its header is not valid: {e.Message}", e);
        }
    }

    /// <summary>The header of some tensors: wide types first so that each is aligned, then by name; padded with spaces to a multiple of 8.</summary>
    public static (byte[] Bytes, IReadOnlyList<SafetensorsEntry> Entries) Write(
        IEnumerable<(string Name, ScalarType Type, long[] Shape)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var entries = new List<SafetensorsEntry>();
        var offset = 0L;
        foreach (var (name, type, shape) in tensors.OrderBy(tensor => Order(tensor.Type)).ThenBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            var end = offset + (shape.Aggregate(1L, (product, size) => product * size) * Types[Order(type)].Size);
            entries.Add(new SafetensorsEntry(name, Types[Order(type)].Name, type, shape, offset, end));
            offset = end;
        }

        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, Plain))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
            {
                writer.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            foreach (var entry in entries)
            {
                writer.WriteStartObject(entry.Name);
                writer.WriteString("dtype", entry.TypeName);
                writer.WriteStartArray("shape");
                foreach (var dimension in entry.Shape) writer.WriteNumberValue(dimension);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(entry.Begin);
                writer.WriteNumberValue(entry.End);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        var padded = new byte[8 + ((json.Length + 7) / 8 * 8)];
        BinaryPrimitives.WriteUInt64LittleEndian(padded, (ulong)(padded.Length - 8));
        json.ToArray().CopyTo(padded, 8);
        padded.AsSpan(8 + (int)json.Length).Fill((byte)' ');
        return (padded, entries);
    }

    private static SafetensorsHeader Check(string path, JsonElement root, long start, long fileLength)
    {
        var metadata = new Dictionary<string, string>();
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            if (!names.Add(property.Name)) throw Damaged(path, $"'{property.Name}' stands twice in its header");
            if (property.Name == MetadataKey)
            {
                // The reference's metadata is optional, and some writers say so with a null.
                if (property.Value.ValueKind == JsonValueKind.Null) continue;
                foreach (var pair in property.Value.EnumerateObject()) metadata[pair.Name] = pair.Value.GetString() ?? "";
                continue;
            }

            entries.Add(Entry(path, property));
        }

        entries.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        var position = 0L;
        foreach (var entry in entries)
        {
            if (entry.Begin != position) throw Damaged(path, $"the bytes of '{entry.Name}' begin at {entry.Begin}, and the tensor before ends at {position}");
            position = entry.End;
        }

        if (start + position != fileLength) throw Damaged(path, $"its tensors end at byte {start + position}, and the file at {fileLength}; was it cut short?");
        return new SafetensorsHeader(entries, metadata, start);
    }

    private static SafetensorsEntry Entry(string path, JsonProperty property)
    {
        var name = property.Value.GetProperty("dtype").GetString() ?? "";
        var type = Array.Find(Types, candidate => candidate.Name == name);
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64()).ToArray();
        if (offsets.Length != 2 || offsets[0] < 0 || shape.Any(dimension => dimension < 0)) throw Damaged(path, $"tensor '{property.Name}' has no valid place");
        // Of a type that is not known at all the size is the file's word: only who asks for the tensor is refused.
        long? size = type.Name is not null ? type.Size : OtherTypes.TryGetValue(name, out var other) ? other : null;
        var bytes = size is { } each ? shape.Aggregate(each, (product, dimension) => checked(product * dimension)) : Math.Max(0, offsets[1] - offsets[0]);
        if (offsets[1] - offsets[0] != bytes)
            throw Damaged(path, $"tensor '{property.Name}' [{string.Join(", ", shape)}] of {name} needs {bytes} bytes and has {offsets[1] - offsets[0]}");
        return new SafetensorsEntry(property.Name, name, type.Name is null ? null : type.Type, shape, offsets[0], offsets[1]);
    }

    /// <summary>Refuses a tensor of a type that cannot be read here.</summary>
    public static ScalarType Readable(string path, SafetensorsEntry entry) => entry.Type
        ?? throw new SafetensorsException($"{path}: tensor '{entry.Name}' has the type {entry.TypeName}; known are {string.Join(", ", Types.Select(t => t.Name))}");

    private static int Order(ScalarType type)
    {
        var order = Array.FindIndex(Types, candidate => candidate.Type == type);
        return order < 0 ? throw new SafetensorsException($"tensors of {type} cannot be saved; known are {string.Join(", ", Types.Select(t => t.Name))}") : order;
    }

    // What stands under this name when a download or a rename went wrong.
    private static string? OtherKind(ReadOnlySpan<byte> first) => first.SequenceEqual("version "u8) ? "it is a pointer of Git LFS; fetch the file itself (git lfs pull)"
        : first.StartsWith("PK"u8) ? "it is a zip archive, as torch.save writes; it must be converted, not renamed"
        : first[0] == '<' ? "it is a web page; fetch the file itself"
        : null;

    private static SafetensorsException Damaged(string path, string why, Exception? inner = null) => new($"{path} is not a sound safetensors file: {why}", inner);
}
