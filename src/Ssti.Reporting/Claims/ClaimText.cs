using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Metrics;
using Ssti.Reporting.Tables;

namespace Ssti.Reporting.Claims;

/// <summary>A claim as a file.</summary>
public static class ClaimText
{
    /// <summary>The verdict in words.</summary>
    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Held => "held",
        Verdict.DidNotHold => "did not hold",
        _ => "not decidable at this size",
    };

    /// <summary>Indented JSON in camelCase, LF, a newline at the end.</summary>
    public static string ToJson(Claim claim) => JsonSerializer.Serialize(claim, ClaimJson.Default.Claim) + "\n";

    /// <summary>Reads <see cref="ToJson"/>.</summary>
    /// <exception cref="FormatException">It is not such a file.</exception>
    public static Claim FromJson(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ClaimJson.Default.Claim) ?? throw new FormatException("not a claim: null");
        }
        catch (JsonException error)
        {
            throw new FormatException($"not a claim: {error.Message}", error);
        }
    }

    /// <summary>The cases as a table, the verdict in its title and the test below.</summary>
    public static Table ToTable(Claim claim)
    {
        var published = claim.Cases.Any(one => one.Published is not null);
        List<Column> columns = [new("case", "case", Align.Left)];
        if (published) columns.Add(new("published", "published", Align.Left));
        columns.AddRange(
        [
            new("left", "ours [range over runs]", Unit: claim.Unit), new("right", "against", Unit: claim.Unit), new("difference", "difference [95 % interval]", Unit: claim.Unit),
            new("runs", "n", Unit: "runs"), new("verdict", "verdict", Align.Left),
        ]);
        var format = Measure.FormatOf(claim.Unit);
        return new Table($"{Words(claim.Verdict)}: {claim.Sentence}", columns,
        [
            .. claim.Cases.Select(one => (IReadOnlyList<Cell>)
            [
                new TextCell(one.Name),
                .. published ? [new TextCell(one.Published ?? "")] : Array.Empty<Cell>(),
                Mean(format, one.Left, one.LeftRange), Mean(format, one.Right, one.RightRange),
                new NumberCell(format, one.Difference, null, one.Low is { } low && one.High is { } high ? new Spread(SpreadKind.Confidence, low, high) : null),
                new NumberCell(NumberFormat.Count, one.Runs), new TextCell(Words(one.Verdict)),
            ]),
        ],
        [
            $"{claim.Measure}: {claim.Definition}.", $"Test: {claim.Test}.",
            .. claim.Source is { } source ? [$"Claimed in: {source}."] : Array.Empty<string>(),
        ]) { Profile = claim.Profile };
    }

    private static NumberCell Mean(NumberFormat format, double value, Interval? range) =>
        new(format, value, null, range is { } known ? new Spread(SpreadKind.Range, known.Low, known.High) : null);

    /// <summary>The table as Markdown.</summary>
    public static string ToMarkdown(Claim claim) => ToTable(claim).ToMarkdown();
}

[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Claim))]
internal sealed partial class ClaimJson : JsonSerializerContext;
