using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>
/// Boxes that show and hide what belongs to a value of a matrix dimension, such as a rank or a seed. No script: what is hidden hangs on <c>:has(:checked)</c>, and a
/// browser that does not know that shows everything.
/// </summary>
internal sealed class Toggles
{
    private const int MostValues = 24, MostDimensions = 8;

    // The values of each dimension with their numbers, in the order of the page.
    private readonly List<(string Dimension, OrderedDictionary<string, int> Values)> _dimensions = [];
    private readonly List<string> _left = [];

    public Toggles(ReportPage page)
    {
        var cells = page.Origins.Select(stage => stage.Cell).Concat(page.Measures.Select(set => set.Cell)).Concat(page.Tables.Select(table => table.Cell))
            .Concat(page.Claims.Select(claim => claim.Cell)).Concat(page.Figures.Select(figure => figure.Cell));
        var found = new OrderedDictionary<string, OrderedDictionary<string, int>>();
        foreach (var (dimension, value) in cells.SelectMany(cell => cell))
        {
            if (!found.TryGetValue(dimension, out var values)) found[dimension] = values = [];
            values.TryAdd(value, values.Count);
        }

        foreach (var (dimension, values) in found.Where(one => one.Value.Count > 1))
        {
            if (values.Count <= MostValues && _dimensions.Count < MostDimensions) _dimensions.Add((dimension, values));
            else _left.Add(string.Create(CultureInfo.InvariantCulture, $"{dimension} ({values.Count} values)"));
        }
    }

    /// <summary>The classes of what belongs to a cell; null without any.</summary>
    public string? ClassOf(IReadOnlyDictionary<string, string> cell)
    {
        string[] classes = [.. _dimensions.Index().Where(one => cell.ContainsKey(one.Item.Dimension)).Select(one =>
            Name(one.Index, one.Item.Values[cell[one.Item.Dimension]]))];
        return classes.Length == 0 ? null : string.Join(' ', classes);
    }

    /// <summary>The rules by which a box that is not checked hides.</summary>
    public string Style()
    {
        var style = new StringBuilder();
        foreach (var (index, (_, values)) in _dimensions.Index())
            foreach (var value in values.Values)
                style.Append($"body:has(#{Name(index, value)}:not(:checked)) .{Name(index, value)}{{display:none}}\n");
        return style.ToString();
    }

    /// <summary>The boxes, a group a dimension; nothing where there is no choice.</summary>
    public string Html()
    {
        if (_dimensions.Count == 0) return "";
        var html = new StringBuilder("<section class=\"toggles\" aria-labelledby=\"shown\"><h2 id=\"shown\">Shown on this page</h2>\n");
        foreach (var (index, (dimension, values)) in _dimensions.Index())
        {
            html.Append($"<fieldset><legend>{Markup.Line(dimension, 60)}</legend>");
            foreach (var (value, number) in values)
                html.Append($"<label><input type=\"checkbox\" id=\"{Name(index, number)}\" checked> {Markup.Line(value, 60)}</label> ");
            html.Append("</fieldset>\n");
        }

        if (_left.Count > 0) html.Append($"<p class=\"left\">Without a choice, having too many values: {Markup.Line(string.Join(", ", _left))}.</p>\n");
        return html.Append("<p class=\"dim\">Takes rows out of sight, and out of no number: tables, figures and claims stay as they were computed.</p></section>\n").ToString();
    }

    private static string Name(int dimension, int value) => string.Create(CultureInfo.InvariantCulture, $"d{dimension}v{value}");
}
