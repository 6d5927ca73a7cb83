using System.Text.RegularExpressions;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;

namespace Ssti.Stages;

/// <summary>The adapter that a training's parameters ask for.</summary>
internal static class LoraSettings
{
    private static readonly string[] Published = [.. new TrainParameters().TargetModules];

    // The published protocol's other list: for OpenELM, whose queries, keys and values are one linear.
    private static readonly string[] PublishedForOpenElm = ["qkv_proj", "out_proj"];

    /// <summary>What is wrong with the parameters.</summary>
    public static IEnumerable<ParameterError> Errors(TrainParameters parameters)
    {
        if (parameters.Rank < 1) yield return new("rank", "must be at least 1; for full fine-tuning (the paper's rank 0) set train: everything");
        if (parameters.Alpha is <= 0) yield return new("alpha", "must be positive");
        if (parameters.LoraDropout is not (>= 0 and < 1)) yield return new("lora-dropout", "must be at least 0 and less than 1");
        if (parameters.TargetModules.Count == 0) yield return new("target-modules", "is empty; name the end of a linear's name, such as dense");
        if (parameters.TargetModules.Count > 1 && parameters.TargetModules.Contains("all-linear"))
            yield return new("target-modules", "names all-linear beside others; it stands alone");
        if (parameters.ModulesToSave is { Count: 0 }) yield return new("modules-to-save", "is empty; leave it out, or name the end of a module's name");
        if (parameters.ModulesToSave?.Any(string.IsNullOrWhiteSpace) == true) yield return new("modules-to-save", "has an empty name");
        foreach (var (key, pattern) in Patterns(parameters))
            if (Problem(pattern) is { } problem) yield return new(key, $"'{pattern}' is no regular expression: {problem}");
        if (parameters.RankPattern?.Any(entry => entry.Rank < 1) == true) yield return new("rank-pattern", "must have ranks of at least 1");
        if (parameters.AlphaPattern?.Any(entry => !(entry.Alpha > 0)) == true) yield return new("alpha-pattern", "must have alphas of more than 0");
        if (parameters.Train == Training.FineTuning.TrainedPart.Adapter) yield break;
        foreach (var (key, set) in new (string, bool)[]
        {
            ("target-pattern", parameters.TargetPattern is not null), ("rank-pattern", parameters.RankPattern is not null), ("rslora", parameters.Rslora == true),
            ("alpha-pattern", parameters.AlphaPattern is not null), ("init", parameters.Init is not null), ("bias", parameters.Bias is not (null or LoraBias.None)),
            ("modules-to-save", parameters.ModulesToSave is not null),
        })
            if (set) yield return new(key, "is of an adapter, and none is trained; leave it out, or set train: adapter");
    }

    /// <summary>The adapter of a model; null where only its linears are known.</summary>
    public static LoraConfig Of(TrainParameters parameters, TrunkConfig? model) =>
        new(parameters.Rank, parameters.Alpha ?? parameters.Rank, parameters.LoraDropout, Targets(parameters.TargetModules, model), parameters.Dora)
        {
            TargetPattern = parameters.TargetPattern,
            RankPattern = parameters.RankPattern is { Count: > 0 } ranks ? [.. ranks.Select(entry => new LoraPattern(entry.Modules, entry.Rank))] : null,
            AlphaPattern = parameters.AlphaPattern is { Count: > 0 } alphas ? [.. alphas.Select(entry => new LoraPattern(entry.Modules, entry.Alpha))] : null,
            RankStabilized = parameters.Rslora == true,
            Start = parameters.Init ?? LoraStart.Kaiming,
            Bias = parameters.Bias ?? LoraBias.None,
            ModulesToSave = parameters.ModulesToSave,
        };

    /// <summary>The target modules for a model: the published list means, as published, another one for OpenELM.</summary>
    public static IReadOnlyList<string> Targets(IReadOnlyList<string> asked, TrunkConfig? model) =>
        model is OpenElmConfig && IsPublished(asked) ? PublishedForOpenElm : asked;

    /// <summary>Whether target modules are the published list, which has names of several families on purpose.</summary>
    public static bool IsPublished(IReadOnlyList<string> targets) => targets.SequenceEqual(Published);

    /// <summary>What of the settings says nothing of a model, though somebody wrote it down.</summary>
    /// <param name="lora">The adapter.</param>
    /// <param name="linears">The model's linears.</param>
    public static IEnumerable<string> Doubts(LoraConfig lora, IReadOnlyList<LinearShape> linears)
    {
        var targets = lora.TargetsOf(linears);
        foreach (var pattern in lora.UnmatchedPatterns(targets))
            yield return $"rank-pattern or alpha-pattern: '{pattern}' matches no linear that gets an adapter, such as '{targets[0].Name}', and changes nothing";
        // The published list has names of other families on purpose.
        if (!IsPublished(lora.TargetModules) && lora.Unmatched(linears) is { Count: > 0 } unmatched)
            yield return $"target-modules: no linear of the model ends with {string.Join(", ", unmatched.Select(name => $"'{name}'"))}; these get no adapter";
    }

    private static IEnumerable<(string Key, string Pattern)> Patterns(TrainParameters parameters) =>
    [
        .. parameters.TargetPattern is { } target ? new[] { ("target-pattern", target) } : [],
        .. (parameters.RankPattern ?? []).Select(entry => ("rank-pattern", entry.Modules)),
        .. (parameters.AlphaPattern ?? []).Select(entry => ("alpha-pattern", entry.Modules)),
    ];

    private static string? Problem(string pattern)
    {
        if (pattern.Length == 0) return "it is empty";
        try
        {
            _ = new Regex(pattern.Replace("(?P<", "(?<", StringComparison.Ordinal));
            return null;
        }
        catch (RegexParseException error)
        {
            return error.Message;
        }
    }
}
