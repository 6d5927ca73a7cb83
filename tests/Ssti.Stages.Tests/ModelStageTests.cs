using System.Text.Json.Nodes;
using Ssti.Corpus.Hub;
using Ssti.Corpus.Tests;
using Ssti.Corpus.Tests.Hub;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

public sealed class ModelStageTests : IDisposable
{
    private readonly StageRun _run = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _run.Dispose();
        _folder.Dispose();
    }

    [SkippableFact]
    public async Task The_bytes_of_version_1()
    {
        var folder = SharedData.Path("models/bert-xs-imdb");

        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(folder) });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "vocab.txt"], _run.Files);
        Assert.DoesNotContain(folder, File.ReadAllText(Path.Combine(_run.Output, "source.json")));
        _run.AssertBytes(new ModelStage(), 1, "934fb348773b5e975771fa617b56919dfb8480c939a0b0ec789242453d493817");
    }

    [Fact]
    public async Task The_hub_is_asked_for_safetensors_and_tokenizer_only()
    {
        using var server = new HubServer { Repository = "Snowflake/snowflake-arctic-embed-xs", IsDataset = false };
        foreach (var name in new[] { "config.json", "tokenizer.json", "vocab.txt", "modules.json" }) server.Small[name] = "{}"u8.ToArray();
        foreach (var name in new[] { "model.safetensors", "pytorch_model.bin", "onnx/model.onnx" }) server.Large[name] = new byte[1000];
        var hub = new HubOptions { Endpoint = server.Endpoint, CacheFolder = _folder["cache"] };

        await _run.RunAsync(new ModelStage(hub), new ModelParameters { Source = StageRun.Uri("hf://Snowflake/snowflake-arctic-embed-xs") });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer.json", "vocab.txt"], _run.Files);
        var source = JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, ModelStage.SourceFile)))!;
        Assert.Equal("Snowflake/snowflake-arctic-embed-xs", (string?)source["name"]);
        Assert.Equal("hf://Snowflake/snowflake-arctic-embed-xs", (string?)source["source"]);
        Assert.Equal(HubServer.Commit, (string?)source["revision"]);
        Assert.Single(server.AtCdn);
    }

    [Fact]
    public async Task Shards_are_those_the_index_names()
    {
        Model("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"m-2.safetensors\",\"b\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}}");
        Model("m-1.safetensors", "one");
        Model("m-2.safetensors", "two");
        Model("m-3.safetensors", "stray");

        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]), Name = "mine" });

        Assert.Equal(["config.json", "m-1.safetensors", "m-2.safetensors", "model.safetensors.index.json", "source.json", "vocab.txt"], _run.Files);
        Assert.Equal("mine", (string?)_run.Context!.Metrics["name"]);
    }

    [Theory]
    [InlineData("pytorch_model.bin", "x", "has no model.safetensors or model.safetensors.index.json; weights in other formats must be converted")]
    [InlineData("model.safetensors.index.json", "{\"weight_map\":{\"a\":\"gone.safetensors\"}}", "has no gone.safetensors, which model.safetensors.index.json names")]
    [InlineData("model.safetensors.index.json", "{}", "is not an index of shards")]
    public async Task A_folder_that_is_no_model_is_told_what_it_lacks(string file, string content, string message)
    {
        Model(file, content);
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]) }));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public async Task A_folder_that_does_not_exist_is_an_error()
    {
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["nowhere"]) }));
        Assert.Contains("is neither a file nor a folder", error.Message);
    }

    private void Model(string file, string content)
    {
        _folder.Write("model/config.json", "{}");
        _folder.Write("model/vocab.txt", "[PAD]\n");
        _folder.Write("model/" + file, content);
    }
}
