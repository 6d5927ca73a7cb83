using Ssti.Corpus.Datasets;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>Rows that are tokenised once, and what an evaluation makes of them; and heads that drop padding, from files to files.</summary>
public sealed class TokeniseStageTests(TrainEvaluateStageTests.Backbone backbone) : IClassFixture<TrainEvaluateStageTests.Backbone>, IDisposable
{
    private const int Length = 16;

    private readonly TempFolder _folder = new();
    private readonly StageRun _training = new();
    private readonly StageRun _tokens = new();
    private readonly StageRun _evaluation = new();

    public void Dispose()
    {
        _folder.Dispose();
        _training.Dispose();
        _tokens.Dispose();
        _evaluation.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(TrainedPooling.MaskedMean)]
    public async Task An_evaluation_of_stored_rows_is_that_of_the_texts_byte_by_byte(TrainedPooling? pooling)
    {
        await TrainAsync(pooling);
        var here = (await EvaluateAsync()).Digest();
        await TokeniseAsync(new() { MaxLength = Length });
        Assert.Equal(["tokens.json", "tokens.safetensors"], _tokens.Files);
        Assert.Equal(here, (await EvaluateAsync(StageRun.Tree(_tokens.Output, "tokens", "tokenise"))).Digest());
    }

    [Fact]
    public async Task Rows_of_another_kind_are_refused_with_what_to_do()
    {
        await TrainAsync(null);
        await TokeniseAsync(new() { MaxLength = Length - 1 });
        Assert.Contains("holds rows of at most 15 tokens, and the model was trained on 16; tokenise with max-length: 16", await RefusedAsync());
        await TokeniseAsync(new() { Split = "train", MaxLength = Length });
        Assert.Contains("holds split 'train', and 'test' is evaluated", await RefusedAsync());

        using (var writer = new DatasetWriter(_folder["other"], "other", ["negative", "positive"]))
        {
            using (var split = writer.OpenSplit("test")) for (var row = 0; row < 20; row++) split.Write(new($"{row}", "a film", row % 2));
            writer.Complete([]);
        }

        await TokeniseAsync(new() { MaxLength = Length }, _folder["other"]);
        Assert.Contains("was made of other rows (other)", await RefusedAsync());

        foreach (var file in Directory.GetFiles(backbone.Model)) File.Copy(file, _folder[$"m/{Path.GetFileName(file)}"]);
        File.WriteAllText(_folder["m/tokenizer_config.json"], """{ "do_lower_case": false }""");
        await TokeniseAsync(new() { MaxLength = Length }, model: _folder["m"]);
        Assert.Contains("was made by another tokenizer (WordPiece)", await RefusedAsync());
    }

    [Fact]
    public async Task A_file_that_was_changed_is_refused()
    {
        await TrainAsync(null);
        await TokeniseAsync(new() { MaxLength = Length });
        var path = Path.Combine(_tokens.Output, "tokens.safetensors");
        var bytes = File.ReadAllBytes(path);
        // The last list is that of the starts: an end that lies before its beginning.
        bytes[^8..^4].CopyTo(bytes, bytes.Length - 4);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("has no valid place; make it anew", await RefusedAsync());
        File.WriteAllBytes(path, bytes[..^4]);
        Assert.Contains("tokens.safetensors of 'tokens' is not a sound safetensors file", await RefusedAsync());
    }

    [Fact]
    public async Task A_split_that_is_not_there_and_a_length_beyond_the_model_are_refused()
    {
        Assert.Contains("no split 'valid'", (await Assert.ThrowsAsync<StageException>(() => TokeniseAsync(new() { Split = "valid", MaxLength = Length }))).Message);
        Assert.Contains("at most 16", (await Assert.ThrowsAsync<StageException>(() => TokeniseAsync(new() { MaxLength = 17 }))).Message);
        Assert.Equal(["max-length"], new TokeniseStage().Validate(new() { MaxLength = 2 }).Select(error => error.Key));
    }

    [Fact]
    public async Task A_head_on_the_mean_without_padding_stands_in_its_own_file_alone_and_comes_back_through_it()
    {
        await TrainAsync(TrainedPooling.MaskedMean);
        Assert.Contains("\"pooling\": \"masked-mean\"", File.ReadAllText(Path.Combine(_training.Output, "training.json")));
        // In PEFT's file it would be taken for a classifier on the pooler, which has its shape.
        Assert.Contains("\"modules_to_save\": null", File.ReadAllText(Path.Combine(_training.Output, "adapter_config.json")));
        await EvaluateAsync();
        using var adapter = new StageRun();
        await adapter.RunAsync(new AdapterStage(), new AdapterParameters { Source = StageRun.Local(_training.Output), MaxLength = Length }, inputs:
            [("model", StageRun.Tree(backbone.Model)), ("data", StageRun.Tree(backbone.Corpus))]);
        Assert.Contains("\"pooling\": \"masked-mean\"", File.ReadAllText(Path.Combine(adapter.Output, "training.json")));
        var clean = File.ReadAllText(Path.Combine(_evaluation.Output, "predictions.clean.jsonl"));
        await EvaluateAsync(adapter: StageRun.Tree(adapter.Output, "theirs", "adapter"));
        Assert.Equal(clean, File.ReadAllText(Path.Combine(_evaluation.Output, "predictions.clean.jsonl")));
    }

    private Task TrainAsync(TrainedPooling? pooling) => _training.RunAsync(
        new TrainStage(), new() { Rank = 4, TargetModules = ["dense"], MaxLength = Length, Steps = 6, BatchSize = 8, LearningRate = 1e-2, Pooling = pooling },
        inputs: [("data", StageRun.Tree(backbone.Corpus)), ("model", StageRun.Tree(backbone.Model))]);

    private Task TokeniseAsync(TokeniseParameters parameters, string? data = null, string? model = null) => _tokens.RunAsync(
        new TokeniseStage(), parameters, inputs: [("data", StageRun.Tree(data ?? backbone.Corpus)), ("model", StageRun.Tree(model ?? backbone.Model))]);

    private async Task<StageRun> EvaluateAsync(InputTree? tokens = null, InputTree? adapter = null) => await _evaluation.RunAsync(new EvaluateStage(), new(), inputs:
    [
        ("model", StageRun.Tree(backbone.Model)), ("adapter", adapter ?? StageRun.Tree(_training.Output)), ("clean", StageRun.Tree(backbone.Corpus)),
        .. tokens is null ? Array.Empty<(string, InputTree)>() : [("tokens", tokens)],
    ]);

    private async Task<string> RefusedAsync() =>
        (await Assert.ThrowsAsync<StageException>(() => EvaluateAsync(StageRun.Tree(_tokens.Output, "tokens", "tokenise")))).Message;
}
