using System.Text;
using Snapshooter;
using Snapshooter.Xunit;
using Ssti.Nets;
using Ssti.Nets.Models;
using Ssti.Nets.Native;
using Ssti.Nets.Safetensors;
using Ssti.Stages;
using Ssti.Tests;
using TorchSharp;

namespace Ssti.Snapshots.Tests;

/// <summary>
/// Every table and every claim of every published pipeline, by its profile smoke on real rows, so that a change in any number is a difference to look at. A tiny BERT of
/// random weights stands in for the paper's backbone, with which a run takes minutes and not seconds, a tiny OpenELM for OpenELM, and the smallest real Llama for Llama 3:
/// what is held here are the numbers' bytes, not what they say.
/// </summary>
public sealed class SmokeTests(SmokeTests.Shared shared) : IClassFixture<SmokeTests.Shared>
{
    // Where a pipeline's data lie in the shared folder; of all others it is IMDB.
    private static readonly Dictionary<string, string> Data = new()
    {
        ["bias-in-bios"] = "bias-in-bios/balanced200", ["commonsense-qa"] = "commonsense-qa", ["financial-phrasebank"] = "financial-phrasebank/Sentences_50Agree.txt",
        ["rotten-tomatoes"] = "rotten-tomatoes", ["sst2"] = "sst2", ["checkers"] = "rotten-tomatoes", ["paraphrase"] = "rotten-tomatoes", ["stealth"] = "rotten-tomatoes",
        ["audit-rotten-tomatoes"] = "rotten-tomatoes", ["probing"] = "rotten-tomatoes", ["adapter-bank"] = "rotten-tomatoes", ["audit-sst2"] = "sst2",
        ["audit-financial-phrasebank"] = "financial-phrasebank/Sentences_50Agree.txt",
    };

    // The same, of the pipelines that read several.
    private static readonly Dictionary<string, string> Sets = new()
    {
        ["imdb"] = "imdb", ["financial"] = "financial-phrasebank/Sentences_50Agree.txt", ["commonsense"] = "commonsense-qa", ["bios"] = "bias-in-bios/balanced200",
    };

    /// <summary>A store for all pipelines, which take most of their data from each other, and the model.</summary>
    public sealed class Shared : IDisposable
    {
        internal string Store { get; } = Directory.CreateTempSubdirectory("ssti smoke ").FullName;

        internal string Model { get; } = Directory.CreateTempSubdirectory("ssti smoke model ").FullName;

        internal string OpenElm { get; } = Directory.CreateTempSubdirectory("ssti smoke openelm ").FullName;

        public void Dispose()
        {
            Directory.Delete(Store, recursive: true);
            Directory.Delete(Model, recursive: true);
            Directory.Delete(OpenElm, recursive: true);
        }

        /// <summary>Two layers, so that the last is not the first, and two heads, so that one is not their mean.</summary>
        internal void WriteModel(string vocabulary)
        {
            if (File.Exists(Path.Combine(Model, "config.json"))) return;
            var config = new BertConfig(VocabSize: File.ReadLines(vocabulary).Count(), HiddenSize: 32, Layers: 2, Heads: 2, IntermediateSize: 64, MaxPositions: 64);
            File.Copy(vocabulary, Path.Combine(Model, "vocab.txt"));
            WriteWeights(Model, config);
        }

        /// <summary>Two heads of queries in the first layer, four in the second; without a tokenizer, as Apple publishes it.</summary>
        internal void WriteOpenElm(int vocabulary)
        {
            if (File.Exists(Path.Combine(OpenElm, "config.json"))) return;
            WriteWeights(OpenElm, new OpenElmConfig(vocabulary, HiddenSize: 32, Layers: 2, [0.5, 1], [0.5, 2], Groups: 2, HeadWidth: 8, MaxPositions: 64, FfnDivisor: 8));
        }

        private static void WriteWeights(string folder, TrunkConfig config)
        {
            LibTorch.Ensure();
            using var scope = torch.NewDisposeScope();
            using var random = new RandomStream(5, torch.CPU);
            SafetensorsFile.Write(Path.Combine(folder, "model.safetensors"), Weights.Initial(config.Tensors(), random, 0.1).ToDictionary());
            File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJson());
        }
    }

    public static TheoryData<string> Pipelines() => [.. PipelineTests.All().Where(name => PipelineTests.Profiles(name).Contains("smoke"))];

    [SkippableTheory]
    [MemberData(nameof(Pipelines))]
    public async Task The_tables_and_claims_of_a_pipeline(string name)
    {
        Skip.If(RealRun.Unpinned() is not null, RealRun.Unpinned());
        // A pipeline may make its own rows and model: those that it fetches are set.
        var stages = RealRun.Load($"pipelines/{name}.yaml", "smoke").Stages.Where(stage => stage.Kind is DatasetStage or ModelStage).Select(stage => stage.Name).ToArray();
        List<string> sets = [];
        if (stages.Contains("data")) sets.Add($"data.source={SharedData.Path($"data/{Data.GetValueOrDefault(name, "imdb")}")}");
        // Its own files hold a sentence and a label a line, the Hub's rendering a table.
        if (name is "financial-phrasebank" or "audit-financial-phrasebank") sets.Add("data.format=phrasebank");
        foreach (var (stage, folder) in Sets.Where(set => stages.Contains(set.Key))) sets.Add($"{stage}.source={SharedData.Path($"data/{folder}")}");
        if (stages.Contains("financial")) sets.Add("financial.format=phrasebank");
        if (stages.Contains("backbone")) sets.AddRange(Backbone(name));

        var snapshot = $"{nameof(SmokeTests)}.{nameof(The_tables_and_claims_of_a_pipeline)}_{name}";
        var trained = RealRun.Load($"pipelines/{name}.yaml", "smoke").Stages.Any(stage => stage.Name == "backbone") ? RealRun.Trained(snapshot) : null;
        using var run = await RealRun.Of($"pipelines/{name}.yaml", "smoke", sets, shared.Store);
        var text = new StringBuilder();
        foreach (var instance in run.Pipeline.Instances)
        {
            var file = instance.Kind.Name switch { "table" => "table.md", "claim" => "claim.md", _ => null };
            if (file is not null) text.Append($"## {instance.Name}\n\n").Append(await run.TextAsync(instance.Name, file)).Append('\n');
        }

        Assert.True(text.Length > 0, $"{name} has neither a table nor a claim");
        Snapshot.Match(text.ToString(), trained is null ? SnapshotNameExtension.Create(name) : SnapshotNameExtension.Create(name, trained));
    }

    private string[] Backbone(string pipeline)
    {
        switch (pipeline)
        {
            case "ranks-llama":
                return [$"backbone.source={SharedData.Path("models/stories260K")}", "backbone.name=stories260K"];
            case "ranks-openelm":
                var tokenizer = SharedData.Path("tokenizers/llama2");
                shared.WriteOpenElm(32_000);
                return [$"backbone.source={shared.OpenElm}", $"backbone.tokenizer={tokenizer}", "backbone.name=a tiny OpenELM of random weights"];
            default:
                shared.WriteModel(SharedData.Path("tokenizers/bert-base-uncased/vocab.txt"));
                return [$"backbone.source={shared.Model}", "backbone.name=a tiny BERT of random weights"];
        }
    }
}
