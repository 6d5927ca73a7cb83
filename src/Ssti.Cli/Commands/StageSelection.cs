using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Planning;
using Ssti.Engine.Records;

namespace Ssti.Cli.Commands;

/// <summary>The stages that a command line names: behind the pipeline, or with <c>--stage</c>, which every verb about stages takes.</summary>
internal sealed class StageSelection
{
    private readonly IReadOnlyList<Glob> _globs;

    private StageSelection(IEnumerable<string> globs) => _globs = [.. globs.Select(glob => new Glob(glob))];

    /// <summary>Whether none is named: then all are meant.</summary>
    public bool IsAll => _globs.Count == 0;

    /// <summary>The globs, as a selection of what they name and what that needs.</summary>
    public RunSelection Until => new() { Until = [.. _globs.Select(glob => glob.ToString())] };

    /// <summary>Reads them.</summary>
    /// <exception cref="UserException">One is empty.</exception>
    public static StageSelection Of(ParseResult parsed, string? positional = null)
    {
        var globs = (parsed.GetValue(CommonOptions.Stages) ?? []).Concat(positional is null ? [] : [positional]).ToList();
        if (globs.Contains("")) throw new UserException("an empty name selects no stage; leave it out for all");
        return new(globs);
    }

    /// <summary>Whether a stage of a pipeline is meant.</summary>
    public bool Has(StageInstance instance) => IsAll || _globs.Any(glob => glob.Matches(instance));

    /// <summary>The stages of a run that are meant.</summary>
    /// <exception cref="UserException">A glob selects none.</exception>
    public IReadOnlyList<PastStage> In(PastRun run)
    {
        if (_globs.FirstOrDefault(glob => !run.Stages.Any(stage => Matches(glob, stage))) is { } none)
        {
            var names = run.Stages.Select(NameOf).Distinct().ToList();
            throw new UserException($"run {run.Id} has no stage '{none}'{Words.Meant(none.ToString(), names.Concat(run.Stages.Select(stage => stage.Stage)))}; "
                + (names.Count == 0 ? "it has none at all" : $"it has: {string.Join(", ", names.Take(40))}"));
        }

        return IsAll ? run.Stages : [.. run.Stages.Where(stage => _globs.Any(glob => Matches(glob, stage)))];
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _globs);

    private static bool Matches(Glob glob, PastStage stage) => glob.Matches(NameOf(stage), stage.Stage);

    private static string NameOf(PastStage stage) => stage.Stage.Split('@')[0];
}
