using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Safetensors;

/// <summary>The weights of a model folder as Hugging Face lays it out: one file, or several with an index.</summary>
public static class ModelWeights
{
    private const string Whole = "model.safetensors";
    private const string Index = "model.safetensors.index.json";

    /// <summary>Reads all tensors by name.</summary>
    /// <param name="path">A model folder, a .safetensors file, or a .safetensors.index.json file.</param>
    /// <returns>The tensors, on the CPU, in the types they have in the files; the caller disposes them.</returns>
    /// <exception cref="SafetensorsException">A file is missing or damaged, or does not hold what the index says.</exception>
    public static SafetensorsFile Read(string path)
    {
        if (!Directory.Exists(path))
            return path.EndsWith(".index.json", StringComparison.Ordinal) ? ReadSharded(path) : SafetensorsFile.Read(path);
        if (File.Exists(Path.Combine(path, Whole))) return SafetensorsFile.Read(Path.Combine(path, Whole));
        if (File.Exists(Path.Combine(path, Index))) return ReadSharded(Path.Combine(path, Index));
        throw new SafetensorsException($"'{path}' has neither {Whole} nor {Index}; weights in other formats (pytorch_model.bin) must be converted to safetensors first");
    }

    private static SafetensorsFile ReadSharded(string index)
    {
        var shards = ReadIndex(index);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var shard in shards.GroupBy(pair => pair.Value, pair => pair.Key).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(index))!, shard.Key);
            var file = SafetensorsFile.Read(path);
            foreach (var tensor in file.Tensors.Values) scope.Attach(tensor);
            var missing = shard.Where(name => !file.Tensors.ContainsKey(name)).Order(StringComparer.Ordinal).ToArray();
            if (missing.Length > 0) throw new SafetensorsException($"{path} lacks '{missing[0]}'{More(missing)}, which {index} says is there");
            var extra = file.Tensors.Keys.Except(shard).Order(StringComparer.Ordinal).ToArray();
            if (extra.Length > 0) throw new SafetensorsException($"{path} holds '{extra[0]}'{More(extra)}, which {index} does not name there");
            foreach (var (name, tensor) in file.Tensors) tensors.Add(name, tensor);
        }

        foreach (var tensor in tensors.Values) tensor.DetachFromDisposeScope();
        return new SafetensorsFile(tensors, new Dictionary<string, string>());
    }

    private static string More(string[] names) => names.Length > 1 ? $" and {names.Length - 1} more" : "";

    private static Dictionary<string, string> ReadIndex(string index)
    {
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(index));
            foreach (var entry in json.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                var shard = entry.Value.GetString() ?? "";
                // The index comes with a download: it must not lead out of its folder.
                if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard is "." or "..")
                    throw new SafetensorsException($"{index}: '{entry.Name}' is said to be in '{shard}', which is not a file name in the same folder");
                if (!shards.TryAdd(entry.Name, shard)) throw new SafetensorsException($"{index}: '{entry.Name}' stands twice in weight_map");
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new SafetensorsException($"{index} is not an index of safetensors files: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SafetensorsException($"there is no file '{index}'", e);
        }

        return shards;
    }
}
