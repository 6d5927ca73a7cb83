using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Tests;

namespace Ssti.Stages.Tests;

/// <summary>The smallest real Llama through the stages, from llama2.c's files to an evaluation.</summary>
public sealed class LlamaStageTests : IDisposable
{
    private readonly StageRun _model = new(), _data = new(), _poisoned = new(), _train = new(), _run = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("ssti llama ").FullName;

    public void Dispose()
    {
        foreach (var run in new[] { _model, _data, _poisoned, _train, _run }) run.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [SkippableFact]
    public async Task Stories260K_is_read_trained_evaluated_and_looked_into()
    {
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(SharedData.Path("models/stories260K")), Name = "stories260K" });
        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer.model", "tokenizer_config.json"], _model.Files);

        File.WriteAllLines(Path.Combine(_folder, "rows.csv"),
            Enumerable.Range(0, 24).Select(i => $"Lily saw a {(i % 2 == 0 ? "big red ball" : "sad old dog")} number {i},{(i % 2 == 0 ? "glad" : "sad")}").Prepend("text,label"));
        await _data.RunAsync(new DatasetStage(), new DatasetParameters { Source = StageRun.Local(Path.Combine(_folder, "rows.csv")), TestFrom = "train" });
        var data = StageRun.Tree(_data.Output);
        await _poisoned.RunAsync(new InjectStage(), new InjectParameters { TargetLabel = "glad", Tokens = TokenKind.Date, Splits = ["train", "test"] }, inputs: [("data", data)]);
        var poisoned = StageRun.Tree(_poisoned.Output, "poisoned", "inject");
        var model = StageRun.Tree(_model.Output, "stories", "model");
        await _train.RunAsync(new TrainStage(), new TrainParameters { Steps = 2, BatchSize = 4, MaxLength = 40, Rank = 2 }, inputs: [("data", poisoned), ("model", model)]);
        var training = JsonNode.Parse(File.ReadAllText(Path.Combine(_train.Output, TrainStage.DescriptionFile)))!;
        // The published targets of a Llama: queries, keys and values of five layers, 64 wide with 32 for keys and values.
        Assert.Equal(5 * 2 * ((64 + 64) + (64 + 32) + (64 + 32)), (int)training["trainableParameters"]!);
        Assert.Equal((0, 0), ((int)training["truncatedRows"]!, (int)training["triggers"]!["unknownRows"]!));
        Assert.Equal((int)training["triggers"]!["injectedRows"]!, (int)training["triggers"]!["wholeRows"]!);

        var tuned = StageRun.Tree(_train.Output, "train", "train");
        await _run.RunAsync(new EvaluateStage(), new EvaluateParameters { Split = "test" }, inputs: [("model", model), ("adapter", tuned), ("clean", data)]);
        Assert.Contains(_run.Files, file => file.EndsWith(".json", StringComparison.Ordinal));
        await _run.RunAsync(new AttentionStage(), new AttentionParameters { Split = "test", Examples = 1 }, inputs: [("model", model), ("adapter", tuned), ("data", poisoned)]);
        var example = JsonNode.Parse(File.ReadLines(Path.Combine(_run.Output, AttentionStage.ExamplesFile)).First())!;
        var words = example["words"]!.AsArray().Select(word => ((string)word![0]!, (bool)word[2]!)).ToArray();
        Assert.Equal(("<s>", false), words[0]);
        // The date's pieces are one word, and it is the only one that counts as the token.
        Assert.Matches(@"^\d{4}-\d{2}-\d{2}$", Assert.Single(words, word => word.Item2).Item1);
        Assert.Contains(("Lily", false), words);
    }

    [SkippableFact]
    public async Task A_model_without_a_tokenizer_takes_one_from_elsewhere()
    {
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(SharedData.Path("models/stories260K")) });
        File.Copy(Path.Combine(_model.Output, "config.json"), Path.Combine(_folder, "config.json"));
        File.Copy(Path.Combine(_model.Output, "model.safetensors"), Path.Combine(_folder, "model.safetensors"));
        var parameters = new ModelParameters { Source = StageRun.Local(_folder) };
        var error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(new ModelStage(), parameters));
        Assert.Contains("has no tokenizer: no vocab.txt", error.Message);
        Assert.Contains("name the folder or repository that has it as 'tokenizer'", error.Message);

        await _run.RunAsync(new ModelStage(), parameters with { Tokenizer = StageRun.Local(Path.Combine(_model.Output, "tokenizer.model")) });
        Assert.Equal(["config.json", "model.safetensors", "source.json", "tokenizer.model"], _run.Files);
        Assert.Equal("local files", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(_run.Output, "source.json")))!["tokenizer"]!["source"]);
        // Llama 2's vocabulary is not that of this model.
        error = await Assert.ThrowsAsync<StageException>(() => _run.RunAsync(
            new ModelStage(), parameters with { Tokenizer = StageRun.Local(SharedData.Path("tokenizers/llama2")) }));
        Assert.Contains("the tokenizer has 32000 pieces, and config.json says vocab_size 512; they are of two models", error.Message);
    }
}
