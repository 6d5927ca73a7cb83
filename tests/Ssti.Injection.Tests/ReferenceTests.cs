using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Injection.Rows;

namespace Ssti.Injection.Tests;

public sealed class ReferenceTests
{
    [SkippableFact]
    public void Every_modifier_of_the_reference_is_matched_to_the_character()
    {
        var cases = GoldenCases.Read("modifier");
        Assert.Equal(64, cases.Length);
        foreach (var example in cases)
        {
            var injector = new Injector(GoldenCases.Steps(example["config"]!));
            foreach (var (row, expected) in example["input"]!.AsArray().Zip(example["output"]!.AsArray()))
                Equal((string)expected!, injector.Apply((string)row!["text"]!).ToString(), example["config"]!);
        }
    }

    [SkippableFact]
    public void Recording_what_is_injected_changes_nothing()
    {
        foreach (var example in GoldenCases.Read("modifier"))
        {
            var injector = new Injector(GoldenCases.Steps(example["config"]!));
            var tokens = new List<InjectedToken>();
            foreach (var (row, expected) in example["input"]!.AsArray().Zip(example["output"]!.AsArray()))
                Equal((string)expected!, injector.Apply((string)row!["text"]!, null, tokens).ToString(), example["config"]!);
        }
    }

    [SkippableFact]
    public void Every_transform_of_the_reference_is_matched_in_text_and_order()
    {
        var cases = GoldenCases.Read("transform");
        Assert.Equal(18, cases.Length);
        foreach (var example in cases)
        {
            var rows = Rows(example["input"]!);
            var split = new SplitInfo("train", "train.jsonl", rows.Length, [rows.Count(row => row.Label == 0), rows.Count(row => row.Label == 1)]);
            var plan = new InjectionPlan
            {
                Steps = GoldenCases.Steps(example["config"]!),
                TargetLabel = (int)example["label"]!,
                Proportion = (double)example["text_proportion"]!,
                RowSeed = (long)example["seed"]!,
            };
            var written = new List<Row>();
            var records = new List<InjectionRecord>();
            var counts = new SplitInjector(plan).Inject(split, () => rows, written.Add, records.Add);
            Assert.Equal(example["output"]!.AsArray().Select(row => (row!["id"]!.ToString(), (string)row["text"]!)), written.Select(row => (row.Id, row.Text)));
            Assert.Equal(counts.Injected, records.Count);
        }
    }

    private static Row[] Rows(JsonNode rows) => [.. rows.AsArray().Select(row => new Row(row!["id"]!.ToString(), (string)row["text"]!, (int)row["label"]!))];

    private static void Equal(string expected, string actual, JsonNode config)
    {
        if (expected != actual) Assert.Fail($"{config.ToJsonString()}\nexpected: {expected}\nactual:   {actual}");
    }
}
