using Ssti.Engine.Pipelines;
using Ssti.Reporting.Measures;
using Ssti.Stages;
using Ssti.Tests;

namespace Ssti.Snapshots.Tests;

/// <summary>
/// Every published pipeline by every profile, planned and not run: expressions resolve, parameters are what their kinds take, and every dimension, cell and measure that a
/// table, a figure or a claim names is there.
/// </summary>
public sealed class PipelineTests
{
    private static readonly string[] Required = ["smoke", "gpu", "paper"];

    /// <summary>The pipelines by name.</summary>
    public static IReadOnlyList<string> All() =>
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "pipelines"), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    /// <summary>The profiles of a pipeline.</summary>
    public static IEnumerable<string> Profiles(string name) => RealRun.Load($"pipelines/{name}.yaml").Profiles.Keys;

    public static TheoryData<string, string?> ByProfile()
    {
        var data = new TheoryData<string, string?>();
        foreach (var name in All())
        {
            data.Add(name, null);
            foreach (var profile in Profiles(name)) data.Add(name, profile);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(ByProfile))]
    public void A_pipeline_can_be_planned_and_asks_for_measures_that_there_are(string name, string? profile)
    {
        var pipeline = RealRun.Load($"pipelines/{name}.yaml", profile);
        Assert.NotEmpty(pipeline.Instances);
        foreach (var instance in pipeline.Instances)
        {
            var measures = instance.Parameters switch
            {
                FigureParameters { Measure: { } measure } => [measure],
                ClaimParameters claim => [claim.Measure],
                TableParameters table => [.. table.Columns.Select(column => column.Measure)],
                _ => Array.Empty<string>(),
            };
            var known = instance.Inputs.SelectMany(input => input.From).Select(index => pipeline.Instances[index].Kind.Name).Distinct().SelectMany(MeasuresOf).ToHashSet();
            Assert.All(measures, measure => Assert.True(known.Contains(measure), $"{name}, {instance.Name}: no input measures '{measure}'; there are: {string.Join(", ", known)}"));
        }
    }

    /// <summary>What the quickstart does is small whatever the machine.</summary>
    [Fact]
    public void Every_pipeline_but_the_quickstart_has_the_three_profiles() =>
        Assert.All(All().Where(name => name != "quickstart"), name => Assert.Superset(Required.ToHashSet(), Profiles(name).ToHashSet()));

    [Fact]
    public void Every_pipeline_has_its_row_in_the_docs_and_says_first_what_it_is()
    {
        var docs = File.ReadAllText(Path.Combine(Repository.Root, "docs/paper.md"));
        foreach (var name in All())
        {
            Assert.Contains($"`{name}`", docs);
            var text = File.ReadAllText(Path.Combine(Repository.Root, $"pipelines/{name}.yaml"));
            Assert.StartsWith("# ", text);
            Assert.Contains($"pipelines/{name}.yaml", text);
        }
    }

    /// <summary>Of evaluations from the code; of the others what docs/outputs.md says, which is held to what they write.</summary>
    private static IEnumerable<string> MeasuresOf(string kind) => kind == "evaluate" ? EvaluationMeasures.All.Select(measure => measure.Name) : OutputsPage.NamesOf(kind);
}
