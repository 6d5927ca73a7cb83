using System.Text.Json.Nodes;
using Ssti.Nets.Conversion;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Nets.Tokenizers;
using Ssti.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Nets.Tests.Conversion;

/// <summary>llama2.c's files as Hugging Face's: stories260K, and what is wrong with others.</summary>
public sealed class Llama2CTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti llama2c ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string To => Path.Combine(_folder, "out", "stories");

    private static string Stories => SharedData.Path("models/stories260K");

    [SkippableFact]
    public void Stories260K_becomes_a_folder_with_its_shape_names_and_vocabulary()
    {
        var told = new List<ConversionProgress>();
        ModelConverter.Convert(ConversionSource.Find(Stories), To, told.Add, default);
        Assert.Equal(
            ["config.json", "model.safetensors", "tokenizer.model", "tokenizer_config.json"],
            Directory.GetFiles(To).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal([To], Directory.GetFileSystemEntries(Path.GetDirectoryName(To)!));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(To, "config.json")))!;
        Assert.Equal(
            ("llama", 64, 172, 5, 8, 4, 512, 512, true),
            ((string?)config["model_type"], (int)config["hidden_size"]!, (int)config["intermediate_size"]!, (int)config["num_hidden_layers"]!,
             (int)config["num_attention_heads"]!, (int)config["num_key_value_heads"]!, (int)config["vocab_size"]!, (int)config["max_position_embeddings"]!,
             (bool)config["tie_word_embeddings"]!));
        using var weights = SafetensorsFile.Read(Path.Combine(To, "model.safetensors"));
        Assert.Equal(2 + (5 * 9), weights.Tensors.Count);
        Assert.Equal(260_032, weights.Tensors.Values.Sum(tensor => tensor.numel()));
        Assert.Equal([32L, 64], weights.Tensors["model.layers.4.self_attn.k_proj.weight"].shape);
        Assert.Equal(new ConversionProgress(47, 47, 4 * 260_032, 4 * 260_032), told[^1]);
        Assert.Equal(Enumerable.Range(0, 48), told.Select(step => step.Done));

        var tokenizer = TokenizerFolder.Read(To);
        Assert.Equal(512, tokenizer.VocabularySize);
        Assert.Equal("<s> ▁Once ▁upon ▁a ▁time , ▁there ▁was ▁a ▁little ▁g ir l ▁named ▁Lily .",
            string.Join(' ', tokenizer.Encode("Once upon a time, there was a little girl named Lily.").Select(tokenizer.Piece)));
    }

    [SkippableFact]
    public void The_converted_model_writes_its_story_with_the_converted_vocabulary()
    {
        ModelConverter.Convert(ConversionSource.Find(Stories), To, null, default);
        var tokenizer = TokenizerFolder.Read(To);
        using var scope = NewDisposeScope();
        var weights = ModelWeights.Open(To, "stories");
        using var model = CausalLanguageModel.Load(TrunkConfig.Read(Path.Combine(To, "config.json"), "stories"), weights, CPU, ScalarType.Float32);
        const string Story = " Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
            + "One day, she saw a big, red ball. She wanted to play with it, but it was too high.";
        // The story's own ids, since the text is what the model wrote: the two must be the same tokens, one by one.
        var expected = tokenizer.Pieces(Story[1..]);
        Assert.Equal(expected, model.Greedy([.. tokenizer.Before], expected.Length));
        Assert.Equal(Story, string.Concat(expected.Select(tokenizer.Piece)).Replace('\u2581', ' '));
    }

    [SkippableFact]
    public void Rows_of_queries_and_keys_go_from_neighbours_to_halves()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Stories, "stories260K.bin"));
        var checkpoint = Llama2CCheckpoint.Read(Path.Combine(Stories, "stories260K.bin"), "stories");
        // Behind header, embeddings and five norms come five times the query's 64 x 64; heads are 8 wide.
        var query = 28 + (4 * 64 * (512 + 5));
        var turned = checkpoint.Floats("model.layers.0.self_attn.q_proj.weight");
        foreach (var (to, from) in new[] { (0, 0), (1, 2), (2, 4), (3, 6), (4, 1), (5, 3), (6, 5), (7, 7), (8, 8), (9, 10), (12, 9), (63, 63) })
            Assert.Equal(bytes.AsSpan(query + (from * 256), 256), turned.AsSpan(to * 256, 256));
        var value = query + (4 * ((5 * 64 * 64) + (5 * 32 * 64)));
        Assert.Equal(bytes.AsSpan(value, 4 * 32 * 64).ToArray(), checkpoint.Floats("model.layers.0.self_attn.v_proj.weight"));
    }

    [SkippableFact]
    public void The_newer_version_of_the_format_gives_the_same_model()
    {
        var old = Llama2CCheckpoint.Read(Path.Combine(Stories, "stories260K.bin"), "stories");
        var floats = File.ReadAllBytes(Path.Combine(Stories, "stories260K.bin")).AsSpan(28).ToArray();
        var path = Path.Combine(_folder, "new.bin");
        File.WriteAllBytes(path, Version1(floats));
        var @new = Llama2CCheckpoint.Read(path, "new");
        Assert.Equal(old.Config.ToJsonString(), @new.Config.ToJsonString());
        Assert.Equal(old.Shapes.Keys.Order(StringComparer.Ordinal), @new.Shapes.Keys.Order(StringComparer.Ordinal));
        foreach (var name in old.Shapes.Keys) Assert.Equal(old.Floats(name), @new.Floats(name));
    }

    [SkippableFact]
    public void A_file_that_is_cut_or_another_one_leaves_nothing_behind()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Stories, "stories260K.bin"));
        File.Copy(Path.Combine(Stories, "tok512.bin"), Path.Combine(_folder, "tok512.bin"));
        var path = Path.Combine(_folder, "model.bin");
        File.WriteAllBytes(path, bytes[..^4]);
        Assert.Contains("model.bin has 1056536 bytes, and its header speaks of 1056540", Refused());
        File.WriteAllBytes(path, [.. bytes[..8], .. BitConverter.GetBytes(0), .. bytes[12..]]);
        Assert.Contains("is nothing that can be converted; known are llama2.c checkpoints", Refused());
        File.WriteAllBytes(path, Version1(bytes[28..], version: 2));
        Assert.Contains("a llama2.c checkpoint of version 2, and only the fp32 versions 0 and 1 are read", Refused());
        File.WriteAllBytes(path, bytes);
        File.WriteAllBytes(Path.Combine(_folder, "tok512.bin"), File.ReadAllBytes(Path.Combine(Stories, "tok512.bin"))[..^11]);
        Assert.Contains("has 511 pieces, and", Refused());
        File.WriteAllBytes(Path.Combine(_folder, "tok512.bin"), File.ReadAllBytes(Path.Combine(Stories, "tok512.bin"))[..^3]);
        Assert.Contains("piece 511", Refused());
        File.Delete(Path.Combine(_folder, "tok512.bin"));
        Assert.Contains("model.bin has no vocabulary beside it", Refused());

        string Refused()
        {
            var error = Assert.Throws<ModelException>(() => ModelConverter.Convert(ConversionSource.Find(path), To, null, default)).Message;
            Assert.False(Directory.Exists(To));
            return error;
        }
    }

    [SkippableFact]
    public void A_folder_that_holds_something_is_left_alone()
    {
        Directory.CreateDirectory(To);
        ModelConverter.Convert(ConversionSource.Find(Path.Combine(Stories, "stories260K.bin"), Path.Combine(Stories, "tok512.bin")), To, null, default);
        Assert.Contains("is there already", Assert.Throws<ModelException>(() => ModelConverter.Convert(ConversionSource.Find(Stories), To, null, default)).Message);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => ModelConverter.Convert(ConversionSource.Find(Stories), To + "2", null, cancelled.Token));
        Assert.Equal([To], Directory.GetFileSystemEntries(Path.GetDirectoryName(To)!));
    }

    // The same floats in the order of version 1: norms first, then the embeddings, no cosines. Source: llama2.c's export.py.
    private static byte[] Version1(byte[] floats, int version = 1)
    {
        const int Dim = 64, Hidden = 172, Layers = 5, Keys = 32, Vocabulary = 512;
        var at = 0;
        ReadOnlyMemory<byte> Next(int count)
        {
            var part = floats.AsMemory(at, 4 * count);
            at += 4 * count;
            return part;
        }

        var embeddings = Next(Vocabulary * Dim);
        var before = Next(Layers * Dim);
        var attention = Next(Layers * ((Dim * Dim) + (Keys * Dim) + (Keys * Dim) + (Dim * Dim)));
        var behind = Next(Layers * Dim);
        var forward = Next(Layers * 3 * Hidden * Dim);
        var norm = Next(Dim);
        var header = new byte[256];
        foreach (var (i, number) in new[] { 0x616B3432, version, Dim, Hidden, Layers, 8, 4, Vocabulary, 512 }.Index()) BitConverter.TryWriteBytes(header.AsSpan(4 * i), number);
        header[36] = 1;
        return [.. header, .. before.Span, .. behind.Span, .. norm.Span, .. embeddings.Span, .. attention.Span, .. forward.Span];
    }
}
