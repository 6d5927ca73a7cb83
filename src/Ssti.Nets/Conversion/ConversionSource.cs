using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;

namespace Ssti.Nets.Conversion;

/// <summary>The files that a conversion reads.</summary>
/// <param name="Title">What messages call the weights.</param>
/// <param name="Weights">The file of weights.</param>
/// <param name="IsOnnx">Whether it is ONNX; else a llama2.c checkpoint.</param>
/// <param name="TokenizerFiles">The tokenizer's files; of a llama2.c checkpoint its vocabulary alone.</param>
/// <param name="Config">A <c>config.json</c> that lies beside; null for none.</param>
public sealed record ConversionSource(string Title, string Weights, bool IsOnnx, IReadOnlyList<string> TokenizerFiles, string? Config)
{
    private const string ConfigFile = "config.json";

    /// <summary>Finds the files behind a path.</summary>
    /// <param name="path">A file of weights, or the folder that it lies in.</param>
    /// <param name="tokenizer">The tokenizer's file or folder; null for what lies beside the weights.</param>
    /// <exception cref="ModelException">There is nothing to convert, or no tokenizer to it.</exception>
    public static ConversionSource Find(string path, string? tokenizer = null)
    {
        if (tokenizer is not null && !File.Exists(tokenizer) && !Directory.Exists(tokenizer)) throw new ModelException($"there is no file or folder {tokenizer}");
        var weights = Directory.Exists(path) ? InFolder(path) : File.Exists(path) ? path : throw new ModelException($"there is no file or folder {path}");
        if (weights.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)) return Onnx(weights, tokenizer);
        if (!Llama2CCheckpoint.Is(weights)) throw new ModelException($"{weights} is nothing that can be converted; known are {ModelConverter.Known}");
        return new(weights, weights, false, [Vocabulary(weights, tokenizer)], null);
    }

    private static string InFolder(string folder)
    {
        if (new[] { "model.onnx", "onnx/model.onnx" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } onnx) return onnx;
        string[] all = [.. Directory.GetFiles(folder, "*.bin").Where(file => !Llama2CTokenizer.Is(file) && Llama2CCheckpoint.Is(file)).Order(StringComparer.Ordinal)];
        return all switch
        {
            [var only] => only,
            [] => throw new ModelException($"{folder} holds nothing that can be converted; known are {ModelConverter.Known}"),
            _ => throw new ModelException($"{folder} holds several checkpoints ({string.Join(", ", all.Select(Path.GetFileName))}); name the file of one"),
        };
    }

    private static ConversionSource Onnx(string weights, string? tokenizer)
    {
        // Repositories of the Hub keep ONNX files in a folder of their own, beside the rest.
        var beside = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        if (Path.GetFileName(beside) == "onnx" && !TokenizerFolder.IsAmong(name => File.Exists(Path.Combine(beside, name)))) beside = Path.GetDirectoryName(beside)!;
        string[] files = tokenizer is not null && File.Exists(tokenizer) ? [tokenizer]
            : [.. TokenizerFolder.Files.Select(name => Path.Combine(tokenizer ?? beside, name)).Where(File.Exists)];
        if (!TokenizerFolder.IsAmong(name => files.Any(file => Path.GetFileName(file) == name)))
            throw new ModelException($"{weights} has no {TokenizerFolder.Vocabulary} or {TokenizerFolder.Json} beside it; name the tokenizer's file or folder with --tokenizer");
        var config = Path.Combine(beside, ConfigFile);
        return new(weights, weights, true, files, File.Exists(config) ? config : null);
    }

    private static string Vocabulary(string weights, string? tokenizer)
    {
        if (tokenizer is not null && File.Exists(tokenizer)) return IsVocabulary(tokenizer) ? tokenizer
            : throw new ModelException($"{tokenizer} is no vocabulary of a Llama: give llama2.c's (such as tok512.bin) or SentencePiece's {TokenizerFolder.Model}");
        var folder = tokenizer ?? Path.GetDirectoryName(Path.GetFullPath(weights))!;
        string[] all = [.. Directory.GetFiles(folder).Where(file => Path.GetExtension(file) is ".bin" or ".model" && IsVocabulary(file)).Order(StringComparer.Ordinal)];
        return all switch
        {
            [var only] => only,
            [] => throw new ModelException(
                $"{weights} has no vocabulary beside it; name llama2.c's (such as tok512.bin) or SentencePiece's {TokenizerFolder.Model} with --tokenizer"),
            _ => throw new ModelException($"{folder} holds several vocabularies ({string.Join(", ", all.Select(Path.GetFileName))}); name one with --tokenizer"),
        };
    }

    private static bool IsVocabulary(string file) => Path.GetFileName(file) == TokenizerFolder.Model ? !TiktokenFile.Is(file) : Llama2CTokenizer.Is(file);
}
