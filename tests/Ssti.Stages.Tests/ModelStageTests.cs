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
    public async Task The_bytes_of_version_2()
    {
        var folder = SharedData.Path("models/bert-xs-imdb");

        await _run.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(folder) });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "vocab.txt"], _run.Files);
        Assert.DoesNotContain(folder, File.ReadAllText(Path.Combine(_run.Output, "source.json")));
        _run.AssertBytes(new ModelStage(), 2, "934fb348773b5e975771fa617b56919dfb8480c939a0b0ec789242453d493817");
    }

    [Fact]
    public async Task The_hub_is_asked_for_safetensors_and_tokenizer_only()
    {
        using var server = new HubServer { Repository = "Snowflake/snowflake-arctic-embed-xs", IsDataset = false };
        TinyModel.Write(_folder["tiny"]);
        foreach (var name in new[] { "config.json", "vocab.txt" }) server.Small[name] = File.ReadAllBytes(_folder[$"tiny/{name}"]);
        foreach (var name in new[] { "tokenizer_config.json", "modules.json", "merges.txt" }) server.Small[name] = "{}"u8.ToArray();
        server.Large["model.safetensors"] = File.ReadAllBytes(_folder["tiny/model.safetensors"]);
        foreach (var name in new[] { "pytorch_model.bin", "onnx/model.onnx" }) server.Large[name] = new byte[1000];
        var hub = new HubOptions { Endpoint = server.Endpoint, CacheFolder = _folder["cache"] };

        await _run.RunAsync(new ModelStage(hub), new ModelParameters { Source = StageRun.Uri("hf://Snowflake/snowflake-arctic-embed-xs") });

        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer_config.json", "vocab.txt"], _run.Files);
        var source = JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, ModelStage.SourceFile)))!;
        Assert.Equal("Snowflake/snowflake-arctic-embed-xs", (string?)source["name"]);
        Assert.Equal("hf://Snowflake/snowflake-arctic-embed-xs", (string?)source["source"]);
        Assert.Equal(HubServer.Commit, (string?)source["revision"]);
        Assert.Single(server.AtCdn);
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
        TinyModel.Write(_folder["model"]);
        File.Delete(_folder["model/model.safetensors"]);
        _folder.Write("model/" + file, content);
    }
}
