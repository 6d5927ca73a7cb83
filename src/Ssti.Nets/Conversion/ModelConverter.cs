using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Nets.Models;
using Ssti.Nets.Onnx;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Nets.Conversion;

/// <summary>How far a conversion is.</summary>
/// <param name="Done">Tensors written.</param>
/// <param name="Total">Tensors of the model.</param>
/// <param name="Bytes">Bytes written.</param>
/// <param name="AllBytes">Bytes of all tensors.</param>
public readonly record struct ConversionProgress(int Done, int Total, long Bytes, long AllBytes);

/// <summary>
/// Models in the formats of other programs (llama2.c's checkpoints, BERT encoders in ONNX) as the folder that Hugging Face would have: <c>config.json</c>,
/// <c>model.safetensors</c> with its names, and the tokenizer's files.
/// </summary>
public static class ModelConverter
{
    private const string Config = "config.json";
    
    // Tokens have < and > in them.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What can be converted, for messages.</summary>
    public const string Known = "llama2.c checkpoints (.bin, with their vocabulary) and BERT encoders in ONNX (.onnx)";

    /// <summary>Converts a model. The folder is whole, or not there at all.</summary>
    /// <param name="source">What is converted.</param>
    /// <param name="to">The folder; must not be there, or be empty.</param>
    /// <param name="progress">Told before every tensor, and at the end; null for nobody.</param>
    /// <param name="cancellation">Stops between tensors.</param>
    /// <exception cref="ModelException">The source cannot be converted; says why.</exception>
    public static void Convert(ConversionSource source, string to, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        to = Path.TrimEndingDirectorySeparator(Path.GetFullPath(to));
        if (File.Exists(to) || (Directory.Exists(to) && Directory.EnumerateFileSystemEntries(to).Any()))
            throw new ModelException($"{to} is there already; name another folder");
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var part = Directory.CreateDirectory($"{to}.{Guid.NewGuid():n}.part").FullName;
        try
        {
            Write(source, part, progress, cancellation);
            if (Directory.Exists(to)) Directory.Delete(to);
            Directory.Move(part, to);
        }
        finally
        {
            if (Directory.Exists(part)) Directory.Delete(part, recursive: true);
        }
    }

    /// <summary>Writes the converted files into a folder that is there.</summary>
    public static void Write(ConversionSource source, string folder, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        if (source.IsOnnx) WriteOnnx(source, folder, progress, cancellation);
        else WriteLlama(source, folder, progress, cancellation);
    }

    private static void WriteOnnx(ConversionSource source, string folder, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        var encoder = OnnxEncoder.Read(source.Weights);
        foreach (var file in source.TokenizerFiles) Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        if (source.Config is { } config) Copy(config, Path.Combine(folder, Config));
        else WriteJson(Path.Combine(folder, Config), encoder.Config);
        Tensors(folder, encoder.Weights.ToDictionary(pair => pair.Key, pair => pair.Value.Shape), name => encoder.Weights[name].Bytes, progress, cancellation);
    }

    private static void WriteLlama(ConversionSource source, string folder, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        var checkpoint = Llama2CCheckpoint.Read(source.Weights, source.Title);
        var vocabulary = source.TokenizerFiles[0];
        var model = Path.GetFileName(vocabulary) == TokenizerFolder.Model
            ? SentencePieceModel.Read(vocabulary, vocabulary) : Llama2CTokenizer.Read(vocabulary, vocabulary);
        if (model.Pieces.Count != checkpoint.VocabularySize)
        {
            throw new ModelException(
                $"{vocabulary} has {model.Pieces.Count} pieces, and {source.Title} embeddings for {checkpoint.VocabularySize}; give the vocabulary that it was trained with");
        }

        if (Path.GetFileName(vocabulary) == TokenizerFolder.Model) Copy(vocabulary, Path.Combine(folder, TokenizerFolder.Model));
        else model.Write(Path.Combine(folder, TokenizerFolder.Model));
        WriteJson(Path.Combine(folder, "tokenizer_config.json"), new JsonObject
        {
            ["tokenizer_class"] = "LlamaTokenizer", ["add_bos_token"] = true, ["add_eos_token"] = false,
            ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>",
            ["model_max_length"] = checkpoint.Config["max_position_embeddings"]!.DeepClone(),
        });
        WriteJson(Path.Combine(folder, Config), checkpoint.Config);
        Tensors(folder, checkpoint.Shapes, checkpoint.Floats, progress, cancellation);
    }

    private static void Tensors(
        string folder, IReadOnlyDictionary<string, IReadOnlyList<long>> shapes, Func<string, byte[]> floats, Action<ConversionProgress>? progress, CancellationToken cancellation)
    {
        long Size(string name) => sizeof(float) * shapes[name].Aggregate(1L, (product, size) => product * size);
        var (done, bytes, all) = (0, 0L, shapes.Keys.Sum(Size));
        SafetensorsFile.WriteFloats(Path.Combine(folder, ModelWeights.Whole), shapes, name =>
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(new(done++, shapes.Count, bytes, all));
            bytes += Size(name);
            return floats(name);
        });
        progress?.Invoke(new(done, shapes.Count, bytes, all));
    }

    private static void WriteJson(string path, JsonObject json) => File.WriteAllText(path, json.ToJsonString(Indented) + "\n", new UTF8Encoding(false));

    // Not File.Copy, which would carry a read-only mode over.
    private static void Copy(string from, string to)
    {
        using var input = File.OpenRead(from);
        using var output = File.Create(to);
        input.CopyTo(output);
    }
}
