using System.Text.Json;
using Ssti.Nets.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Safetensors;

/// <summary>A tensor that lies in a file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Type">Its element type in the format's words, such as <c>F16</c>.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="File">The file's name.</param>
public sealed record StoredTensor(string Name, string Type, IReadOnlyList<long> Shape, string File)
{
    /// <summary>Whether it is of a type that weights can be computed with.</summary>
    public bool IsFloat => Type is "F64" or "F32" or "F16" or "BF16";
}

/// <summary>The weights of a model folder as Hugging Face lays it out: one file, or several with an index. Opening it reads names and shapes alone.</summary>
public sealed class ModelWeights : ITensorSource
{
    /// <summary>The file of weights in one piece.</summary>
    public const string Whole = "model.safetensors";

    /// <summary>The file that says which tensor lies in which of several files.</summary>
    public const string Index = "model.safetensors.index.json";

    private readonly string _folder;

    private ModelWeights(string folder, string title, IReadOnlyDictionary<string, StoredTensor> tensors) => (_folder, Title, Tensors) = (folder, title, tensors);

    /// <summary>What messages call the folder.</summary>
    public string Title { get; }

    /// <summary>The tensors by name. What an index does not name is not among them, whatever its file holds.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<long>> Shapes => Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.Shape, StringComparer.Ordinal);

    /// <summary>The files the tensors lie in, in ordinal order.</summary>
    public IEnumerable<string> Files => Tensors.Values.Select(tensor => tensor.File).Distinct().Order(StringComparer.Ordinal);

    /// <summary>Looks at the headers of a model folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="SafetensorsException">A file is missing or damaged, or does not hold what the index says.</exception>
    public static ModelWeights Open(string folder, string? title = null)
    {
        var named = title ?? folder;
        if (File.Exists(Path.Combine(folder, Whole)))
            return new ModelWeights(folder, named, Header(folder, Whole, named).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal));
        if (!File.Exists(Path.Combine(folder, Index)))
            throw new SafetensorsException($"'{named}' has neither {Whole} nor {Index}; weights in other formats (pytorch_model.bin) must be converted to safetensors first");
        var tensors = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        var index = ReadIndex(Path.Combine(folder, Index), $"{named}/{Index}");
        foreach (var shard in index.GroupBy(pair => pair.Value, pair => pair.Key).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var held = Header(folder, shard.Key, named).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
            var missing = shard.Where(name => !held.ContainsKey(name)).Order(StringComparer.Ordinal).ToArray();
            if (missing.Length > 0)
            {
                var more = missing.Length > 1 ? $" and {missing.Length - 1} more" : "";
                throw new SafetensorsException($"{named}/{shard.Key} lacks '{missing[0]}'{more}, which {named}/{Index} says is there");
            }

            foreach (var name in shard) tensors.Add(name, held[name]);
        }

        return new ModelWeights(folder, named, tensors);
    }

    /// <summary>Reads all tensors of a model folder; the caller disposes them.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="title">What messages call it; null for its path.</param>
    /// <exception cref="SafetensorsException">A file is missing or damaged, or does not hold what the index says.</exception>
    public static SafetensorsFile Read(string folder, string? title = null)
    {
        var weights = Open(folder, title);
        return weights.Load(weights.Tensors.Keys);
    }

    /// <summary>The shards an index names, by tensor.</summary>
    /// <param name="path">The index.</param>
    /// <param name="title">What messages call it.</param>
    /// <exception cref="SafetensorsException">It is no index, or leads out of its folder.</exception>
    public static IReadOnlyDictionary<string, string> ReadIndex(string path, string title)
    {
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (var entry in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                var shard = entry.Value.GetString() ?? "";
                // The index comes with a download: it must not lead out of its folder.
                if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard is "." or "..")
                    throw new SafetensorsException($"{title}: '{entry.Name}' is said to be in '{shard}', which is not a file name in the same folder");
                if (!shards.TryAdd(entry.Name, shard)) throw new SafetensorsException($"{title}: '{entry.Name}' stands twice in weight_map");
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new SafetensorsException($"{title} is not an index of shards: {e.Message}", e);
        }

        return shards;
    }

    /// <summary>Reads some tensors, on the CPU, in the types they have in the files; the caller disposes them.</summary>
    /// <exception cref="SafetensorsException">A tensor cannot be read.</exception>
    public SafetensorsFile Load(IEnumerable<string> names)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var file in names.GroupBy(name => Tensors[name].File).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var read = SafetensorsFile.Read(Path.Combine(_folder, file.Key), file.ToHashSet().Contains, $"{Title}/{file.Key}");
            foreach (var (name, tensor) in read.Tensors)
            {
                scope.Attach(tensor);
                tensors.Add(name, tensor);
            }
        }

        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        return new SafetensorsFile(tensors, new Dictionary<string, string>());
    }

    /// <summary>
    /// A tensor on a device and in a precision, straight out of its file's memory map: host memory holds the tensor itself, if that is where it goes, and a piece of
    /// 1 MiB at a time of the file. It belongs to no dispose scope.
    /// </summary>
    /// <exception cref="SafetensorsException">The tensor is of no type that can be read, or its file is gone or damaged.</exception>
    public Tensor Take(string name, Device device, ScalarType dtype)
    {
        var file = Tensors[name].File;
        return MappedTensor.Read(Path.Combine(_folder, file), $"{Title}/{file}", name, device, dtype);
    }

    /// <summary>Looks through the bytes of some tensors for a value that is no number, without libtorch and in little memory.</summary>
    /// <param name="names">Tensors of floating point.</param>
    /// <param name="progress">Called with the bytes that were looked through, after each piece.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    /// <exception cref="SafetensorsException">A value is NaN or infinite; names file, tensor and place.</exception>
    public void RequireFinite(IEnumerable<string> names, Action<long>? progress, CancellationToken cancellation)
    {
        var done = 0L;
        foreach (var file in names.GroupBy(name => Tensors[name].File).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            using var stream = SafetensorsFile.Open(Path.Combine(_folder, file.Key), $"{Title}/{file.Key}");
            var header = SafetensorsHeader.Read($"{Title}/{file.Key}", stream);
            var wanted = file.ToHashSet();
            foreach (var entry in header.Entries.Where(entry => wanted.Contains(entry.Name)))
            {
                stream.Position = header.Length + entry.Begin;
                var at = FiniteScan.FirstNotFinite(stream, entry.End - entry.Begin, entry.TypeName, read => progress?.Invoke(done += read), cancellation);
                if (at >= 0)
                {
                    throw new SafetensorsException(
                        $"{Title}/{file.Key}: tensor '{entry.Name}' has a value that is no finite number (element {at}); the file is damaged, or its training had failed");
                }
            }
        }
    }

    private static IEnumerable<StoredTensor> Header(string folder, string file, string title)
    {
        using var stream = SafetensorsFile.Open(Path.Combine(folder, file), $"{title}/{file}");
        return SafetensorsHeader.Read($"{title}/{file}", stream).Entries.Select(entry => new StoredTensor(entry.Name, entry.TypeName, entry.Shape, file)).ToArray();
    }
}
