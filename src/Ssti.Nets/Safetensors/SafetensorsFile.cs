using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Safetensors;

/// <summary>Named tensors and free text in one file, as Hugging Face's safetensors library reads and writes them.</summary>
/// <param name="Tensors">The tensors by name, on the CPU, in the types they have in the file.</param>
/// <param name="Metadata">The free text by key; empty without any.</param>
public sealed record SafetensorsFile(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) : IDisposable
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="wanted">Which tensors, by name; null for all. Those that are not asked for may have any type.</param>
    /// <param name="title">What messages call the file; null for its path.</param>
    /// <exception cref="SafetensorsException">The file is damaged; names the tensor.</exception>
    public static SafetensorsFile Read(string path, Func<string, bool>? wanted = null, string? title = null)
    {
        using var file = Open(path, title);
        var header = SafetensorsHeader.Read(title ?? path, file);
        // A scope of its own, so that nothing is left behind when a later tensor cannot be read.
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var entry in header.Entries.Where(entry => wanted?.Invoke(entry.Name) != false))
        {
            var type = SafetensorsHeader.Readable(title ?? path, entry);
            if (entry.End - entry.Begin > int.MaxValue) throw new SafetensorsException($"{title ?? path}: tensor '{entry.Name}' is larger than 2 GiB");
            var tensor = empty(entry.Shape, type);
            tensors.Add(entry.Name, tensor);
            if (entry.End == entry.Begin) continue;
            file.Position = header.Length + entry.Begin;
            file.ReadExactly(tensor.bytes);
        }

        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        return new SafetensorsFile(tensors, header.Metadata);
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="SafetensorsException">There is none.</exception>
    internal static FileStream Open(string path, string? title = null)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SafetensorsException($"there is no file '{title ?? path}'", e);
        }
    }

    /// <summary>
    /// Writes a file: the same tensors always give the same bytes. It is written beside its place and renamed, so that a file by this name is a
    /// whole one.
    /// </summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="tensors">The tensors by name, on any device.</param>
    /// <param name="metadata">Free text by key; null for <c>format: pt</c>, which transformers wants to see.</param>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, tensors.Select(tensor => (tensor.Key, tensor.Value.dtype, tensor.Value.shape)), metadata, (name, file) =>
        {
            using var scope = NewDisposeScope();
            file.Write(tensors[name].detach().cpu().contiguous().bytes);
        });

    /// <summary>Writes floats that are in memory as bytes: needs no libtorch.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="tensors">Shapes and little-endian floats by name.</param>
    public static void WriteFloats(string path, IReadOnlyDictionary<string, (IReadOnlyList<long> Shape, byte[] Bytes)> tensors) =>
        Write(path, tensors.Select(tensor => (tensor.Key, ScalarType.Float32, tensor.Value.Shape.ToArray())), null, (name, file) => file.Write(tensors[name].Bytes));

    /// <summary>Writes a file of floats, each tensor when its turn comes: only one of them is in memory at a time.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shapes">The tensors by name.</param>
    /// <param name="content">Gives a tensor's floats, little-endian, row by row.</param>
    public static void WriteFloats(string path, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Func<string, byte[]> content) =>
        Write(path, shapes.Select(tensor => (tensor.Key, ScalarType.Float32, tensor.Value.ToArray())), null, (name, file) => file.Write(content(name)));

    /// <summary>Writes whole numbers that are in memory, [count] int32 each: needs no libtorch.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="tensors">The numbers by name.</param>
    /// <param name="metadata">Free text by key.</param>
    public static void WriteIntegers(string path, IReadOnlyDictionary<string, int[]> tensors, IReadOnlyDictionary<string, string> metadata) =>
        Write(path, tensors.Select(tensor => (tensor.Key, ScalarType.Int32, new long[] { tensor.Value.Length })), metadata,
            (name, file) => file.Write(MemoryMarshal.AsBytes<int>(tensors[name])));

    private static void Write(
        string path, IEnumerable<(string Name, ScalarType Type, long[] Shape)> tensors, IReadOnlyDictionary<string, string>? metadata, Action<string, FileStream> content)
    {
        var (header, entries) = SafetensorsHeader.Write(tensors, metadata ?? new Dictionary<string, string> { ["format"] = "pt" });
        // A name of its own: two writers of one file must not write into each other's.
        var temporary = $"{path}.{Guid.NewGuid():n}.part";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                file.Write(header);
                foreach (var entry in entries)
                {
                    if (entry.End - entry.Begin > int.MaxValue) throw new SafetensorsException($"{path}: tensor '{entry.Name}' is larger than 2 GiB");
                    if (entry.End > entry.Begin) content(entry.Name, file);
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Tensors.Values) tensor.Dispose();
    }
}
