using Ssti.Nets.Fused;
using Ssti.Training.Batches;

namespace Ssti.Training.Banks;

/// <summary>The rows of a training's pass.</summary>
/// <param name="Count">How many.</param>
/// <param name="Length">Tokens of a padded row.</param>
internal abstract record PassRows(long Count, long Length);

/// <summary>Rows for the model as libtorch computes it.</summary>
internal sealed record PlainRows(Batch Batch) : PassRows(Batch.Ids.shape[0], Batch.Ids.shape[1]);

/// <summary>Rows for passes that are written out.</summary>
/// <param name="Encoder">The training's own encoder.</param>
/// <param name="Tokens">The rows.</param>
internal sealed record FusedRows(FusedEncoder Encoder, TokenBatch Tokens) : PassRows(Tokens.Rows, Tokens.Length);
