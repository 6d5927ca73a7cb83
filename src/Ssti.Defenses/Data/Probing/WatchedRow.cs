namespace Ssti.Defenses.Data.Probing;

/// <summary>What a training row did to the probe, and the probe with it.</summary>
/// <param name="Id">The row.</param>
/// <param name="Label">Its class.</param>
/// <param name="Flagged">Whether the audit without a model flags it.</param>
/// <param name="Losses">Its loss before training and at every check, in nats.</param>
public sealed record WatchedRow(string Id, int Label, bool Flagged, IReadOnlyList<double> Losses)
{
    /// <summary>How far its loss had fallen at the first check: shortcuts are learnt first.</summary>
    public double EarlyDrop => Losses[0] - Losses[1];

    /// <summary>Cartography's confidence (Swayamdipta et al. 2020): the mean probability of its label over the checks.</summary>
    public double Confidence => Probabilities.Average();

    /// <summary>Cartography's variability: the standard deviation of that probability over the checks.</summary>
    public double Variability
    {
        get
        {
            var mean = Confidence;
            return Math.Sqrt(Probabilities.Average(p => (p - mean) * (p - mean)));
        }
    }

    /// <summary>Its spectral signature among the watched rows of its class.</summary>
    public double Spectral { get; init; }

    /// <summary>Whether it is in the smaller of the two groups of its class.</summary>
    public bool InSmallerGroup { get; init; }

    private IEnumerable<double> Probabilities => Losses.Skip(1).Select(loss => Math.Exp(-loss));
}
