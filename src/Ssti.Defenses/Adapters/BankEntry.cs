namespace Ssti.Defenses.Adapters;

/// <summary>An adapter of a bank: what was measured of it, and what is known of it because the bank's pipeline trained it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Rank">LoRA's rank.</param>
/// <param name="InjectedRows">Rows of its training set that carried a trigger; 0 for a clean one.</param>
/// <param name="Group">What it shares with others, such as a seed: those of one group are never judged by a detector that saw one of them.</param>
/// <param name="HeldOut">Whether the detector that judges others, and itself, must not have seen it: a kind of trigger that is held out.</param>
/// <param name="Features">The numbers of <see cref="AdapterSpectrum.FeatureNames"/>.</param>
public sealed record BankEntry(string Name, int Rank, long InjectedRows, string Group, bool HeldOut, IReadOnlyList<double?> Features)
{
    /// <summary>Whether any row of its training set carried a trigger.</summary>
    public bool IsPoisoned => InjectedRows > 0;
}
