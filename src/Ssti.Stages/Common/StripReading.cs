using Ssti.Defenses.Adapters;
using Ssti.Defenses.Cures;
using Ssti.Engine.Stages;
using Ssti.Injection.Randomness;

namespace Ssti.Stages;

/// <summary>
/// STRIP as stages ask it: as many foreign words as a row has of its own, and for each row the same disturbances wherever it stands, with a token in it or
/// without.
/// </summary>
/// <param name="Pool">Clean rows that foreign words are drawn from.</param>
/// <param name="Copies">Disturbed copies of a row.</param>
/// <param name="Classify">The classifier.</param>
/// <param name="Context">The stage, which is told how far it is.</param>
internal sealed record StripReading(IReadOnlyList<string> Pool, int Copies, Classify Classify, StageContext Context)
{
    private const double Foreign = 1;

    /// <summary>The mean entropy of each row's predictions, in bits.</summary>
    /// <param name="what">What the rows are, for whoever waits.</param>
    /// <param name="texts">The rows.</param>
    /// <param name="ids">Their ids, which the disturbances hang on.</param>
    /// <exception cref="Ssti.Defenses.DefenseException">The pool holds no word.</exception>
    public double[] Entropies(string what, IReadOnlyList<string> texts, IReadOnlyList<string> ids) => Strip.Entropies(
        texts, Pool, Copies, Foreign, row => new CPythonRandom(RowStreams.SeedOf(0, "strip", ids[row])).NextBelow, Classify,
        done => Context.Progress(new(done, texts.Count, "rows", what)));
}
