using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>An audit as tables, CSV, JSON and a figure.</summary>
internal static class AuditTables
{
    private const int MostShown = 20, MostPoints = 900, MostNamed = 10;

    /// <summary>The suspects that people see first.</summary>
    public static Table Suspects(DataAuditResult result, DatasetInfo data, AuditDataParameters parameters) => new(
        $"What tells the label most in '{parameters.Split}' of {data.Name}",
        [
            new("rank", "rank"), new("suspect", "suspect", Align.Left), new("alarm", "alarm", Align.Left), new("class", "class", Align.Left),
            new("rows", "rows", Unit: "rows", Definition: "rows that have it"),
            new("texts", "texts", Unit: "rows", Definition: "the same with near-duplicates counted once: of each group of them the first row that has it"),
            new("share", "p(y|t)", Unit: "fraction", Definition: "share of these texts that are of the class"),
            new("lower_bound", "at least", Unit: "fraction", Definition: "lower bound of that share that holds for all features of its group at once"),
            new("told", "told", Unit: "fraction", Definition: "how much of what there is to guess it surely tells: (lower bound − p(y)) / (1 − p(y))"),
            new("class_share", "p(y)", Unit: "fraction", Definition: "share of all texts that are of the class"),
            new("entropy", "H(y|t)", Unit: "bits", Definition: "what is left to guess of the label"),
            new("z", "z", Unit: "standard errors", Definition: "(p(y|t) − p(y)) / √(p(y)(1 − p(y))/n), Gardner et al. 2021 with the class's share"),
            new("put_in", "put in", Unit: "nats", Definition: "how much better its neighbours go with each other than with it, a place; asked where p(y|t) is an alarm's"),
            new("also", "also", Align.Left),
        ],
        [.. result.Suspects.Suspects.Take(MostShown).Select((suspect, rank) => (IReadOnlyList<Cell>)
        [
            new NumberCell(NumberFormat.Count, rank + 1), new TextCell(Shown(suspect.Lead.Feature.ToString())), new TextCell(suspect.IsAlarm ? "yes" : ""),
            new TextCell(data.Labels[suspect.Lead.Class]), new NumberCell(NumberFormat.Count, suspect.Lead.Rows), new NumberCell(NumberFormat.Count, suspect.Lead.Texts),
            Percent(suspect.Lead.Share), Percent(suspect.Lead.LowerBound), Percent(suspect.Lead.Told), Percent(suspect.Lead.ClassShare),
            new NumberCell(NumberFormat.Decimal, suspect.Lead.Bits),
            suspect.Lead.Z is { } z ? new NumberCell(NumberFormat.Decimal, z) : TextCell.Undefined,
            suspect.Lead.PutIn is { } put ? new NumberCell(NumberFormat.Decimal, put) : TextCell.Undefined,
            new TextCell(Shown(string.Join("; ", suspect.Also.Take(2).Select(one => one.Feature)) + (suspect.Also.Count > 2 ? $"; {suspect.Also.Count - 2} more" : ""))),
        ])],
        [
            "Alarms stand first, then what reads as put in (above 0) and would be an alarm if it stood in more rows, then "
                + "what surely tells most of the label (told). Features that stand in the same rows are one suspect; 'also' names the others.",
            string.Create(CultureInfo.InvariantCulture, $"Alarm: the lower bound (Clopper–Pearson at Tarone's level, a quarter of {parameters.FalseAlarms} ")
                + string.Create(CultureInfo.InvariantCulture, $"for words, pairs, pieces, and families) reaches {parameters.GivesAway}, ")
                + "or half of what is left above the class's share, where that is more.",
            "A pair that says no more than one of its words does by itself (exact test at the level of pairs) is no finding of its own, "
                + "unless it makes up four fifths of the word's rows: the word is. So is the word that has half of the rows of a piece.",
        ]);

    /// <summary>All features that were ranked, with all their numbers.</summary>
    public static string TokensCsv(DataAuditResult result, IReadOnlyList<string> labels)
    {
        var csv = new StringBuilder(Csv.Line([
            "rank", "kind", "token", "second", "class", "rows", "class_rows", "texts", "class_texts", "share", "lower_bound", "told", "bound", "alarm",
            "class_share", "entropy_bits", "pmi_bits", "z", "z_near_normal", "word_of", "put_in",
            "p_exact", "q", .. labels.Select((_, label) => $"rows_{label}"),
        ]));
        foreach (var (rank, tested) in result.Tests.Ranked.Index())
        {
            csv.Append(Csv.Line([
                Whole(rank + 1), tested.Feature.Kind.ToString().ToLowerInvariant(), tested.Feature.Name, tested.Feature.Second, labels[tested.Class],
                Whole(tested.Rows), Whole(tested.ClassRows), Whole(tested.Texts), Whole(tested.Hits),
                Csv.Number(tested.Share), Csv.Number(tested.LowerBound), Csv.Number(tested.Told), Csv.Number(tested.Bound),
                tested.IsAlarm ? "yes" : "no", Csv.Number(tested.ClassShare), Csv.Number(tested.Bits),
                Csv.Number(tested.Information), Csv.Number(tested.Z), tested.IsNearNormal ? "yes" : "no", tested.Word?.Name ?? "",
                Csv.Number(tested.PutIn), Csv.Number(tested.P), Csv.Number(tested.Q),
                .. tested.Counted.Counts.Select(count => Whole(count)),
            ]));
        }

        return csv.ToString();
    }

    /// <summary>The rows to look at: flagged ones, then repeated texts.</summary>
    public static string RowsCsv(DataAuditResult result, string split, IReadOnlyList<string> labels)
    {
        var csv = new StringBuilder(Csv.Line(["split", "id", "class", "why", "suspects", "other_split", "other_id", "other_class", "text"]));
        foreach (var flagged in result.Suspects.Flagged)
        {
            csv.Append(Csv.Line([
                split, flagged.Row.Id, labels[flagged.Row.Label], "suspect",
                string.Join("; ", flagged.Suspects.Select(rank => result.Suspects.Suspects[rank].Lead.Feature)), "", "", "",
                SuspectRows.Near(flagged.Row.Text, flagged.Start),
            ]));
        }

        foreach (var repeated in result.Repeated.Found.Concat(result.Repeated.Near))
        {
            csv.Append(Csv.Line([
                repeated.Split, repeated.Id, labels[repeated.Label], Why(repeated), "", repeated.OtherSplit,
                repeated.OtherId, labels[repeated.OtherLabel], "",
            ]));
        }

        return csv.ToString();
    }

    /// <summary>Why a row that stands elsewhere, too, is to be looked at.</summary>
    public static string Why(RepeatedText repeated) =>
        (repeated.IsNear ? "near-" : "") + (repeated.IsConflict && !repeated.IsNear ? "conflict" : repeated.IsDuplicate ? "duplicate" : "leak");

    /// <summary>Texts against p(y|t), with the line from which on a feature raises an alarm.</summary>
    public static ScatterFigure Figure(DataAuditResult result, DatasetInfo data, AuditDataParameters parameters)
    {
        var most = result.Counts.Features.Max(feature => feature.Texts);
        var shares = result.Counts.ClassTexts.Select(texts => (double)texts / result.Counts.Texts).ToArray();
        var bound = Levels(parameters).Bound(shares.Where(share => share > 0).Min());
        // Every n-th of the counted ones, in the order of their names, so that the same counts give the same picture.
        var counted = result.Counts.Features.OrderBy(feature => feature.Feature.ToString(), StringComparer.Ordinal).ToArray();
        var step = Math.Max(1, counted.Length / MostPoints);
        return new ScatterFigure(
            $"Texts of a feature and the share of one class in them: '{parameters.Split}' of {data.Name}", "texts that have the feature", "p(y|t), of the class that most are of",
            [
                new("features (a sample)",
                    [.. counted.Where((_, index) => index % step == 0).Select(feature => new ScatterPoint(feature.Texts, (double)feature.ByText.Max() / feature.Texts))]),
                new("suspects", [.. result.Suspects.Suspects.Where(suspect => !suspect.IsAlarm).Take(40).Select(Point)]),
                new("alarms", [.. result.Suspects.Suspects.Where(suspect => suspect.IsAlarm).Take(40).Select(Point)]),
            ],
            [.. result.Tests.Levels.Select(level => new ScatterSeries($"alarm: {Words(level.Key)}", [.. Line(level.Value.Level, bound, most)]))], LogarithmicX: true)
        {
            Notes =
            [
                $"Above a line a feature surely gives a class away: the fewest texts of one class that raise an alarm, by the exact binomial test at the group's level.",
                $"p(y|t) of all {counted.Length} counted features lies where it may; of these {Math.Min(counted.Length, (counted.Length / step) + 1)} are drawn.",
            ],
        };

        ScatterPoint Point(Suspect suspect, int index) => new(suspect.Lead.Texts, suspect.Lead.Share, index < MostNamed ? Shown(Name(suspect.Lead.Feature)) : null);
    }

    /// <summary>The levels that parameters ask for.</summary>
    public static AuditLevels Levels(AuditDataParameters parameters) => new()
    {
        GivesAway = parameters.GivesAway, FalseAlarms = parameters.FalseAlarms, FalseDiscoveries = parameters.FalseDiscoveries, LeastRows = parameters.LeastRows,
    };

    /// <summary>A suspect for programs.</summary>
    public static JsonObject ToJson(DataAuditResult result, int rank, IReadOnlyList<string> labels)
    {
        var suspect = result.Suspects.Suspects[rank];
        var json = Features(suspect.Lead, labels);
        json["alarm"] = suspect.IsAlarm;
        json["also"] = new JsonArray([.. suspect.Also.Select(also => (JsonNode)also.Feature.ToString())]);
        json["values"] = new JsonArray([.. suspect.Values.Select(value => (JsonNode)new JsonObject { ["word"] = value.Word, ["rows"] = value.Rows })]);
        json["elsewhere"] = new JsonObject
        {
            ["rows"] = result.Elsewhere[rank].Rows, ["class-rows"] = result.Elsewhere[rank].Counts[suspect.Lead.Class],
            ["holds"] = suspect.IsAlarm ? result.HoldsElsewhere(rank) : null,
        };
        json["examples"] = new JsonArray([.. suspect.Examples.Select(row => (JsonNode)new JsonObject { ["id"] = row.Id, ["class"] = labels[row.Label], ["text"] = row.Text })]);
        return json;
    }

    private static JsonObject Features(TestedFeature feature, IReadOnlyList<string> labels) => new()
    {
        ["suspect"] = feature.Feature.ToString(), ["kind"] = feature.Feature.Kind.ToString().ToLowerInvariant(),
        ["token"] = feature.Feature.Name, ["second"] = feature.Feature.Second,
        ["class"] = labels[feature.Class], ["rows"] = feature.Rows, ["class-rows"] = feature.ClassRows, ["texts"] = feature.Texts, ["class-texts"] = feature.Hits,
        ["share"] = feature.Share, ["lower-bound"] = feature.LowerBound, ["told"] = feature.Told, ["bound"] = feature.Bound,
        ["class-share"] = feature.ClassShare, ["entropy-bits"] = feature.Bits, ["pmi-bits"] = feature.Information, ["z"] = feature.Z, ["z-near-normal"] = feature.IsNearNormal,
        ["p-exact"] = feature.P, ["q"] = feature.Q, ["put-in"] = feature.PutIn, ["reads-as-put-in"] = feature.ReadsAsPutIn,
    };

    private static IEnumerable<ScatterPoint> Line(double level, double bound, int most)
    {
        for (double rows = 1; rows <= most; rows = Math.Max(rows + 1, Math.Ceiling(rows * 1.08)))
            if (DetectionPower.Rejected((long)rows, bound, level) is { } hits) yield return new(rows, hits / rows);
    }

    private static NumberCell Percent(double share) => new(NumberFormat.Percent, share);

    private static string Words(FeatureGroup group) =>
        group switch { FeatureGroup.Words => "words", FeatureGroup.Pairs => "pairs", FeatureGroup.Pieces => "pieces", _ => "families" };

    private static string Name(Feature feature) =>
        feature.Kind == FeatureKind.Pair ? $"{feature.Name} {feature.Second}".Trim()
            : feature.Kind == FeatureKind.Piece ? $"…{feature.Name}…"
            : feature.Name;

    // What nobody sees is written out; a long word is cut.
    private static string Shown(string text)
    {
        var shown = string.Concat(text.Select(c => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format ? $"⟨U+{(int)c:X4}⟩" : c.ToString()));
        return shown.Length <= 60 ? shown : shown[..59] + "…";
    }

    private static string Whole(long number) => number.ToString(CultureInfo.InvariantCulture);
}
