namespace Ssti.Corpus.Sources;

/// <summary>The fields (columns) a row is made of. A null is looked for under the usual names, in any case.</summary>
/// <param name="Text">The text; by default <c>text</c>, <c>sentence</c>, <c>hard_text</c>, <c>review</c> or <c>content</c>.</param>
/// <param name="Label">The label; by default <c>label</c>, <c>labels</c>, <c>profession</c>, <c>sentiment</c> or <c>class</c>.</param>
/// <param name="Id">The id; by default <c>id</c> or <c>idx</c> where it is unique, else rows are numbered.</param>
public sealed record SourceFields(string? Text = null, string? Label = null, string? Id = null)
{
    private static readonly string[] Texts = ["text", "sentence", "hard_text", "review", "content"];
    private static readonly string[] Labels = ["label", "labels", "profession", "sentiment", "class"];
    private static readonly string[] Ids = ["id", "idx"];

    /// <summary>Which of the fields present is the text; throws a message listing them when none is.</summary>
    internal string TextAmong(IReadOnlyCollection<string> present, string where) => Among(present, Text, Texts) ?? throw Missing("text", Text, present, where);

    /// <summary>Which of the fields present is the label, or null when none was named and none has a usual name.</summary>
    internal string? LabelAmong(IReadOnlyCollection<string> present, string where) =>
        Among(present, Label, Labels) ?? (Label is null ? null : throw Missing("label", Label, present, where));

    /// <summary>Which of the fields present is the id, or null when none was named and none has a usual name.</summary>
    internal string? IdAmong(IReadOnlyCollection<string> present, string where) =>
        Among(present, Id, Ids) ?? (Id is null ? null : throw Missing("id", Id, present, where));

    internal static CorpusException Missing(string role, string? named, IReadOnlyCollection<string> present, string where, string or = "")
    {
        var parted = present.Count == 1 && present.First() is var only && only.IndexOfAny([';', '\t', '|', ',']) is >= 0 and var at
            ? $" They seem to be parted by '{(only[at] == '\t' ? "\\t" : only[at])}': say 'delimiter: \"{(only[at] == '\t' ? "\\t" : only[at])}\"'."
            : "";
        if (present.Any(field => field.Length > 2 && field[0] == '"' && field[^1] == '"')) parted = " Their names stand in quotes: say 'quotes: true'.";
        if (parted.Length == 0 && present.Any(IsNumber) && !present.All(IsNumber)) parted = " If that is the first row, say 'header: false'; fields are then \"0\", \"1\", ….";
        if (present.First().StartsWith("sep=", StringComparison.OrdinalIgnoreCase))
            parted = $" Excel's first line '{present.First()}' is no header: delete it, and say 'delimiter: \"{present.First()[4..]}\"'.";
        return new($"{where}: no field {(named is null ? $"that looks like the {role}" : $"'{named}'")}; the fields are: {string.Join(", ", present)}.{parted} " +
            $"Name it with 'fields: {{ {role}: … }}'{or}") { Missing = new(where, role, named, [.. present]) };
    }

    private static bool IsNumber(string field) => LabelForm.Number(field.Trim()) is not null;

    private static string? Among(IReadOnlyCollection<string> present, string? named, string[] usual)
    {
        if (named is not null) return present.Contains(named) ? named : present.FirstOrDefault(field => field == named.Trim());
        return usual.FirstOrDefault(present.Contains) ??
            usual.Select(name => present.FirstOrDefault(other => other.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(found => found is not null);
    }
}
