using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;
using Ssti.Reporting.Tables;
using Ssti.Stages;

namespace Ssti.Cli.Fit;

/// <summary>Predictions as CSV (RFC 4180), or as a JSON object a line.</summary>
/// <param name="labels">The classes.</param>
/// <param name="json">Whether as JSON.</param>
/// <param name="allClasses">Whether the probability of every class is told, and not only that of the one predicted.</param>
internal sealed class PredictionLines(IReadOnlyList<string> labels, bool json, bool allClasses)
{
    private const string Probability = "0.000000";
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool? _ids;

    /// <summary>Some rows.</summary>
    public string Of(IReadOnlyList<TextRow> rows, IReadOnlyList<Prediction> predictions)
    {
        var text = new StringBuilder();
        if (_ids is null && rows.Count > 0) text.Append(Heading(rows[0].Id is not null));
        foreach (var (row, prediction) in rows.Zip(predictions)) text.Append(json ? Object(row, prediction) : Fields(row, prediction));
        return text.ToString();
    }

    /// <summary>What is left to say when there is no row more: the heading, where there was none at all.</summary>
    public string End() => _ids is null ? Heading(ids: false) : "";

    private string Heading(bool ids)
    {
        _ids = ids;
        return json ? "" : Csv.Line(["row", .. ids ? ["id"] : Array.Empty<string>(), "label", "probability", .. allClasses ? labels.Select(label => $"p_{label}") : []]);
    }

    private string Fields(TextRow row, Prediction prediction) => Csv.Line(
    [
        row.Number.ToString(CultureInfo.InvariantCulture), .. _ids == true ? [row.Id] : Array.Empty<string?>(),
        prediction.Label is { } label ? labels[label] : null, prediction.Label is { } of ? Number(prediction.Probabilities[of]) : null,
        .. allClasses ? labels.Select((_, index) => prediction.Label is null ? null : Number(prediction.Probabilities[index])) : [],
    ]);

    private string Object(TextRow row, Prediction prediction)
    {
        var line = new JsonObject { ["row"] = row.Number };
        if (row.Id is not null) line["id"] = row.Id;
        line["label"] = prediction.Label is { } label ? labels[label] : null;
        line["probability"] = prediction.Label is { } of ? Rounded(prediction.Probabilities[of]) : null;
        if (prediction.Label is null) line["reason"] = PredictionReport.NoText;
        if (prediction.Cut) line["cut"] = true;
        if (allClasses && prediction.Label is not null)
            line["probabilities"] = new JsonObject(labels.Select((name, index) => KeyValuePair.Create(name, (JsonNode?)Rounded(prediction.Probabilities[index]))));
        return line.ToJsonString(Readable) + "\n";
    }

    private static string Number(double probability) => probability.ToString(Probability, CultureInfo.InvariantCulture);

    // As many digits as hold whatever computes them.
    private static double Rounded(double probability) => Math.Round(probability, 6);
}
