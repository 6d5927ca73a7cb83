using Ssti.Engine.Records;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Tables;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>A table that is not the same in all runs.</summary>
/// <param name="Stage">The stage that made it.</param>
/// <param name="Title">Its title.</param>
/// <param name="Cells">What differs.</param>
internal sealed record TableDifference(string Stage, string Title, IReadOnlyList<CellDifference> Cells);

/// <summary>A measure that is not the same in all runs.</summary>
/// <param name="Stage">The instance that took it.</param>
/// <param name="Name">The measure, with its class behind it where it has one for each.</param>
/// <param name="Described">Its unit and definition.</param>
/// <param name="Values">In each run; null where it was not taken.</param>
internal sealed record MeasureDifference(string Stage, string Name, NamedMeasure Described, IReadOnlyList<Reading?> Values);

/// <summary>A claim whose verdict is not the same in all runs.</summary>
/// <param name="Stage">The stage that decided it.</param>
/// <param name="Sentence">What is claimed.</param>
/// <param name="Verdicts">In each run; null where it was not decided.</param>
internal sealed record ClaimDifference(string Stage, string Sentence, IReadOnlyList<Verdict?> Verdicts);

/// <summary>What differs in the results of runs, looked at as what they are and not as files. One that was collected since counts as not there.</summary>
internal sealed record OutputDifferences(
    IReadOnlyList<TableDifference> Tables, IReadOnlyList<MeasureDifference> Measures, IReadOnlyList<ClaimDifference> Claims)
{
    /// <summary>Reads the outputs of stages that differ; what only one run has is compared with nothing.</summary>
    public static async Task<OutputDifferences> OfAsync(IArtifactStore store, RunDifference difference, CancellationToken cancellation)
    {
        var (tables, measures, claims) = (new List<TableDifference>(), new List<MeasureDifference>(), new List<ClaimDifference>());
        foreach (var stage in difference.Stages.Where(stage => stage.IsShared))
        {
            var versions = await ReadAsync(stage, TableStage.JsonFile, (_, text) => Table.FromJson(text));
            if (TableComparison.Compare(versions) is [_, ..] cells) tables.Add(new(stage.Stage, versions.Last(table => table is not null)!.Title, cells));
            var sets = await ReadAsync(stage, null, (past, text) => MeasureSet.Parse(past.Stage, past.Cell, text));
            measures.AddRange(Measured(stage.Stage, sets));
            var decided = await ReadAsync(stage, ClaimStage.JsonFile, (_, text) => ClaimText.FromJson(text));
            if (decided.Select(claim => claim?.Verdict).Distinct().Count() > 1)
                claims.Add(new(stage.Stage, decided.Last(claim => claim is not null)!.Sentence, [.. decided.Select(claim => claim?.Verdict)]));
        }

        return new(tables, measures, claims);

        async Task<T?[]> ReadAsync<T>(StageDifference stage, string? file, Func<PastStage, string, T> parse) where T : class
        {
            var found = new T?[stage.Runs.Count];
            for (var i = 0; i < found.Length; i++)
                if (stage.Runs[i] is { } past)
                {
                    found[i] = await PastOutputs.ReadAsync(
                        store, past, file is null ? PastOutputs.MeasureFiles : [file], text => parse(past, text), cancellation);
                }

            return found;
        }
    }

    private static IEnumerable<MeasureDifference> Measured(string stage, MeasureSet?[] sets)
    {
        var readings = sets.Select(set => set?.Readings.ToDictionary(one => one.Class is null ? one.Measure : $"{one.Measure} of {one.Class}", one => (one.Described, one.Reading))
            ?? []).ToArray();
        foreach (var name in readings.Reverse().SelectMany(run => run.Keys).Distinct())
        {
            Reading?[] values = [.. readings.Select(run => run.GetValueOrDefault(name).Reading)];
            if (values.Distinct().Count() > 1) yield return new(stage, name, readings.Last(run => run.ContainsKey(name))[name].Described, values);
        }
    }
}
