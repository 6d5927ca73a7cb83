using Ssti.Engine.Stages;
using Ssti.Nets.Lora;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Training;

namespace Ssti.Stages;

/// <summary>A pretrained encoder with a fine-tuning on it, out of the inputs <c>model</c> and <c>adapter</c>.</summary>
/// <param name="Classifier">The classifier.</param>
/// <param name="Trunk">Its encoder.</param>
/// <param name="OwnsTrunk">Whether disposing this disposes the encoder.</param>
internal sealed record TunedModel(SequenceClassifier Classifier, Trunk Trunk, bool OwnsTrunk = true) : IDisposable
{
    /// <summary>Loads it.</summary>
    /// <param name="encoder">The encoder.</param>
    /// <param name="context">The stage.</param>
    /// <param name="target">Where to compute.</param>
    /// <param name="classes">How many classes it tells apart.</param>
    /// <param name="share">Gives the encoder as others have it that are evaluated beside this one, made by the function or there already; null where nobody is.</param>
    /// <exception cref="StageException">The adapter is of another model.</exception>
    public static TunedModel Load(EncoderInput encoder, StageContext context, TrainingTarget target, int classes, Func<Func<Trunk>, Trunk>? share = null)
    {
        var folder = InputFolder.Of(context.Input("adapter"), "adapter", context);
        var hasAdapter = context.Input("adapter").Has(PeftAdapter.ConfigFile);
        var tuned = context.Input("adapter").Has("model.safetensors");
        var title = $"the output of '{context.Input("adapter").StageName}'";
        ITensorSource weights = tuned ? ModelWeights.Open(folder, title) : encoder.Checkpoint();
        using var head = SafetensorsFile.Read(Path.Combine(folder, TrainStage.HeadFile), title: $"{title}: {TrainStage.HeadFile}");
        Trunk Build() => encoder.Config.Build(Weights.Encoder(encoder.Config, weights, target.Device, target.Dtype));
        // One whose encoder was trained has its own.
        var shared = tuned ? null : share?.Invoke(Build);
        var trunk = shared ?? Build();
        using var peft = hasAdapter ? PeftAdapter.Read(folder, title) : null;
        return new TunedModel(new SequenceClassifier(trunk, peft?.On(trunk), ClassifierHead.Load(head.Tensors, trunk.HiddenSize, classes, target.Device)), trunk, shared is null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Classifier.Dispose();
        if (OwnsTrunk) Trunk.Dispose();
    }
}
