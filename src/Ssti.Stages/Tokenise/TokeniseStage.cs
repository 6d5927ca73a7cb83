using Ssti.Corpus;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Engine.Stages;
using Ssti.Nets.Models;
using Ssti.Nets.Safetensors;
using Ssti.Training;
using Ssti.Training.Batches;

namespace Ssti.Stages;

/// <summary>
/// Turns the rows of a split into what a model reads of them, once for all evaluations of that model: see <see cref="StoredTokens"/>.
/// </summary>
public sealed class TokeniseStage : StageKind<TokeniseParameters>
{
    /// <inheritdoc/>
    public override string Name => "tokenise";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Tokenises the rows of a split once, for all evaluations of a model on them.";

    /// <inheritdoc/>
    public override bool UsesSeed(TokeniseParameters parameters) => false;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
    [
        new("data", "The dataset (uses: dataset, corpus or inject)"),
        new("model", "The pretrained encoder whose tokenizer is used (uses: model or pretrain)"),
    ];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(TokeniseParameters parameters)
    {
        if (parameters.MaxLength < 3) yield return new("max-length", "must be at least 3");
    }

    /// <inheritdoc/>
    public override Task RunAsync(TokeniseParameters parameters, StageContext context, CancellationToken cancellation) => Task.Run(
        () =>
        {
            try
            {
                var encoder = EncoderInput.Open(context.Input("model"), context);
                encoder.RequireLength(parameters.MaxLength, context);
                var dataset = DatasetReader.Open(context.Input("data").PathOf);
                var tokenizer = encoder.Tokenizer();
                var rows = TokenizedRows.Of(dataset.Read(parameters.Split), tokenizer, parameters.MaxLength, ComputeHost.TextThreads(context.Compute), cancellation);
                var stored = StoredTokens.Of(context.Input("data"), dataset.Info, parameters.Split, tokenizer, rows);
                stored.Write(context.OutputFolder, rows);
                context.Log($"{Amount.Rows(rows.Count)} of '{parameters.Split}', {rows.Truncated} of them cut to {parameters.MaxLength} tokens; {stored.Tokens} tokens");
                context.Metrics["rows"] = rows.Count;
                context.Metrics["truncatedRows"] = rows.Truncated;
                context.Metrics["tokens"] = stored.Tokens;
            }
            catch (Exception e) when (e is TrainingException or ModelException or SafetensorsException or CorpusException or InvalidDataException)
            {
                throw new StageException(e.Message, e);
            }
        },
        CancellationToken.None);
}
