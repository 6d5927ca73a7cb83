using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Ssti.Cluster.Grains;
using Ssti.Cluster.Placement;
using Ssti.Cluster.Silo;
using Ssti.Cluster.Wire;
using Ssti.Engine.Running;

namespace Ssti.Cluster.Client;

/// <summary>One stage on its way through a cluster, as its submitter sees it.</summary>
internal sealed class Submission(IGrainFactory client, string submitter, WorkOrder order, StageMessage message, IStageWatcher watcher, Func<string, string> local)
{
    // A cluster may be restarted, or its only training machine: work that is not lost is worth waiting for.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(4.5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    private readonly StageNeeds _needs = SiloDuties.NeedsOf(order);
    private readonly IStageGrain _grain = client.GetGrain<IStageGrain>(StageName.Of(order).ToString());
    private StageReport? _last;
    private SiloAddress? _silo, _avoid;
    private DateTime _heard = DateTime.UtcNow;
    private int _losses, _strangers;
    private bool _waiting;

    public async Task<StageOutcome> RunAsync(int mostLosses, CancellationToken cancellation)
    {
        while (true)
        {
            if (cancellation.IsCancellationRequested) return await LeaveAsync().ConfigureAwait(false);
            var report = await AskAsync(cancellation).ConfigureAwait(false);
            if (report is null) continue;
            foreach (var happened in report.Events) happened.Tell(watcher, local);
            switch (report.State)
            {
                case ReportState.Finished:
                    var outcome = report.Outcome!.ToOutcome();
                    return outcome with { Error = outcome.Error is null ? null : local(outcome.Error), Warnings = [.. outcome.Warnings.Select(local)],
                        Attempts = outcome.Attempts == 0 ? 0 : outcome.Attempts + _losses };
                case ReportState.Refused:
                    return Failure(report.Error!);
                case ReportState.Unknown when _last is not null:
                    // Whoever answers has taken the place of the one that has the work. If that one lives, the next question finds it there.
                    if (_strangers++ < 20 && await LivesAsync(_silo!).ConfigureAwait(false)) await PauseAsync(cancellation).ConfigureAwait(false);
                    else if (Lost("the silo that ran it was lost", mostLosses) is { } end) return end;
                    break;
                case ReportState.Elsewhere:
                    if (_last is not null) watcher.Wrote($"[handed back by {_silo?.Endpoint}, which is stopping or overloaded; goes on elsewhere]");
                    (_last, _avoid, _silo) = (null, report.Silo, null);
                    await PauseAsync(cancellation).ConfigureAwait(false);
                    break;
                default:
                    _last = report;
                    _strangers = 0;
                    _silo = report.Silo;
                    break;
            }
        }
    }

    /// <summary>Asks once; null when there was no answer worth having.</summary>
    private async Task<StageReport?> AskAsync(CancellationToken cancellation)
    {
        try
        {
            if (_silo is null)
            {
                var choice = await client.GetGrain<IRosterGrain>(0).ChooseAsync(_needs, _avoid).ConfigureAwait(false);
                _avoid = null;
                if (choice.Error is { } error) return new StageReport { State = ReportState.Refused, Silo = SiloAddress.Zero, Error = error };
                if (choice.Silo is null) return await NobodyAsync(cancellation).ConfigureAwait(false);
                _silo = choice.Silo;
            }

            // Wherever the grain must be placed anew, it is placed where the work is, or is to be.
            RequestContext.Set(IPlacementDirector.PlacementHintKey, _silo);
            var report = _last is null
                ? await _grain.SubmitAsync(submitter, message).WaitAsync(cancellation).ConfigureAwait(false)
                : await _grain.PollAsync(submitter, _last.Execution, _last.Next).WaitAsync(cancellation).ConfigureAwait(false);
            _heard = DateTime.UtcNow;
            return report;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (IsOfTheCluster(e))
        {
            if (DateTime.UtcNow - _heard > Patience)
                return new StageReport { State = ReportState.Refused, Silo = SiloAddress.Zero,
                    Error = $"the cluster has not answered for {Patience.TotalMinutes:0} minutes ({e.Message.Split('\n')[0]})" };
            // Submitted or not, nobody knows: the key's grain does, wherever it comes to be.
            if (_last is null) (_avoid, _silo) = (_silo, null);
            await PauseAsync(cancellation).ConfigureAwait(false);
            return null;
        }
    }

    private async Task<StageReport?> NobodyAsync(CancellationToken cancellation)
    {
        if (!_waiting) watcher.Waiting($"no silo that runs '{_needs.Kind}' is there, or all are stopping");
        _waiting = true;
        if (DateTime.UtcNow - _heard > Patience)
        {
            return new StageReport
            {
                State = ReportState.Refused, Silo = SiloAddress.Zero,
                Error = $"no silo of the cluster has run '{_needs.Kind}' for {Patience.TotalMinutes:0} minutes; start a service that hosts it",
            };
        }

        await PauseAsync(cancellation).ConfigureAwait(false);
        return null;
    }

    private async Task<bool> LivesAsync(SiloAddress silo)
    {
        try
        {
            return (await client.GetGrain<IRosterGrain>(0).LookAsync().ConfigureAwait(false)).Any(report => report.Silo.Equals(silo));
        }
        catch (Exception e) when (IsOfTheCluster(e))
        {
            return true;
        }
    }

    private StageOutcome? Lost(string what, int mostLosses)
    {
        _losses++;
        var where = _silo is null ? "" : $" ({_silo.Endpoint})";
        if (_losses >= mostLosses) return Failure($"{what}{where}, the {_losses}. time; the stage may be what kills them: look at their memory and logs");
        watcher.Wrote($"[{what}{where}; goes on elsewhere from its checkpoint]");
        watcher.Retried(_losses, $"{what}{where}");
        (_last, _avoid, _silo) = (null, _silo, null);
        return null;
    }

    /// <summary>Takes leave, and waits for the work to stop when nobody else wants it.</summary>
    private async Task<StageOutcome> LeaveAsync()
    {
        var interrupted = new StageOutcome { State = StageState.Cancelled, Error = "interrupted" };
        if (_last is null) return interrupted;
        var until = DateTime.UtcNow + Farewell;
        try
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, _silo!);
            var stops = await _grain.LeaveAsync(submitter, _last.Execution).WaitAsync(Farewell).ConfigureAwait(false);
            // What others want goes on, and there is nothing to wait for. Looking on keeps nothing alive.
            while (stops && DateTime.UtcNow < until)
            {
                var report = await _grain.PeekAsync(_last.Execution, _last.Next).WaitAsync(Farewell).ConfigureAwait(false);
                foreach (var happened in report.Events) happened.Tell(watcher, local);
                if (report.State != ReportState.Working) break;
                _last = report;
            }
        }
        catch (Exception e) when (IsOfTheCluster(e))
        {
            // A silo that cannot be told stops by itself when nobody asks for the work any more.
        }

        return interrupted;
    }

    private static async Task PauseAsync(CancellationToken cancellation) =>
        await Task.Delay(Pause, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static StageOutcome Failure(string error) => new() { State = StageState.Failed, Error = error };

    private static bool IsOfTheCluster(Exception e) =>
        e is TimeoutException or OperationCanceledException or ObjectDisposedException || e.GetType().Namespace?.StartsWith("Orleans", StringComparison.Ordinal) == true;
}
