using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;
using Ssti.Nets.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssti.Stages.Tests;

/// <summary>Models as they stand on people's disks: `model` takes them, or says of the user's own file what is wrong, so that no later stage does.</summary>
public sealed class ModelInputTests : IDisposable
{
    private readonly StageRun _run = new();
    private readonly TempFolder _folder = new();

    private string Model => _folder["model"];

    public ModelInputTests() => TinyModel.Prepare();

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Bert_base_uncased_as_it_stands_on_the_hub()
    {
        TinyModel.Write(
            Model, name => "bert." + name.Replace("LayerNorm.weight", "LayerNorm.gamma").Replace("LayerNorm.bias", "LayerNorm.beta"),
            tensors =>
            {
                tensors["cls.predictions.transform.LayerNorm.gamma"] = ones(8);
                tensors["cls.seq_relationship.weight"] = ones(2, 8);
            });

        await RunAsync();

        Assert.Contains("the encoder's names begin with 'bert.'", _run.Log);
        Assert.Contains("left out, as no part of the encoder: bert.pooler (2 tensors), cls (2 tensors)", _run.Log);
        Opened();
    }

    /// <summary>A model of a stranger with a link in it would have the user's own file read, kept and passed on.</summary>
    [Theory]
    [InlineData("vocab.txt")]
    [InlineData("notes")]
    public async Task A_link_out_of_the_folder_is_refused_and_those_of_the_hubs_cache_are_not(string link)
    {
        TinyModel.Write(Model);
        Directory.CreateDirectory(_folder["private"]);
        File.WriteAllText(_folder["private/id"], "secret");
        var at = Path.Combine(Model, link);
        File.Delete(at);
        if (link == "notes") Directory.CreateSymbolicLink(at, _folder["private"]);
        else File.CreateSymbolicLink(at, _folder["private/id"]);
        var refused = await Assert.ThrowsAsync<StageException>(RunAsync);
        Assert.Contains("is a link that leads out of its folder", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_run.Output, link)));

        // Hugging Face's cache: snapshots/<commit>/file -> ../../blobs/<digest>.
        if (Directory.Exists(at)) Directory.Delete(at);
        else File.Delete(at);
        Directory.Delete(Model, recursive: true);
        TinyModel.Write(Model);
        var snapshot = Directory.CreateDirectory(_folder["hub/snapshots/0123"]).FullName;
        Directory.CreateDirectory(_folder["hub/blobs"]);
        foreach (var file in Directory.GetFiles(Model))
        {
            File.Move(file, Path.Combine(_folder["hub/blobs"], Path.GetFileName(file)));
            File.CreateSymbolicLink(Path.Combine(snapshot, Path.GetFileName(file)), $"../../blobs/{Path.GetFileName(file)}");
        }

        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = new SourcePath(snapshot, snapshot) });
        Assert.Contains("config.json", _run.Files);
    }

    [Theory]
    [InlineData("bert.", "qa_outputs.weight", "bert.pooler (2 tensors), qa_outputs.weight")]
    [InlineData("model.", "score.weight", "model.pooler (2 tensors), score.weight")]
    [InlineData("", "embeddings.position_ids", "embeddings.position_ids, pooler (2 tensors)")]
    public async Task An_encoder_out_of_another_tasks_model(string prefix, string beside, string leftOut)
    {
        TinyModel.Write(Model, name => prefix + name, tensors => tensors[beside] = ones(2, 8));
        await RunAsync();
        Assert.Contains($"left out, as no part of the encoder: {leftOut}", _run.Log);
        Opened();
    }

    [Fact]
    public async Task A_configuration_older_than_model_type()
    {
        TinyModel.Write(Model, config: json =>
        {
            json.Remove("model_type");
            json.Remove("architectures");
        });
        await RunAsync();
        Assert.Contains(_run.Log, line => line.Contains("config.json has no model_type; it has BERT's keys"));
        Opened();

        TinyModel.Write(Model, name => "roberta." + name, config: json =>
        {
            json.Remove("model_type");
            json.Remove("architectures");
        });
        Assert.Contains("begin with 'roberta.', those of roberta", await RefusedAsync());
    }

    [Fact]
    public async Task A_model_that_says_bert_and_is_named_or_spelled_otherwise_is_doubtful()
    {
        TinyModel.Write(Model, name => "roberta." + name);
        File.WriteAllText(Path.Combine(Model, "tokenizer_config.json"), """{ "do_lower_case": false }""");
        await RunAsync();
        Assert.Collection(
            _run.Context!.Warnings,
            line => Assert.Contains("do_lower_case is false, and no piece has a capital letter", line),
            line => Assert.Contains("names begin with 'roberta.', those of roberta, and config.json says bert", line));
    }

    [Fact]
    public async Task A_shard_that_holds_more_than_the_index_says()
    {
        TinyModel.Write(Model);
        using (var whole = SafetensorsFile.Read(Path.Combine(Model, "model.safetensors")))
        {
            var half = whole.Tensors.Keys.Order(StringComparer.Ordinal).Take(8).ToHashSet();
            SafetensorsFile.Write(Path.Combine(Model, "a.safetensors"), whole.Tensors.Where(pair => half.Contains(pair.Key)).ToDictionary());
            using var scope = NewDisposeScope();
            SafetensorsFile.Write(
                Path.Combine(Model, "b.safetensors"),
                whole.Tensors.Where(pair => !half.Contains(pair.Key)).Append(new("cls.predictions.decoder.weight", full(1, float.NaN)))
                    .ToDictionary());
            var map = new JsonObject(whole.Tensors.Keys.Select(name => KeyValuePair.Create(name, (JsonNode?)(half.Contains(name) ? "a.safetensors" : "b.safetensors"))));
            File.WriteAllText(Path.Combine(Model, "model.safetensors.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        }

        File.Delete(Path.Combine(Model, "model.safetensors"));
        await RunAsync();
        Assert.Equal(["a.safetensors", "b.safetensors", "config.json", "model.safetensors.index.json", "source.json", "vocab.txt"], _run.Files);
        Opened();
    }

    [Fact]
    public async Task A_tensor_that_nobody_needs_may_have_any_type_and_metadata_may_be_null()
    {
        TinyModel.Write(Model);
        Patch(Path.Combine(Model, "model.safetensors"), header =>
        {
            header["__metadata__"] = null;
            // Four bytes each: the pooler's bias becomes a counter.
            header["pooler.dense.bias"]!["dtype"] = "U32";
        });
        await RunAsync();
        Opened();
    }

    [Fact]
    public async Task A_vocabulary_with_lines_that_are_empty_or_stand_twice()
    {
        TinyModel.Write(Model);
        File.WriteAllText(Path.Combine(Model, "vocab.txt"), string.Join("\r\n", TinyModel.Pieces.Take(13).Append("").Append("").Append("the")) + "\r\n");
        await RunAsync();
        Assert.Equal(
            [$"{Model}/vocab.txt(15): '' stands on line 14 already; the last line counts, and ids before it are never given",
             $"{Model}/vocab.txt(16): 'the' stands on line 6 already; the last line counts, and ids before it are never given"],
            _run.Context!.Warnings);
        Assert.Equal([2, 15, 6, 3], Opened().Tokenizer().Encode("the film"));
    }

    [Fact]
    public async Task A_tokenizer_that_keeps_accents_and_has_a_token_of_its_own()
    {
        TinyModel.Write(Model);
        File.WriteAllText(Path.Combine(Model, "tokenizer_config.json"), """{ "do_lower_case": true, "strip_accents": false }""");
        File.WriteAllText(Path.Combine(Model, "added_tokens.json"), """{ "<date>": 15 }""");
        await RunAsync();
        Assert.Equal([2, 12, 13, 15, 3], Opened().Tokenizer().Encode("mochte Möchte <date>"));
        Assert.Contains("added tokens, each one id: <date>", _run.Log);
    }

    [Fact]
    public async Task A_vocabulary_in_tokenizer_json_alone()
    {
        TinyModel.Write(Model);
        File.Delete(Path.Combine(Model, "vocab.txt"));
        File.WriteAllText(Path.Combine(Model, "tokenizer.json"), new JsonObject
        {
            ["normalizer"] = new JsonObject { ["type"] = "BertNormalizer", ["clean_text"] = true, ["handle_chinese_chars"] = true, ["lowercase"] = true },
            ["pre_tokenizer"] = new JsonObject { ["type"] = "BertPreTokenizer" },
            ["model"] = new JsonObject { ["type"] = "WordPiece", ["vocab"] = new JsonObject(TinyModel.Pieces.Select((piece, id) => KeyValuePair.Create(piece, (JsonNode?)id))) },
        }.ToJsonString());
        await RunAsync();
        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer.json"], _run.Files);
        Assert.Equal([2, 5, 6, 14, 3], Opened().Tokenizer().Encode("The films"));
    }

    [Fact]
    public async Task What_is_wrong_is_told_of_the_users_own_file()
    {
        Assert.Equal($"{Model}/config.json: model_type is 'electra' (its embeddings have a width of their own), and only 'bert', 'distilbert', 'llama', 'openelm' can be used; "
            + "choose an encoder such as Snowflake/snowflake-arctic-embed-xs, or another BERT, DistilBERT, Llama or OpenELM",
            await RefusedAsync(() => TinyModel.Write(Model, config: json => json["model_type"] = "electra")));
        Assert.Equal($"{Model}: the weights do not fit config.json: wrong shape: embeddings.LayerNorm.bias is [9], and config.json says [8]",
            await RefusedAsync(() => TinyModel.Write(Model, tensors: tensors => tensors["embeddings.LayerNorm.bias"] = ones(9))));
        Assert.Equal($"{Model}: the weights do not fit config.json: missing: bert.embeddings.LayerNorm.bias; unexpected: bert.encoder.layer.1.output.dense.bias",
            await RefusedAsync(() => TinyModel.Write(Model, name => "bert." + name, tensors =>
            {
                tensors.Remove("bert.embeddings.LayerNorm.bias");
                tensors["bert.encoder.layer.1.output.dense.bias"] = ones(8);
            })));
        Assert.Equal(
            $"{Model}/model.safetensors: tensor 'encoder.layer.0.output.dense.bias' has a value that is no finite number (element 7); the file "
            + "is damaged, or its training had failed",
            await RefusedAsync(() => TinyModel.Write(Model, tensors: tensors => tensors["encoder.layer.0.output.dense.bias"][7] = float.PositiveInfinity)));
        Assert.Contains($"{Model}: model.safetensors: the weight 'encoder.layer.0.output.dense.weight' is I8",
            await RefusedAsync(() => TinyModel.Write(Model, tensors: tensors => tensors["encoder.layer.0.output.dense.weight"] = zeros(8, 12, ScalarType.Int8))));
        Assert.Contains(
            $"{Model}: the tokenizer has 15 pieces, and config.json says vocab_size 14",
            await RefusedAsync(() => TinyModel.Write(Model, config: json => json["vocab_size"] = 14)));
        Assert.Contains(
            $"{Model}/model.safetensors is not a sound safetensors file",
            await RefusedAsync(() => File.WriteAllText(Path.Combine(TinyModel.Write(Model), "model.safetensors"), "x")));
        Assert.Contains("it is a pointer of Git LFS; fetch the file itself", await RefusedAsync(
            () => File.WriteAllText(Path.Combine(TinyModel.Write(Model), "model.safetensors"), "version https://git-lfs.github.com/spec/v1\nsize 9\n")));
        Assert.Contains("it is a web page", await RefusedAsync(() => File.WriteAllText(Path.Combine(TinyModel.Write(Model), "model.safetensors"), "<!doctype html><p>")));
        Assert.Contains("it says 2000000000 layers, and there are ", await RefusedAsync(() => TinyModel.Write(Model, config: json => json["num_hidden_layers"] = 2_000_000_000)));
        Assert.Contains("'hidden_dropout_prob' must be less than 1", await RefusedAsync(() => TinyModel.Write(Model, config: json => json["hidden_dropout_prob"] = 1.5)));
        Assert.Contains($"{Model}/vocab.txt: no line '[PAD]'", await RefusedAsync(() => File.WriteAllText(Path.Combine(TinyModel.Write(Model), "vocab.txt"), "the\n")));
        Assert.Contains($"{Model}/tokenizer_config.json: do_basic_tokenize is false",
            await RefusedAsync(() => File.WriteAllText(Path.Combine(TinyModel.Write(Model), "tokenizer_config.json"), """{ "do_basic_tokenize": false }""")));
    }

    private Task RunAsync() => _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(Model) });

    private async Task<string> RefusedAsync(Action? write = null)
    {
        write?.Invoke();
        var message = (await Assert.ThrowsAsync<StageException>(RunAsync)).Message;
        Assert.DoesNotContain(_run.Output, message);
        return message;
    }

    /// <summary>What came out, as every later stage opens it; its tensors are those of the tiny model.</summary>
    private EncoderInput Opened()
    {
        using var scope = NewDisposeScope();
        var encoder = EncoderInput.Open(StageRun.Tree(_run.Output, "bert", "model"), _run.Context!);
        using var weights = encoder.Weights();
        foreach (var (name, expected) in TinyModel.Tensors().Where(pair => !pair.Key.StartsWith("pooler", StringComparison.Ordinal)))
            Assert.True(expected.equal(weights.Tensors[name]).all().item<bool>(), name);
        Assert.Equal(TinyModel.Tensors().Count - 2, weights.Tensors.Count);
        return encoder;
    }

    private static void Patch(string path, Action<JsonObject> edit)
    {
        var bytes = File.ReadAllBytes(path);
        var length = (int)BitConverter.ToInt64(bytes);
        var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        edit(header);
        var json = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. bytes.AsSpan(8 + length)]);
    }
}
