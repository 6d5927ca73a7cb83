using System.IO.MemoryMappedFiles;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Safetensors;

/// <summary>Reads one tensor of a file through a memory map, a piece at a time, into the place and the precision it is wanted in.</summary>
/// <remarks>
/// The map's pages are the system's cache, and a piece's are given back before the next is mapped, so that of a large model nothing is in memory twice. Values are
/// copied, not used where they lie: a file's alignment is not that of libtorch's memory, and the same tensor must compute the same bytes wherever it stands in a file.
/// </remarks>
internal static class MappedTensor
{
    // Small beside a weight: a buffer whose place the next weight could take would leave the allocator with holes as large as the model.
    private const int Piece = 1 << 20;

    public static Tensor Read(string path, string title, string name, Device device, ScalarType dtype)
    {
        using var file = SafetensorsFile.Open(path, title);
        var header = SafetensorsHeader.Read(title, file);
        var entry = header.Entries.FirstOrDefault(entry => entry.Name == name) ?? throw new SafetensorsException($"{title} lacks '{name}'");
        var type = SafetensorsHeader.Readable(title, entry);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var tensor = empty(entry.Shape, dtype, device);
        var count = tensor.numel();
        if (count > 0)
        {
            using var map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            var size = (entry.End - entry.Begin) / count;
            var flat = tensor.view(-1);
            for (var at = 0L; at < count; at += Piece / size)
            {
                using var step = NewDisposeScope();
                var length = Math.Min(Piece / size, count - at);
                var target = flat.narrow(0, at, length);
                // Nothing between the file and the tensor where neither type nor device differ.
                var direct = type == dtype && device.type == DeviceType.CPU;
                var values = direct ? target : empty(length, type);
                using (var view = map.CreateViewAccessor(header.Length + entry.Begin + (at * size), length * size, MemoryMappedFileAccess.Read))
                    view.SafeMemoryMappedViewHandle.ReadSpan((ulong)view.PointerOffset, values.bytes);
                if (!direct) target.copy_(values);
            }
        }

        return tensor.DetachFromDisposeScope();
    }
}
