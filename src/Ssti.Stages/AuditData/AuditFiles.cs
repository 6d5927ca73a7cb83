using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;
using Ssti.Reporting.Report;

namespace Ssti.Stages;

/// <summary>Writes what <c>audit-data</c> and <c>probe-data</c> leave: an answer, measures, a page.</summary>
internal sealed class AuditFiles(StageContext context, AuditedData audit)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Utf8 = new(false);

    /// <summary>A file of text.</summary>
    public void Text(string file, string text) => File.WriteAllText(context.Output(file), text, Utf8);

    /// <summary>The answer for programs.</summary>
    public void Answer(string file, JsonObject answer) => Text(file, answer.ToJsonString(Readable) + "\n");

    /// <summary>The answer for people.</summary>
    public void Page(string file, ReportPage page) => Text(file, ReportHtml.Of(page));

    /// <summary>The measures, with the dataset that they are of and <paramref name="more"/>.</summary>
    public void Measures(Dictionary<string, NamedMeasure> measures, JsonObject more)
    {
        var about = new JsonObject { ["dataset"] = audit.Data.Name, ["split"] = audit.Split.Name };
        foreach (var (name, value) in more) about[name] = value?.DeepClone();
        (about["labels"], about["notes"]) = (Texts(audit.Data.Labels), Texts(context.Warnings));
        Text(MeasureSet.FileName, MeasureSet.ToJson(measures, about));
    }

    /// <summary>Texts as JSON.</summary>
    public static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
