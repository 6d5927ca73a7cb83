using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <summary>
/// Knows every silo, what it can do and how busy it is, from what they report each second. There is one, and it remembers nothing that they do not tell again.
/// </summary>
internal interface IRosterGrain : IGrainWithIntegerKey
{
    /// <summary>A silo tells how it is; answered with how all are.</summary>
    Task<List<SiloReport>> ReportAsync(SiloReport report);

    /// <summary>How all silos are.</summary>
    Task<List<SiloReport>> LookAsync();

    /// <summary>Where to submit a stage: the silo with most room among those that can do it.</summary>
    /// <param name="needs">What it needs.</param>
    /// <param name="avoid">A silo that was lost, as far as the caller knows.</param>
    Task<Choice> ChooseAsync(StageNeeds needs, SiloAddress? avoid);
}
