using Ssti.Engine.Stages;
using Ssti.Nets.Fused;
using Ssti.Nets.Models;
using Ssti.Nets.Tokenizers;
using Ssti.Training;
using Ssti.Training.Batches;

namespace Ssti.Stages;

/// <summary>
/// A pretrained encoder and a fine-tuning of it, the inputs <c>model</c> and <c>adapter</c>: found to be of each other before any weight is loaded.
/// </summary>
internal sealed class TunedInput
{
    private readonly StageContext _context;

    private TunedInput(EncoderInput encoder, TrainingDescription training, StageContext context) => (Encoder, Training, _context) = (encoder, training, context);

    /// <summary>The encoder.</summary>
    public EncoderInput Encoder { get; }

    /// <summary>What its training says of itself.</summary>
    public TrainingDescription Training { get; }

    /// <summary>The encoder's tokenizer.</summary>
    public Tokenizer Tokenizer => field ??= Encoder.Tokenizer();

    /// <summary>Opens both.</summary>
    /// <param name="context">The stage.</param>
    /// <param name="fusedOn">Where it will compute, if by the fused kernels: these are compiled beside whatever is done until then. Null where it reads
    /// what they do not give.</param>
    /// <exception cref="StageException">One is no such input, they are not of each other, or the fine-tuning's rows are longer than the encoder reads.</exception>
    public static TunedInput Open(StageContext context, TrainingTarget? fusedOn)
    {
        var encoder = EncoderInput.Open(context.Input("model"), context);
        var training = TrainingDescription.Read(context.Input("adapter"));
        encoder.RequireBaseOf(context.Input("adapter"));
        encoder.RequireLength(training.MaxLength, context);
        if (fusedOn is not null) FusedEncoder.Prepare(fusedOn.Device, fusedOn.Dtype, encoder.Config);
        return new(encoder, training, context);
    }

    /// <summary>Loads the model; the caller disposes it.</summary>
    /// <inheritdoc cref="TunedModel.Load"/>
    public TunedModel Load(TrainingTarget target, Func<Func<Trunk>, Trunk>? share = null) => TunedModel.Load(Encoder, _context, target, Training.Labels.Count, share);

    /// <summary>Loose texts as the model reads them: cut to the length that it was trained on.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="cancellation">Stops.</param>
    public TokenizedRows Tokenized(IReadOnlyList<string> texts, CancellationToken cancellation) =>
        TokenizedRows.OfTexts(texts, Tokenizer, Training.MaxLength, ComputeHost.TextThreads(_context.Compute), cancellation);
}
