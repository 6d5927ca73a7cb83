using System.CommandLine;
using System.Globalization;
using Ssti.Cli.Commands;
using Ssti.Cli.Display;
using Ssti.Engine.Maintenance;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Records;

namespace Ssti.Cli;

/// <summary>Finds the runs that the command line means, of all or of one pipeline.</summary>
internal sealed class RunNames
{
    private readonly OpenStore _store;
    private readonly RunHistory _history;
    private readonly Action<string> _note;

    // Of a pipeline that its file names: two files may have pipelines of one name.
    private string? _place;

    private RunNames(OpenStore store, string? pipeline, Action<string> note) => (_store, _history, Pipeline, _note) = (store, new RunHistory(store.Workspace), pipeline, note);

    /// <summary>The pipeline whose runs are meant; null for those of all.</summary>
    public string? Pipeline { get; }

    /// <summary>Runs of a store, of the pipeline that <c>--pipeline</c> names.</summary>
    /// <exception cref="UserException">It names none.</exception>
    public static RunNames In(OpenStore store, ParseResult parsed, CliHost host) =>
        new(store, Named(parsed.GetValue(CommonOptions.OfPipeline), host), note => CommonOptions.Note(parsed, host, note))
        {
            _place = parsed.GetValue(CommonOptions.OfPipeline) is { Length: > 0 } of ? PlaceOf(of, host) : null,
        };

    /// <summary>The run of a name: <c>last</c>, <c>last~2</c>, a number, a name or the beginning of one.</summary>
    /// <exception cref="UserException">There is none, or there are several.</exception>
    public PastRun Find(string name)
    {
        var found = TryFind(name, out var several);
        if (found is not null) return found;
        if (several.Count > 1) throw Ambiguous(name, several);
        if (several.Count == 1) throw new UserException($"the journal of run {several[0]} in {_store.Workspace.Runs} cannot be read");
        var there = _history.Ids;
        if (there.Count == 0) throw new UserException($"no run '{name}': nothing was run yet in {_store.Workspace.Root}");
        if (Pipeline is not null) MustHaveRuns();
        throw new UserException(Back(name) is null ? $"no run '{name}' in {_store.Workspace.Root}{Words.Meant(name, there.Append("last"))}; there are {Words.List(there)}"
            : $"no run '{name}'{Of} in {_store.Workspace.Root}; there {(Runs().Take(2).Count() == 1 ? "is" : "are")} only "
                + $"{Amounts.Of(Runs().Count(), "run")} ('ssti runs' lists them)");
    }

    /// <summary>The run of a name in a bucket. A run of this machine will do whose results somebody pushed there without its journal.</summary>
    /// <param name="there">The bucket's runs.</param>
    /// <param name="name">Its name.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="UserException">There is none, or there are several.</exception>
    public async Task<PastRun> FindAsync(SharedRuns there, string name, CancellationToken cancellation)
    {
        // A whole name is a question of its own; for part of one, all are looked at.
        if (await there.ReadAsync(name, cancellation) is { } exactly) return MustBeOfPipeline(exactly);
        var ids = await there.IdsAsync(cancellation);
        if (Back(name) is { } back)
        {
            foreach (var id in ids)
            {
                if (Pipeline is null && back-- > 0) continue;
                var run = await there.ReadAsync(id, cancellation);
                if (Pipeline is null && run is null) throw new UserException($"the journal of run {id} in {there.Location} cannot be read");
                if (run is not null && (Pipeline is null || (run.Pipeline == Pipeline && back-- == 0))) return Said(name, run);
            }
        }
        else
        {
            var named = RunHistory.Named(ids, name);
            if (named.Count > 1) throw Ambiguous(name, named);
            if (named.Count == 1)
            {
                return MustBeOfPipeline(await there.ReadAsync(named[0], cancellation)
                    ?? throw new UserException($"the journal of run {named[0]} in {there.Location} cannot be read"));
            }
        }

        return TryFind(name, out _) ?? throw new UserException($"no run '{name}'{Of} in {there.Location}; "
            + (ids.Count == 0 ? "none was pushed there ('ssti push <bucket> --run <run>')" : $"there are {Words.List(ids)}"));
    }

    /// <summary>The same, or null; <paramref name="several"/> are the runs that the name may mean.</summary>
    /// <exception cref="UserException">The run is of another pipeline than the one named.</exception>
    public PastRun? TryFind(string name, out IReadOnlyList<string> several)
    {
        several = [];
        if (Back(name) is { } back) return Runs().Skip(back).FirstOrDefault() is { } last ? Said(name, last) : null;
        several = _history.Named(name);
        return several is [var only] && _history.Read(only) is { } run ? MustBeOfPipeline(run) : null;
    }

    /// <summary>All runs, or those of the pipeline, that can be read: newest first, each read when it is asked for.</summary>
    public IEnumerable<PastRun> Runs() => Pipeline is null ? _history.Runs() : _history.RunsOf(Pipeline, _place);

    /// <summary>Which of the pipelines of its name a file has; null for what names no file.</summary>
    public static string? PlaceOf(string pipeline, CliHost host) =>
        PipelineFile.Is(pipeline, host) ? ProjectFolder.PlaceOf(PipelineFile.Find(pipeline, host)) : null;

    /// <summary>Ends the command unless the pipeline was run: an empty list would say that it was not, of one that is misspelt.</summary>
    /// <exception cref="UserException">It was not.</exception>
    public void MustHaveRuns()
    {
        if (Pipeline is null || Runs().Any()) return;
        var pipelines = _history.Runs().Select(run => run.Pipeline).Distinct().ToList();
        throw new UserException($"no run of the pipeline '{Pipeline}' in {_store.Workspace.Root}{Words.Meant(Pipeline, pipelines)}"
            + (pipelines.Count == 0 ? "; nothing was run there yet" : $"; there are runs of {Words.List(pipelines)}"));
    }

    private string Of => Pipeline is null ? "" : $" of {Pipeline}";

    private static string? Named(string? pipeline, CliHost host)
    {
        if (pipeline is null) return null;
        if (pipeline.Length == 0) throw new UserException("--pipeline: an empty name; leave it out for the runs of all");
        if (!PipelineFile.Is(pipeline, host)) return pipeline;
        return PipelineLoader.NameOf(PipelineFile.Find(pipeline, host)) ?? throw new UserException($"--pipeline: {pipeline} is no pipeline; 'ssti plan {pipeline}' says why");
    }

    private PastRun MustBeOfPipeline(PastRun run) => Pipeline is null || run.Pipeline == Pipeline ? run
        : throw new UserException($"run {run.Id} is one of {run.Pipeline}, not of {Pipeline}");

    // 'last' is whatever ran last, perhaps of another pipeline or by somebody else: so it is said which that is.
    private PastRun Said(string name, PastRun run)
    {
        var file = run.IsOf(run.Pipeline, _place) ? "" : $" (the file {run.Place})";
        _note(string.Create(CultureInfo.InvariantCulture, $"{name} is run {run.Id} of {run.Pipeline}{file}, begun at {run.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC"));
        return run;
    }

    // How far 'last' and 'last~2' go back; null for other names.
    private static int? Back(string name) => name == "last" ? 0
        : name.StartsWith("last~", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var back) ? back : null;

    private static UserException Ambiguous(string name, IReadOnlyList<string> several) => new($"'{name}' may be any of {Words.List(several)}; write more of the name");
}
