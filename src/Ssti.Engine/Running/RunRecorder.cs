using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;
using Ssti.Store;
using Ssti.Store.Files;

namespace Ssti.Engine.Running;

/// <summary>
/// Writes a run down, in its journal and in the history of its stages. A run that has nothing to do gives what is cached, written down or not: a full disk
/// is no reason to keep it from anybody. Of a run that executes something every line counts.
/// </summary>
/// <param name="journal">The journal.</param>
/// <param name="history">The history.</param>
/// <param name="workspace">Where both are.</param>
/// <param name="isNeeded">Whether the run executes something.</param>
internal sealed class RunRecorder(RunJournal journal, StageHistory history, Workspace workspace, bool isNeeded)
{
    /// <summary>The run's name.</summary>
    public string Id => journal.Id;

    /// <summary>Why the run is not written down, or null.</summary>
    public string? Missing => journal.Missing;

    /// <summary>What kept a stage's end from being written down, where it had to be: the run is to stop.</summary>
    public StoreException? Fatal { get; private set; }

    /// <summary>Where not even the first line can be written, nothing of the run stays.</summary>
    /// <exception cref="StoreException">It cannot, and would have to be.</exception>
    public void Begin(Pipeline pipeline, Plan plan, RunOptions options)
    {
        try
        {
            journal.Begin(pipeline, options, LocalWorker.Versions);
            journal.Plan(plan);
        }
        catch (StoreException e)
        {
            journal.GiveUp(e.Message);
            if (isNeeded) throw;
        }
    }

    public void Warning(string message) => Write(() => journal.Warning(message));

    public void Stage(StageResult result)
    {
        try
        {
            Write(() =>
            {
                journal.Stage(result);
                if (journal.Missing is null && result is { Key: { } key, Tree: { } tree })
                    history.Note(result.Instance.Name, new HistoryEntry(key, tree, journal.Id), result.OwnSeconds);
            });
        }
        catch (StoreException e)
        {
            // A run that cannot be written down stops, but what is under way is let to its end.
            Fatal ??= e;
        }
    }

    public void End(RunOutcome outcome, double seconds) => Write(() => journal.End(outcome, seconds));

    private void Write(Action write)
    {
        try
        {
            workspace.Guarded(() =>
            {
                write();
                return 0;
            });
        }
        catch (StoreException e) when (!isNeeded)
        {
            journal.GiveUp(e.Message);
        }
    }
}
