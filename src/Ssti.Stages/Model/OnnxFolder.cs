using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;
using Ssti.Nets.Onnx;
using Ssti.Nets.Safetensors;

namespace Ssti.Stages;

/// <summary>
/// A source whose weights are an ONNX file, as the model folder that Hugging Face would have: <c>model.safetensors</c> of its weights, and a <c>config.json</c> out of
/// its graph where it has none.
/// </summary>
/// <param name="inner">The source.</param>
/// <param name="scratch">Where what is made of it is written.</param>
internal sealed class OnnxFolder(SourceFolder inner, string scratch) : SourceFolder
{
    private const string Config = "config.json";
    private static readonly string[] Places = ["model.onnx", "onnx/model.onnx"];
    private bool _converted;

    /// <summary>The source itself, or, where its only weights are ONNX, what stands for it.</summary>
    public static SourceFolder Of(SourceFolder folder, string scratch) =>
        !folder.Files.Contains(ModelWeights.Whole) && !folder.Files.Contains(ModelWeights.Index) && Places.Any(folder.Files.Contains) ? new OnnxFolder(folder, scratch) : folder;

    /// <inheritdoc/>
    public override string Title => inner.Title;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files => [.. inner.Files.Append(ModelWeights.Whole).Append(Config).Distinct()];

    /// <inheritdoc/>
    public override JsonObject Describe() => inner.Describe();

    /// <inheritdoc/>
    public override async Task<string> FetchAsync(string file, CancellationToken cancellation)
    {
        if (inner.Files.Contains(file)) return await inner.FetchAsync(file, cancellation);
        if (!_converted) Convert(await inner.FetchAsync(Places.First(inner.Files.Contains), cancellation));
        return Path.Combine(scratch, file);
    }

    private void Convert(string onnx)
    {
        var encoder = OnnxEncoder.Read(onnx);
        Directory.CreateDirectory(scratch);
        SafetensorsFile.WriteFloats(Path.Combine(scratch, ModelWeights.Whole), encoder.Weights);
        File.WriteAllText(Path.Combine(scratch, Config), encoder.Config.ToJsonString(TrainingChecks.Indented) + "\n");
        _converted = true;
    }
}
