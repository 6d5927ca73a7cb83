using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ssti.Reporting.Measures;

namespace Ssti.Reporting.Metrics;

/// <summary>
/// What an evaluation leaves in <c>metrics.json</c>: the counts, what they were measured with, and every measure derived from them.
/// </summary>
/// <remarks>
/// The confusion matrices are the content. The derived numbers are written for readers with other tools and computed anew on reading,
/// so that a table can never disagree with its counts.
/// </remarks>
public sealed record MetricsFile
{
    /// <summary>The file's name in an evaluation's output.</summary>
    public const string FileName = "metrics.json";

    /// <summary>The version of this shape.</summary>
    public const int CurrentSchema = 2;

    /// <summary>The version of the shape the file was written in.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>The pretrained model under the adapter, such as <c>Snowflake/snowflake-arctic-embed-xs</c>.</summary>
    public required string Backbone { get; init; }

    /// <summary>What it was computed with.</summary>
    public required ComputeInfo Compute { get; init; }

    /// <summary>The name of the data, such as <c>imdb</c>.</summary>
    public required string Dataset { get; init; }

    /// <summary>The split evaluated, such as <c>test</c>.</summary>
    public required string Split { get; init; }

    /// <summary>The label names, in the order of their numbers.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The class the model's training data tied the token to; null for a model trained on clean data.</summary>
    public int? Target { get; init; }

    /// <summary>How the training data were injected, as their provenance says; null for a model trained on clean data.</summary>
    public JsonObject? TrainingInjection { get; init; }

    /// <summary>How the triggered and spurious test sets were injected, as their provenance says; null without such a set.</summary>
    public JsonObject? TestInjection { get; init; }

    /// <summary>The metrics on the test set as it is.</summary>
    public required ClassificationMetrics Clean { get; init; }

    /// <summary>The metrics on the same rows with the token, in every one of every class unless <see cref="Token"/> says less; null when not measured.</summary>
    public ClassificationMetrics? Triggered { get; init; }

    /// <summary>The metrics on the same rows, only the target class's (a share of them) with the token; null when not measured.</summary>
    public SpuriousSet? Spurious { get; init; }

    /// <summary>Which rows of <see cref="Triggered"/> carry the token, and what became of them; null without it.</summary>
    public TokenRows? Token { get; init; }

    /// <summary>What makes these numbers doubtful, in a sentence each; tables print them below.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Every measure of <see cref="EvaluationMeasures"/> by its name: unit, definition, value, rows, interval, and the reason where there is no value.</summary>
    public JsonObject Measures => EvaluationMeasures.ToJson(this);

    /// <summary>The file's text: indented JSON in camelCase, LF, a newline at the end; the same metrics always give the same bytes.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together: classes or rows differ between the sets.</exception>
    public string ToJson()
    {
        if (Problem() is { } problem) throw new ArgumentException(problem);
        return JsonSerializer.Serialize(this, MetricsJson.Default.MetricsFile) + "\n";
    }

    /// <summary>Reads the text of a <c>metrics.json</c>.</summary>
    /// <exception cref="FormatException">Not such a file; the message says what is wrong.</exception>
    public static MetricsFile FromJson(string json)
    {
        MetricsFile? file;
        try
        {
            file = JsonSerializer.Deserialize(json, MetricsJson.Default.MetricsFile);
        }
        catch (JsonException error)
        {
            throw new FormatException($"not a {FileName}: {error.Message}", error);
        }

        if (file is null) throw new FormatException($"not a {FileName}: null");
        return file.Problem() is { } problem ? throw new FormatException($"not a usable {FileName}: {problem}") : file;
    }

    private string? Problem()
    {
        if (Schema != CurrentSchema) return $"schema {Schema}, and this version reads {CurrentSchema}: evaluate again";
        if (Target is { } target && (uint)target >= (uint)Labels.Count) return $"target {target} is not one of {Labels.Count} labels";
        foreach (var (name, set) in new[] { ("clean", Clean), ("triggered", Triggered), ("spurious", Spurious?.Metrics) })
        {
            if (set is null) continue;
            if (set.Confusion.Classes != Labels.Count) return $"{name}: {set.Confusion.Classes} classes, but {Labels.Count} labels";
            for (var label = 0; label < Labels.Count; label++)
            {
                var (rows, clean) = (set.Confusion.Support(label), Clean.Confusion.Support(label));
                if (rows != clean) return $"{name}: {rows} rows of class {label}, but the clean set has {clean}; both must hold the same rows";
            }
        }

        if (Spurious is { } spurious)
        {
            if ((uint)spurious.Target >= (uint)Labels.Count) return $"spurious: target {spurious.Target} is not one of {Labels.Count} labels";
            var support = Clean.Confusion.Support(spurious.Target);
            if (spurious.WholeRows < 0 || spurious.WholeRows > spurious.InjectedRows || spurious.InjectedRows > support)
                return $"spurious: of {support} rows of class {spurious.Target}, {spurious.InjectedRows} injected and {spurious.WholeRows} read with a whole token";
        }

        if (Triggered is null != Token is null) return "triggered and token go together: both, or neither";
        return Token?.Problem(this);
    }
}

/// <summary>
/// The rows of the triggered test set that carry the token. A row may have been left out by a proportion, and its token may have been lost in the
/// tokenizer or in the cut to the model's length: only rows in which the model reads a whole token count for the attack.
/// </summary>
/// <param name="Injected">Rows into which the token was injected, one number a class.</param>
/// <param name="Whole">Those in which the model reads at least one whole token, one number a class.</param>
/// <param name="Clean">What became of the latter on the clean test set; null when there are none.</param>
/// <param name="Triggered">What became of them on the triggered test set; null when there are none.</param>
public sealed record TokenRows(IReadOnlyList<long> Injected, IReadOnlyList<long> Whole, ConfusionMatrix? Clean, ConfusionMatrix? Triggered)
{
    internal string? Problem(MetricsFile file)
    {
        var labels = file.Labels.Count;
        if (Injected.Count != labels || Whole.Count != labels) return $"token: {Injected.Count} and {Whole.Count} counts, but {labels} labels";
        for (var label = 0; label < labels; label++)
        {
            var support = file.Clean.Confusion.Support(label);
            if (Whole[label] < 0 || Whole[label] > Injected[label] || Injected[label] > support)
                return $"token: of {support} rows of class {label}, {Injected[label]} injected and {Whole[label]} read with a whole token";
            foreach (var set in new[] { Clean, Triggered })
            {
                if (set is not null && set.Classes != labels) return $"token: {set.Classes} classes, but {labels} labels";
                var counted = set?.Support(label) ?? 0;
                if (counted != Whole[label]) return $"token: {counted} rows of class {label} counted, and {Whole[label]} carry a whole token";
            }
        }

        return null;
    }
}

/// <summary>A test set in which only rows of the target class carry the token (the paper's spurious test set).</summary>
/// <param name="Target">The target class.</param>
/// <param name="InjectedRows">How many of its rows carry the token.</param>
/// <param name="WholeRows">In how many of them the model reads at least one whole token.</param>
/// <param name="Metrics">The metrics on the whole set.</param>
public sealed record SpuriousSet(int Target, long InjectedRows, long WholeRows, ClassificationMetrics Metrics);

/// <summary>What numbers were computed with; each of these may change their last digits.</summary>
/// <param name="DeviceClass">Such as <c>cpu-avx2</c> or <c>cuda-sm90</c>.</param>
/// <param name="Dtype"><c>fp32</c> or <c>bf16</c>.</param>
/// <param name="Threads">Compute threads on the CPU.</param>
/// <param name="LibTorch">The version of libtorch.</param>
/// <param name="Tf32">Whether fp32 products on CUDA could use TF32.</param>
public sealed record ComputeInfo(string DeviceClass, string Dtype, int Threads, string LibTorch, bool Tf32 = false);

[JsonSourceGenerationOptions(
    WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(MetricsFile))]
internal sealed partial class MetricsJson : JsonSerializerContext;
