using System.Text.Json.Nodes;
using Ssti.Corpus.Tests;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>Texts of any length, many at once: each has the prediction that an evaluation gives it, in its own place.</summary>
public sealed class RowClassifierTests : IDisposable
{
    private const int Length = 20;

    private readonly StageRun _model = new(), _data = new(), _adapter = new(), _evaluation = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        foreach (var run in new[] { _model, _data, _adapter, _evaluation }) run.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("distilbert")]
    [InlineData("llama")]
    public async Task Rows_of_like_length_share_a_pass_and_nothing_shows_of_it(string family)
    {
        FamilyModel.Write(_folder["model"], family);
        using (TorchSharp.torch.NewDisposeScope()) FamilyModel.WriteAdapter(_folder["peft"], family);
        var random = new Random(7);
        string[] words = ["the", "good", "bad", "film"];
        string[] texts = [.. Enumerable.Range(0, 150).Select(_ => string.Join(' ', random.GetItems(words, random.Next(1, 26))))];
        Directory.CreateDirectory(_folder["rows"]);
        var lines = texts.Select((text, i) => $"{text},{(i % 2 == 0 ? "pos" : "neg")}\n");
        File.WriteAllText(_folder["rows/test.csv"], "text,label\n" + string.Concat(lines));
        var source = StageRun.Local(_folder["rows"]);
        await _data.RunAsync(new DatasetStage(), new DatasetParameters { Source = source, Labels = ["neg", "pos"], Splits = ["test"] });
        await _model.RunAsync(new ModelStage(), new ModelParameters { Source = StageRun.Local(_folder["model"]) });
        var model = StageRun.Tree(_model.Output, "model", "model");
        var adapter = new AdapterParameters { Source = StageRun.Local(_folder["peft"]), Labels = ["neg", "pos"], MaxLength = Length };
        await _adapter.RunAsync(new AdapterStage(), adapter, inputs: ("model", model));
        await _evaluation.RunAsync(new EvaluateStage(), new EvaluateParameters(), inputs:
        [
            ("model", model), ("adapter", StageRun.Tree(_adapter.Output, "adapter", "adapter")), ("clean", StageRun.Tree(_data.Output)),
        ]);
        var expected = File.ReadLines(Path.Combine(_evaluation.Output, "predictions.clean.jsonl"))
            .Select(line => JsonNode.Parse(line)!["logits"]!.AsArray().Select(logit => (double)logit!).ToArray()).ToArray();

        var compute = new ComputeSettings("cpu", "cpu-avx2", 2, "fp32", false, "none");
        using var files = ClassifierFiles.Open(_folder["peft"], _folder["scratch"], compute, _ => { });
        await files.FetchBaseAsync(StageRun.Local(_folder["model"]), new ModelStage(), default);
        await files.DescribeAsync(["neg", "pos"], Length, new AdapterStage(), default);
        await RowClassifier.UseAsync(files, compute, (classifier, _) =>
        {
            Assert.Equal(1024, classifier.RowsTogether);
            // An empty text in their midst has no place among those of the model.
            var predictions = classifier.Classify([.. texts[..70], "", .. texts[70..]], default);
            Assert.Null(predictions[70].Label);
            Prediction[] others = [.. predictions.Take(70), .. predictions.Skip(71)];
            Assert.Contains(others, prediction => prediction.Cut);
            Assert.Contains(others, prediction => !prediction.Cut);
            foreach (var (logits, prediction) in expected.Zip(others))
            {
                var exponentials = logits.Select(logit => Math.Exp(logit - logits.Max())).ToArray();
                for (var label = 0; label < 2; label++)
                    Assert.Equal(exponentials[label] / exponentials.Sum(), prediction.Probabilities[label], 1e-5);
            }
        });
    }
}
