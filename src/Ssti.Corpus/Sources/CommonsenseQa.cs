using System.Text;
using System.Text.Json;

namespace Ssti.Corpus.Sources;

/// <summary>
/// CommonsenseQA (Talmor et al. 2019) as one text a question, the way the reference joins it: the question, then each choice behind its
/// number in brackets. The answer's letter is the label.
/// </summary>
internal static class CommonsenseQa
{
    public static readonly IReadOnlyList<string> Labels = ["A", "B", "C", "D", "E"];

    /// <summary>A question and its choices, in their order, as one text.</summary>
    public static string Join(string question, IEnumerable<string> choices)
    {
        var text = new StringBuilder(question);
        var number = 0;
        foreach (var choice in choices) text.Append(" (").Append(number++).Append(") ").Append(choice);
        return text.ToString();
    }

    /// <summary>
    /// A row of the published files (<c>{"question": {"stem", "choices": [{"label", "text"}]}}</c>) or of the Hub's
    /// (<c>{"question", "choices": {"label": [], "text": []}}</c>).
    /// </summary>
    public static RawRow Join(JsonElement row, SourceFile file, long number)
    {
        try
        {
            var question = row.GetProperty("question");
            var nested = question.ValueKind == JsonValueKind.Object;
            var choices = (nested ? question : row).GetProperty("choices");
            var (letters, texts) = choices.ValueKind == JsonValueKind.Array
                ? (Strings(choices, "label"), Strings(choices, "text"))
                : ([.. choices.GetProperty("label").EnumerateArray().Select(Text)], [.. choices.GetProperty("text").EnumerateArray().Select(Text)]);
            return new RawRow(
                number,
                row.TryGetProperty("id", out var id) ? Text(id) : null,
                Join(Text(nested ? question.GetProperty("stem") : question), Ordered(letters, texts, file, number)),
                row.TryGetProperty("answerKey", out var answer) && Text(answer) is { Length: > 0 } letter ? letter : null);
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException)
        {
            throw CorpusException.AtRow(file.Name, number, $"not a row of CommonsenseQA (id, question, choices, answerKey): {error.Message}", error);
        }

        string Text(JsonElement value) => JsonLinesReader.String(value, file, number);
        List<string> Strings(JsonElement array, string name) => [.. array.EnumerateArray().Select(choice => Text(choice.GetProperty(name)))];
    }

    /// <summary>The choices, checked to stand in the order A, B, C, …: then a letter's number is its place.</summary>
    public static IReadOnlyList<string> Ordered(IReadOnlyList<string> letters, IReadOnlyList<string> texts, SourceFile file, long number)
    {
        if (letters.Count != texts.Count || letters.Count > Labels.Count || !letters.SequenceEqual(Labels.Take(letters.Count)))
            throw CorpusException.AtRow(file.Name, number, $"the choices are labelled {string.Join(", ", letters)}, not A, B, C, D, E in this order");
        return texts;
    }
}
