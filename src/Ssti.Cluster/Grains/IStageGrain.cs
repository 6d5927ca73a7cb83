using Orleans.Concurrency;
using Ssti.Cluster.Wire;

namespace Ssti.Cluster.Grains;

/// <summary>
/// One action key in the whole cluster, whoever asks: its name is what the key needs of a silo and the key (<see cref="Placement.StageName"/>), so that there is
/// one execution of it at a time.
/// </summary>
/// <remarks>Every call returns within seconds: the work goes on beside the grain, and callers ask for news.</remarks>
internal interface IStageGrain : IGrainWithStringKey
{
    /// <summary>Begins the stage, or joins what is under way; then like <see cref="PollAsync"/>.</summary>
    /// <param name="submitter">Who asks, a name of the caller's own.</param>
    /// <param name="stage">The stage.</param>
    Task<StageReport> SubmitAsync(string submitter, StageMessage stage);

    /// <summary>Tells news of an execution, waiting a moment for some; asking keeps the execution alive.</summary>
    /// <param name="submitter">Who asks.</param>
    /// <param name="execution">The execution, from an earlier report.</param>
    /// <param name="after">The number that the last report ended with.</param>
    [AlwaysInterleave]
    Task<StageReport> PollAsync(string submitter, Guid execution, int after);

    /// <summary>Like <see cref="PollAsync"/>, but the execution does not go on for the sake of it.</summary>
    /// <param name="execution">The execution.</param>
    /// <param name="after">The number that the last report ended with.</param>
    [AlwaysInterleave]
    Task<StageReport> PeekAsync(Guid execution, int after);

    /// <summary>Says that a submitter is not interested any more: with the last one gone, the work is interrupted.</summary>
    /// <param name="submitter">Who leaves.</param>
    /// <param name="execution">The execution.</param>
    /// <returns>Whether it was the last one.</returns>
    [AlwaysInterleave]
    Task<bool> LeaveAsync(string submitter, Guid execution);
}
