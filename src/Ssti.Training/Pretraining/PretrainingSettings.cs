namespace Ssti.Training.Pretraining;

/// <summary>Masked language modelling of a BERT from scratch (Devlin et al. 2018, section 3.1, without next-sentence prediction).</summary>
public sealed record PretrainingSettings
{
    /// <summary>Updates.</summary>
    public required int Steps { get; init; }

    /// <summary>Rows of an update.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Peak learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decoupled weight decay of matrices, times the learning rate.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Share of the updates in which the learning rate rises from 0.</summary>
    public double WarmUpShare { get; init; } = 0.1;

    /// <summary>Share of the tokens that are to be guessed; of these 80 % become [MASK], 10 % a random token, 10 % stay.</summary>
    public double MaskShare { get; init; } = 0.15;

    /// <summary>Bound of the gradients' joint 2-norm.</summary>
    public double GradientNormBound { get; init; } = 1.0;

    /// <summary>Seed of the initial weights, of the order of the rows, of the masks and of the dropouts.</summary>
    public required long Seed { get; init; }

    /// <summary>
    /// Into how many parts an update's rows are cut, each worked on by a thread of its own. On the CPU only, and part of the numerics: gradients are
    /// sums over the parts.
    /// </summary>
    public int Parts { get; init; } = 1;

    /// <summary>Updates between checkpoints; 0 for none.</summary>
    public int CheckpointEvery { get; init; } = 200;
}
