using Ssti.Nets.Models;

namespace Ssti.Stages;

/// <summary>What the head of a training looks at.</summary>
public enum TrainedPooling
{
    /// <summary>The mean over all positions, padding included, and the last position: the published protocol's.</summary>
    MeanAndLast = HeadPooling.MeanAndLast,

    /// <summary>The mean over the positions that are no padding.</summary>
    MaskedMean = HeadPooling.MaskedMean,
}
