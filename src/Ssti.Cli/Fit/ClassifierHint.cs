using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Nets.Lora;
using Ssti.Stages;

namespace Ssti.Cli.Fit;

/// <summary>What a tuned model's own files say of its base, for a message: nothing is fetched by it.</summary>
internal static class ClassifierHint
{
    /// <summary><c> (training.json: tiny-bert)</c>, or nothing.</summary>
    public static string Of(string folder)
    {
        foreach (var (file, key) in new[] { (TrainStage.DescriptionFile, "backbone"), (PeftAdapter.ConfigFile, "base_model_name_or_path") })
        {
            try
            {
                if (File.Exists(Path.Combine(folder, file)) && (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))?[key] is { Length: > 0 } name)
                    return $" ({file} calls it '{name}')";
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                // That it is damaged is told when it is read for good.
            }
        }

        return "";
    }
}
