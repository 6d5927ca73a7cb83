using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;

namespace Ssti.Stages;

/// <summary>What an evaluation must know of the training it measures, out of <c>training.json</c>.</summary>
/// <param name="MaxLength">Tokens of a row.</param>
/// <param name="Labels">Label names.</param>
/// <param name="Injection">The tokens in the training rows; null for a model trained on clean data.</param>
/// <param name="Doubts">What the training found doubtful about those tokens.</param>
internal sealed record TrainingDescription(int MaxLength, IReadOnlyList<string> Labels, InjectionNote? Injection, IReadOnlyList<string> Doubts)
{
    /// <summary>Reads it from a training's output.</summary>
    public static TrainingDescription Read(InputTree tree)
    {
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(tree.PathOf(TrainStage.DescriptionFile)))!;
            return new TrainingDescription(
                (int)json["maxLength"]!, [.. json["labels"]!.AsArray().Select(label => (string)label!)],
                InjectionNote.Of((JsonObject)json["provenance"]!, (string)json["split"]!),
                [.. json["triggers"]?["doubts"]?.AsArray().Select(doubt => (string)doubt!) ?? []]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NullReferenceException)
        {
            throw new StageException($"{TrainStage.DescriptionFile} of '{tree.StageName}' cannot be read: {e.Message}", e);
        }
    }
}
