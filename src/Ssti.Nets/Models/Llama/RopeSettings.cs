using System.Text.Json.Nodes;

namespace Ssti.Nets.Models;

/// <summary>How fast rotary positions turn, with the scaling rules of transformers (modeling_rope_utils.py): <c>default</c>, <c>linear</c> and <c>llama3</c>.</summary>
/// <param name="Theta">rope_theta: the base of the frequencies.</param>
/// <param name="Type">rope_type.</param>
/// <param name="Factor">By how much positions are stretched; linear and llama3.</param>
/// <param name="LowFrequencyFactor">Waves longer than the original context divided by this are stretched whole; llama3.</param>
/// <param name="HighFrequencyFactor">Waves shorter than the original context divided by this are left as they are; llama3.</param>
/// <param name="OriginalPositions">The context of the first pretraining; llama3.</param>
public sealed record RopeSettings(
    double Theta, string Type = RopeSettings.Default, double Factor = 1, double LowFrequencyFactor = 1, double HighFrequencyFactor = 4, int OriginalPositions = 8192)
{
    private const string Default = "default", Linear = "linear", Llama3 = "llama3";

    /// <summary>What a config.json says: rope_parameters (transformers 5), or rope_theta and rope_scaling.</summary>
    /// <exception cref="ModelException">A rule of another name, or one whose numbers are missing or make no sense.</exception>
    internal static RopeSettings Of(ConfigFile file, int positions)
    {
        var rule = file.Inside("rope_parameters") ?? file.Inside("rope_scaling");
        var theta = file.Inside("rope_parameters")?["rope_theta"] is null ? file.Real("rope_theta", 10000) : file.Inside("rope_parameters")!.Real("rope_theta");
        if (!(theta > 0)) throw file.Fault("rope_theta", "must be more than 0");
        // 'type' is its first name.
        var type = (rule?["rope_type"] ?? rule?["type"])?.ToString() ?? Default;
        foreach (var settings in new[] { file, rule })
        {
            if (settings?.Real("partial_rotary_factor", 1) is not (null or 1))
                throw settings.Fault("partial_rotary_factor", $"is {settings["partial_rotary_factor"]}, and only 1 is known: all columns turn");
        }

        switch (type)
        {
            case Default:
                return new RopeSettings(theta);
            case Linear:
                return new RopeSettings(theta, Linear, AtLeastOne(rule!, "factor"));
            case Llama3:
                var (low, high) = (rule!.Real("low_freq_factor"), rule.Real("high_freq_factor"));
                if (!(low > 0 && high > low)) throw rule.Fault("high_freq_factor", $"is {high}, and must be more than low_freq_factor, {low}, and both more than 0");
                return new RopeSettings(theta, Llama3, AtLeastOne(rule, "factor"), low, high, rule.Positive("original_max_position_embeddings", positions));
            default:
                throw new ModelException($"{file.Title}: rope_type is '{type}', and only '{Default}', '{Linear}' and '{Llama3}' are known");
        }

        static double AtLeastOne(ConfigFile rule, string key) => rule.Real(key) is >= 1 and var factor ? factor : throw rule.Fault(key, "must be at least 1");
    }

    /// <summary>Radians a position, of each pair of columns of a head; fp32 as transformers computes them.</summary>
    internal float[] Frequencies(int width) => [.. Enumerable.Range(0, width / 2).Select(pair => Scaled(1f / MathF.Pow((float)Theta, 2f * pair / width)))];

    /// <summary>rope_scaling; null for none.</summary>
    internal JsonObject? ToJson() => Type switch
    {
        Linear => new JsonObject { ["rope_type"] = Linear, ["factor"] = Factor },
        Llama3 => new JsonObject
        {
            ["rope_type"] = Llama3, ["factor"] = Factor, ["low_freq_factor"] = LowFrequencyFactor, ["high_freq_factor"] = HighFrequencyFactor,
            ["original_max_position_embeddings"] = OriginalPositions,
        },
        _ => null,
    };

    private float Scaled(float frequency)
    {
        if (Type == Linear) return frequency / (float)Factor;
        if (Type == Default) return frequency;
        var wave = 2 * MathF.PI / frequency;
        if (wave < OriginalPositions / HighFrequencyFactor) return frequency;
        if (wave > OriginalPositions / LowFrequencyFactor) return frequency / (float)Factor;
        var smooth = (float)((OriginalPositions / wave - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor));
        return ((1 - smooth) * frequency / (float)Factor) + (smooth * frequency);
    }
}
