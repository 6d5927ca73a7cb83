using System.Text.Json.Nodes;
using Ssti.Signing;

namespace Ssti.Cli.Display;

/// <summary>What 'verify --signatures' found.</summary>
internal static class SignatureText
{
    public static void Write(TextWriter output, SignatureReport report, bool quiet)
    {
        foreach (var bad in report.Bad)
            output.WriteLine($"bad signature: of {bad.Signer} beside the record of {bad.Stage ?? "a stage"} (key {bad.Key.Short}): {bad.Problem}");
        if (quiet && report.Bad.Count == 0) return;
        var good = string.Join(", ", report.Good.Select(pair => $"{pair.Value} by {pair.Key}"));
        output.WriteLine(
            $"signatures: {(good.Length == 0 ? "none good" : good)}; {Amounts.Of(report.Bad.Count, "bad one")}; "
            + $"{Amounts.Of(report.Unsigned, "record")} without a good one");
    }

    public static JsonObject Json(SignatureReport report) => new()
    {
        ["good"] = new JsonObject(report.Good.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        ["unsigned"] = report.Unsigned,
        ["bad"] = new JsonArray([.. report.Bad.Select(bad => new JsonObject
        {
            ["key"] = bad.Key.ToString(), ["stage"] = bad.Stage, ["signer"] = bad.Signer, ["problem"] = bad.Problem,
        })]),
    };
}
