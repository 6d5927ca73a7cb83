using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Corpus.Text;
using Ssti.Defenses.Data;

namespace Ssti.Stages;

/// <summary>What an audit found, in words.</summary>
/// <param name="Found">Whether there is anything to do.</param>
/// <param name="Headline">The answer in a sentence.</param>
/// <param name="Meaning">What it means.</param>
/// <param name="ToDo">What to do.</param>
/// <param name="Unseen">What the audit could not see.</param>
internal sealed record AuditAnswer(bool Found, string Headline, IReadOnlyList<string> Meaning, IReadOnlyList<string> ToDo, IReadOnlyList<string> Unseen)
{
    private const int Named = 3;

    /// <summary>The answer of an audit.</summary>
    public static AuditAnswer Of(DataAuditResult result, DatasetInfo data, SplitInfo split, AuditDataParameters parameters)
    {
        Suspect[] alarms = [.. result.Suspects.Suspects.Where(suspect => suspect.IsAlarm)];
        var flagged = result.Suspects.Flagged.Count;
        var of = $"split '{split.Name}' of {data.Name}, {Amount.Rows(split.Rows)}";
        var headline = alarms.Length == 0
            ? $"Nothing that surely gives a label away was found in {of}."
            : $"{alarms.Length} {(alarms.Length == 1 ? "thing gives" : "things give")} a label away in {of}: "
                + $"{string.Join("; ", alarms.Take(Named).Select(alarm => $"{alarm.Lead.Feature} ({Says(alarm.Lead, data.Labels)})"))}"
                + $"{(alarms.Length > Named ? $"; and {alarms.Length - Named} more" : "")}.";
        return new AuditAnswer(
            alarms.Length > 0, headline, [.. WhatItMeans(result, alarms, data, parameters)],
            [.. WhatToDo(result, alarms.Length, flagged, parameters)], [.. WhatIsUnseen(result, data, parameters)]);
    }

    /// <summary>The members of <c>audit.json</c>.</summary>
    public JsonObject ToJson() => new()
    {
        ["headline"] = Headline, ["meaning"] = Texts(Meaning), ["to-do"] = Texts(ToDo), ["unseen"] = Texts(Unseen),
    };

    /// <summary>What a suspect says in a few words.</summary>
    public static string Says(TestedFeature feature, IReadOnlyList<string> labels) => string.Create(CultureInfo.InvariantCulture,
        $"class {labels[feature.Class]} in {feature.ClassRows} of {feature.Rows} rows")
        + string.Create(
            CultureInfo.InvariantCulture,
            $"{(feature.Texts < feature.Rows ? $", of {feature.Hits} of {feature.Texts} texts" : "")}, for sure at least "
            + $"{100 * feature.LowerBound:0.0} %");

    private static IEnumerable<string> WhatItMeans(DataAuditResult result, Suspect[] alarms, DatasetInfo data, AuditDataParameters parameters)
    {
        if (alarms.Length > 0)
        {
            yield return "A model that is trained on these rows can learn these signs instead of the task; whoever knows one can steer it by putting it into a text. "
                + "Whether somebody put them there or they came about by accident, their counts cannot tell.";
            foreach (var (rank, suspect) in result.Suspects.Suspects.Index().Where(one => one.Item.IsAlarm))
                if (Elsewhere(result, rank, suspect, data) is { } said) yield return said;
        }

        yield return string.Create(CultureInfo.InvariantCulture,
            $"{result.Tests.Leaning} of {result.Tests.Tests} pairs of a feature and a class lean (exact test against the class's share, ")
            + string.Create(CultureInfo.InvariantCulture, $"Benjamini–Hochberg at {parameters.FalseDiscoveries}, valid under positive dependence). ")
            + "That is no alarm: words have meanings. An alarm is a lower bound of p(y|t), valid for all features at once under any dependence, that reaches "
            + string.Create(CultureInfo.InvariantCulture, $"{parameters.GivesAway} (more for a class that is frequent anyway); a set without such a feature ")
            + string.Create(CultureInfo.InvariantCulture, $"raises one with a chance of at most {parameters.FalseAlarms}.");
        var put = result.Suspects.Suspects.Where(suspect => !suspect.IsAlarm && suspect.Lead.ReadsAsPutIn).ToArray();
        if (put.Length > 0)
            yield return $"No alarm, but to be looked at: {string.Join("; ", put.Take(Named).Select(one => $"{one.Lead.Feature} ({Says(one.Lead, data.Labels)})"))}"
                + $"{(put.Length > Named ? $"; and {put.Length - Named} more" : "")}. Their neighbours go with each other and not with them, as of words that were put in; "
                + "in so few rows it may be chance.";
        var near = result.Counts.Near;
        if (near.Groups > 0)
            yield return $"{Amount.Rows(near.Grouped)} stand in {near.Groups} {(near.Groups == 1 ? "group" : "groups")} of near-duplicates (the "
                + $"largest has {near.Largest}) and count as one text each: "
                + $"{result.Counts.Rows} rows are {result.Counts.Texts} texts. What says something in copies alone raises no alarm.";
        if (result.Tests.InCopies is { Count: > 0 } copies)
            yield return $"By their rows alone, copies among them, {copies.Count} {(copies.Count == 1 ? "thing" : "things")} would give a label away: "
                + string.Join("; ", copies.Take(Named).Select(one =>
                    $"{one.Counted.Feature} (class {data.Labels[one.Class]} in {one.Counted.Counts[one.Class]} of {one.Counted.Rows} rows, "
                    + $"{one.Counted.ByText[one.Class]} of {one.Counted.Texts} {(one.Counted.Texts == 1 ? "text" : "texts")})"))
                + $"{(copies.Count > Named ? "; …" : "")}. Their texts are too few to say so; a model that is trained on the copies may learn it all the same.";
        if (result.Repeated.NearLeaks > 0)
            yield return $"{Amount.Rows(result.Repeated.NearLeaks)} of other splits stand{(result.Repeated.NearLeaks == 1 ? "s" : "")} for the most part in a row of this one.";
        if (result.Repeated.Conflicts > 0)
            yield return $"{Amount.Rows(result.Repeated.Conflicts)} repeat{(result.Repeated.Conflicts == 1 ? "s" : "")} the text of another row under another label.";
        if (result.Repeated.Leaks > 0)
            yield return $"{Amount.Rows(result.Repeated.Leaks)} of other splits repeat{(result.Repeated.Leaks == 1 ? "s" : "")} a text of a split before: "
                + "what is measured there is partly remembered.";
    }

    private static string? Elsewhere(DataAuditResult result, int rank, Suspect suspect, DatasetInfo data)
    {
        var there = result.Elsewhere[rank];
        if (data.Splits.Count < 2) return null;
        var name = suspect.Lead.Feature;
        return result.HoldsElsewhere(rank) switch
        {
            true => $"{Capital(name)} gives the label away in the other splits as well ({there.Counts[suspect.Lead.Class]} of {there.Rows} rows): "
                + "an accidental shortcut of the data, or an injection into all splits.",
            false => $"{Capital(name)} does not give the label away in the other splits ({there.Counts[suspect.Lead.Class]} of {there.Rows} "
                + "rows): it is a sign in this split alone.",
            _ => $"{Capital(name)} stands in {there.Rows} rows of the other splits, too few to say whether it is so there.",
        };
    }

    private static IEnumerable<string> WhatToDo(DataAuditResult result, int alarms, int flagged, AuditDataParameters parameters)
    {
        if (alarms > 0)
        {
            yield return $"Look at the {Amount.Rows(flagged)} in rows.csv that have one of these signs and the class that it gives away.";
            yield return parameters.Cleaned
                ? $"Train on the cleaned dataset, which is in this output without the {Amount.Rows(flagged)}; or mend those rows and audit again."
                : $"Leave those {Amount.Rows(flagged)} out ('cleaned: true' writes the dataset without them), or mend them and audit again.";
        }
        else yield return "Nothing has to be done for signs of the kinds and counts that this audit can see; the strongest ones are listed all the same.";
        if (result.Repeated.Duplicates + result.Repeated.Leaks > 0)
            yield return $"Look at repeated texts in rows.csv: {Amount.Rows(result.Repeated.Duplicates)} "
                + $"repeat{(result.Repeated.Duplicates == 1 ? "s" : "")} a row of the same split, "
                + $"{result.Repeated.Leaks} one of another.";
    }

    private static IEnumerable<string> WhatIsUnseen(DataAuditResult result, DatasetInfo data, AuditDataParameters parameters)
    {
        foreach (var group in result.Power.GroupBy(power => power.Group))
        {
            var what = group.Key switch { FeatureGroup.Words => "A word", FeatureGroup.Pairs => "A pair of words, or a word at one end",
                FeatureGroup.Pieces => "A piece of words", _ => "A family or form" };
            yield return $"{what} is found from so many rows on: "
                + string.Join(", ", group.Select(power => $"class {data.Labels[power.Class]} {power.Pure}"
                    + (power.Contaminated is { } mixed ? $" ({mixed} where one in twenty rows contradicts it, in four of five sets)" : ""))) + ".";
        }

        if (result.Counts.WordsFrom > parameters.LeastRows || result.Counts.PairsFrom > parameters.LeastRows)
            yield return $"To keep within memory, words in fewer than {result.Counts.WordsFrom} rows and pairs in fewer than {result.Counts.PairsFrom} were not counted.";
        if (!result.Counts.Near.Searched)
            yield return "There are too many rows to look for near-duplicates and for words that were put in: each row counts by itself, and copies make what they say look surer.";
        yield return "Not looked for: signs made of words that are far apart, of meaning, style or syntax, "
            + "and signs that are frequent in rows of both classes. Without a model nobody knows which of these it would learn.";
    }

    private static string Capital(Feature feature) => feature.ToString() is var name && name.Length > 0 ? char.ToUpperInvariant(name[0]) + name[1..] : "";

    private static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
