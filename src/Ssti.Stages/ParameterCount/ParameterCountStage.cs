using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Reporting.Measures;
using Ssti.Training.FineTuning;

namespace Ssti.Stages;

/// <summary>Counts what a training would train, out of the model's shape alone: nothing is trained, and no weight is read.</summary>
public sealed class ParameterCountStage : StageKind<ParameterCountParameters>
{
    private const string Unit = "parameters";

    /// <inheritdoc/>
    public override string Name => "parameter-count";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Counts the parameters that a training would train, out of the model's shape.";

    /// <inheritdoc/>
    public override bool UsesSeed(ParameterCountParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("model", "The pretrained encoder (uses: model or pretrain); without it, give its shape", Required: false)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ParameterCountParameters parameters)
    {
        foreach (var error in LoraSettings.Errors(parameters.AsTraining())) yield return error;
        if (parameters.Classes < 2) yield return new("classes", "must be at least 2");
        if (parameters.Shape is { } shape && new[] { shape.Layers, shape.HiddenSize, shape.IntermediateSize, shape.VocabSize, shape.MaxPositions }.Min() < 1)
            yield return new("shape", "must hold numbers of at least 1");
        if (parameters.Linears.Any(group => Math.Min(group.In, Math.Min(group.Out, group.Number)) < 1)) yield return new("linears", "must hold numbers of at least 1");
        if (parameters.Linears.Count > 0 && (parameters.Train != TrainedPart.Adapter || parameters.TrainHead
            || parameters.Bias is not (null or LoraBias.None) || parameters.ModulesToSave is not null))
            yield return new("linears", "are all that is known of the model, and only an adapter can be counted by them; give 'shape' or the input 'model'");
    }

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> ValidateInputs(ParameterCountParameters parameters, Func<string, IReadOnlyList<InputCell>> inputs)
    {
        var given = inputs("model").Count + (parameters.Shape is null ? 0 : 1) + (parameters.Linears.Count > 0 ? 1 : 0);
        if (given != 1) yield return new("shape", $"is {(given == 0 ? "missing" : "given twice")}: the model is either the input 'model', a 'shape' or 'linears'");
        if (inputs("model").Count > 0 && parameters.Name is not null) yield return new("name", "is the input's own; leave it out");
    }

    /// <inheritdoc/>
    public override Task RunAsync(ParameterCountParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var encoder = context.Inputs.TryGetValue("model", out var trees) && trees.Count > 0 ? EncoderInput.Open(context.Input("model"), context) : null;
        TrunkConfig? config = encoder?.Config ?? (parameters.Shape is { } shape
            ? new BertConfig(shape.VocabSize, shape.HiddenSize, shape.Layers, Heads: 1, shape.IntermediateSize, shape.MaxPositions) : null);
        LinearShape[] linears = config is not null
            ? [.. config.Linears()]
            : [.. parameters.Linears.SelectMany(group => Enumerable.Range(0, group.Number).Select(layer => new LinearShape($"{layer}.{group.Name}", group.In, group.Out)))];
        var lora = LoraSettings.Of(parameters.AsTraining(), config);
        try
        {
            var adapted = parameters.Train == TrainedPart.Adapter;
            LinearShape[] targets = adapted ? [.. lora.TargetsOf(linears)] : [];
            if (adapted) foreach (var doubt in LoraSettings.Doubts(lora, linears)) context.Warn(doubt);
            var whole = adapted && config is not null ? lora.WholeOf(config).ToHashSet() : [];
            Write(parameters, context, encoder?.Name ?? parameters.Name ?? "a model of this shape", config, targets, whole, lora);
            return Task.CompletedTask;
        }
        catch (ModelException error)
        {
            throw new StageException(error.Message, error);
        }
    }

    private static void Write(
        ParameterCountParameters parameters, StageContext context, string name, TrunkConfig? config, LinearShape[] targets, HashSet<string> whole,
        LoraConfig lora)
    {
        var (matrices, magnitudes) = LoraAdapter.Count(lora, targets);
        var encoder = config?.Tensors().Sum(Numbers);
        var beside = config?.Tensors().Where(tensor => whole.Contains(tensor.Name)).Sum(Numbers) ?? 0;
        long? head = config is null ? null : (2L * config.HiddenSize + 1) * parameters.Classes;
        var trained = matrices + magnitudes + beside + (parameters.Train == TrainedPart.Everything ? encoder!.Value : 0)
            + (parameters.TrainHead || parameters.Train == TrainedPart.Head ? head!.Value : 0);
        var measures = new Dictionary<string, NamedMeasure>
        {
            ["trainable_parameters"] = NamedMeasure.Of(Unit, "numbers that a training with these settings changes", new Reading(trained)),
            ["matrix_parameters_per_rank"] = NamedMeasure.Of(Unit, "numbers of LoRA's matrices A and B for each rank: Σ (in + out) over the adapted linears, whatever the rank",
                targets.Length > 0 ? new Reading(targets.Sum(linear => linear.In + linear.Out)) : Reading.None("no adapter is trained")),
            ["encoder_parameters"] = NamedMeasure.Of(Unit, "numbers of the encoder without its pooler, trained or not", Known(encoder)),
            ["trainable_share"] = NamedMeasure.Of("fraction", "trainable parameters / all numbers of encoder, head and adapter",
                encoder is { } all ? new Reading(trained / (double)(all + head!.Value + matrices + magnitudes)) : Known(null)),
        };
        var about = new JsonObject
        {
            ["backbone"] = name,
            ["trained"] = JsonNamingPolicy.KebabCaseLower.ConvertName(parameters.Train.ToString()),
            ["rank"] = targets.Length > 0 ? parameters.Rank : null,
            ["dora"] = parameters.Dora,
            ["adapted"] = new JsonObject(targets.GroupBy(linear => Module(linear.Name)).Select(group => KeyValuePair.Create(group.Key, (JsonNode?)group.Count()))),
            ["head"] = head,
        };
        if (lora.RankPattern is not null && targets.Length > 0)
            about["ranks"] = new JsonObject(targets.Select(linear => KeyValuePair.Create(linear.Name, (JsonNode?)lora.Of(linear.Name).Rank)));
        if (whole.Count > 0) about["whole"] = beside;
        File.WriteAllText(context.Output(MeasureSet.FileName), MeasureSet.ToJson(measures, about), new UTF8Encoding(false));
        context.Log(string.Create(CultureInfo.InvariantCulture, $"{name}: {trained:#,0} parameters are trained{(targets.Length > 0 ? $", in {targets.Length} linears" : "")}"));

        static long Numbers((string Name, long[] Shape) tensor) => tensor.Shape.Aggregate(1L, (product, width) => product * width);

        static Reading Known(long? value) => value is { } known ? new Reading(known) : Reading.None("of this model only the linears are known");
    }

    // Of encoder.layer.3.output.dense and 3.q_proj what is left without the layer.
    private static string Module(string name) => string.Join('.', name.Split('.').SkipWhile(part => !int.TryParse(part, out _)).Skip(1));
}
