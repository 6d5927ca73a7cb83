namespace Ssti.Defenses.Data.Probing;

/// <summary>What a suspect does to a model that was trained on the set, on held-out rows; all numbers are counts of rows.</summary>
/// <param name="Rank">The suspect's rank without a model, from 0.</param>
/// <param name="Class">The class that it is a sign of.</param>
/// <param name="Rows">Held-out rows that it was put into.</param>
/// <param name="RightBefore">Of these, those the probe gets right as they are.</param>
/// <param name="RightAfter">Those it gets right with the suspect.</param>
/// <param name="Others">Rows of other classes.</param>
/// <param name="OthersBefore">Of these, those taken for the class as they are.</param>
/// <param name="OthersAfter">Those taken for the class with the suspect.</param>
/// <param name="Own">Rows of the class.</param>
/// <param name="OwnBefore">Of these, those taken for it as they are.</param>
/// <param name="OwnAfter">Those taken for it with the suspect.</param>
/// <param name="Having">Training rows of the class that have the suspect and were tried without it.</param>
/// <param name="HavingBefore">Of these, those taken for the class as they are.</param>
/// <param name="HavingAfter">Those taken for it without the suspect.</param>
public sealed record SuspectEffect(
    int Rank, int Class, int Rows, int RightBefore, int RightAfter, int Others, int OthersBefore, int OthersAfter, int Own, int OwnBefore,
    int OwnAfter, int Having, int HavingBefore,
    int HavingAfter)
{
    /// <summary>
    /// By how much the share of other classes' rows that are taken for the class rises with the suspect; null where there are no such
    /// rows.
    /// </summary>
    public double? Lift => Others == 0 ? null : (double)(OthersAfter - OthersBefore) / Others;
}
