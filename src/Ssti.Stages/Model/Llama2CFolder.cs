using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;
using Ssti.Nets.Conversion;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;

namespace Ssti.Stages;

/// <summary>A local folder with a llama2.c checkpoint and its vocabulary, as the model folder that <c>ssti convert</c> makes of it.</summary>
/// <param name="inner">The source.</param>
/// <param name="weights">The checkpoint.</param>
/// <param name="scratch">Where what is made of it is written.</param>
internal sealed class Llama2CFolder(SourceFolder inner, string weights, string scratch) : SourceFolder
{
    private bool _converted;

    /// <summary>The source itself, or, where its only weights are llama2.c's, what stands for it.</summary>
    public static SourceFolder Of(SourceFolder folder, string scratch)
    {
        // Elsewhere a .bin is PyTorch's, and would have to be fetched to be told apart.
        if (folder is not LocalFolder { IsSingleFile: false } || folder.Files.Contains(ModelWeights.Whole) || folder.Files.Contains(ModelWeights.Index)) return folder;
        var root = Path.GetFullPath(folder.Title);
        var checkpoints = folder.Files.Where(file => !file.Contains('/') && file.EndsWith(".bin", StringComparison.Ordinal)).Select(file => Path.Combine(root, file))
            .Where(file => !Llama2CTokenizer.Is(file) && Llama2CCheckpoint.Is(file)).ToArray();
        return checkpoints is [var only] ? new Llama2CFolder(folder, only, scratch) : folder;
    }

    /// <inheritdoc/>
    public override string Title => inner.Title;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files { get; } = ["config.json", ModelWeights.Whole, TokenizerFolder.Model, "tokenizer_config.json"];

    /// <inheritdoc/>
    public override JsonObject Describe() => inner.Describe();

    /// <inheritdoc/>
    public override Task<string> FetchAsync(string file, CancellationToken cancellation)
    {
        if (!_converted)
        {
            Directory.CreateDirectory(scratch);
            ModelConverter.Write(ConversionSource.Find(weights), scratch, null, cancellation);
            _converted = true;
        }

        return Task.FromResult(Path.Combine(scratch, file));
    }
}
