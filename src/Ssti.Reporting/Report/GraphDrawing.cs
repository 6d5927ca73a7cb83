using System.Globalization;
using System.Text;

namespace Ssti.Reporting.Report;

/// <summary>
/// Draws a pipeline from top to bottom: a stage stands below all that it needs (by its longest way down), and within a layer near the middle of its neighbours.
/// An edge over several layers goes through a place of its own in each of them, so that it crosses no box.
/// </summary>
internal static class GraphDrawing
{
    private const double Width = 132, Height = 42, GapX = 12, GapY = 34, Lane = 14, Margin = 4;
    private const int Sweeps = 6, LongestName = 17;

    // A wide picture shrinks to the page, but not below what can be read.
    private const double Narrowest = 640;

    // A place in a layer: of a stage, or (a negative number) of an edge that passes.
    private sealed class Place(int stage, int layer)
    {
        public int Stage => stage;

        public int Layer => layer;

        public List<Place> Above { get; } = [];

        public List<Place> Below { get; } = [];

        public double X { get; set; }

        public double Wide => stage < 0 ? Lane : Width;

        public double Top => Margin + (layer * (Height + GapY));
    }

    /// <summary>The graph as an <c>svg</c> element whose colours are the page's.</summary>
    /// <param name="nodes">The stages, each after those it needs.</param>
    public static string Of(IReadOnlyList<ReportNode> nodes)
    {
        var layers = Layers(nodes);
        Order(layers);
        Spread(layers);
        var width = layers.Max(layer => layer.Max(place => place.X + (place.Wide / 2))) + Margin;
        var height = (layers.Count * (Height + GapY)) - GapY + (2 * Margin);
        var svg = new StringBuilder();
        var label = string.Create(CultureInfo.InvariantCulture, $"Graph of {nodes.Count} stages; the list below it says what each needs");
        svg.Append($"<svg class=\"graph\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {Markup.Number(width)} {Markup.Number(height)}\"")
            .Append($" width=\"{Markup.Number(width)}\" style=\"min-width:{Markup.Number(Math.Min(width, Narrowest))}px\">\n");
        foreach (var place in layers.SelectMany(layer => layer).Where(place => place.Stage >= 0))
            foreach (var below in place.Below) svg.Append(CultureInfo.InvariantCulture, $"<path class=\"edge\" d=\"{Way(place, below)}\"/>\n");
        foreach (var place in layers.SelectMany(layer => layer).Where(place => place.Stage >= 0)) svg.Append(Box(nodes[place.Stage], place));
        return svg.Append("</svg>\n").ToString();
    }

    private static List<List<Place>> Layers(IReadOnlyList<ReportNode> nodes)
    {
        var index = nodes.Index().GroupBy(node => node.Item.Name).ToDictionary(group => group.Key, group => group.First().Index);
        var places = new List<Place>();
        var layers = new List<List<Place>>();
        foreach (var (number, node) in nodes.Index())
        {
            // What stands later cannot be needed: a list that says so is of no pipeline, and is drawn without that edge.
            var needed = node.Needs.Distinct().Where(index.ContainsKey).Select(need => index[need]).Where(need => need < number)
                .Select(need => places[need]).ToArray();
            var place = Add(layers, number, needed.Select(need => need.Layer + 1).DefaultIfEmpty().Max());
            places.Add(place);
            foreach (var need in needed)
            {
                var from = need;
                for (var layer = need.Layer + 1; layer < place.Layer; layer++) from = Join(from, Add(layers, -1, layer));
                Join(from, place);
            }
        }

        return layers;
    }

    private static Place Add(List<List<Place>> layers, int stage, int layer)
    {
        while (layers.Count <= layer) layers.Add([]);
        var place = new Place(stage, layer);
        layers[layer].Add(place);
        return place;
    }

    private static Place Join(Place from, Place to)
    {
        from.Below.Add(to);
        to.Above.Add(from);
        return to;
    }

    // Each layer by the mean of its neighbours' places, down and up in turn; a stable sort, so that the pipeline's order decides where nothing else does.
    private static void Order(List<List<Place>> layers)
    {
        var at = new Dictionary<Place, double>();
        foreach (var layer in layers) Note(layer);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var down = sweep % 2 == 0;
            foreach (var layer in down ? layers : Enumerable.Reverse(layers))
            {
                List<Place> sorted = [.. layer.OrderBy(place =>
                    (down ? place.Above : place.Below) is { Count: > 0 } near ? near.Average(one => at[one]) : at[place])];
                layer.Clear();
                layer.AddRange(sorted);
                Note(layer);
            }
        }

        void Note(List<Place> layer)
        {
            foreach (var (index, place) in layer.Index()) at[place] = (index + 0.5) / layer.Count;
        }
    }

    // Side by side first; then each as near to the middle of its neighbours as those beside it let it.
    private static void Spread(List<List<Place>> layers)
    {
        foreach (var layer in layers) Pack(layer, place => place.X);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            foreach (var layer in sweep % 2 == 0 ? layers : Enumerable.Reverse(layers))
                Pack(layer, place => place.Above.Concat(place.Below).Select(one => one.X).DefaultIfEmpty(place.X).Average());
        }

        var left = layers.Min(layer => layer.Min(place => place.X - (place.Wide / 2)));
        foreach (var place in layers.SelectMany(layer => layer)) place.X += Margin - left;
    }

    private static void Pack(List<Place> layer, Func<Place, double> wish)
    {
        double[] wished = [.. layer.Select(wish)];
        var free = double.MinValue;
        foreach (var (index, place) in layer.Index())
        {
            place.X = Math.Max(wished[index], free + (place.Wide / 2));
            free = place.X + (place.Wide / 2) + GapX;
        }

        // What was pushed to the right is moved back together, so that the layer stands around the middle it wished for.
        var shift = layer.Average(place => place.X) - wished.Average();
        foreach (var place in layer) place.X -= shift;
    }

    private static string Way(Place from, Place to)
    {
        var way = new StringBuilder($"M{Markup.Number(from.X)} {Markup.Number(from.Top + Height)}");
        for (var place = to; ; place = place.Below[0])
        {
            var (y, end) = (from.Top + Height, place.Top);
            var middle = (y + end) / 2;
            way.Append('C').AppendJoin(' ', new[] { from.X, middle, place.X, middle, place.X, end }.Select(Markup.Number));
            if (place.Stage >= 0) return way.ToString();
            way.Append($"V{Markup.Number(place.Top + Height)}");
            from = place;
        }
    }

    private static string Box(ReportNode node, Place place)
    {
        var (x, y) = (place.X - (Width / 2), place.Top);
        var name = node.Name.Length <= LongestName ? node.Name : $"{node.Name[..(LongestName - 1)]}…";
        var uses = node.Cells == 1 ? node.Uses : string.Create(CultureInfo.InvariantCulture, $"{node.Uses} × {node.Cells}");
        return $"<g class=\"node {Markup.Line(node.State)}\"><title>{Markup.Line($"{node.Name}: {node.Uses}, {node.Note}")}</title>"
            + $"<rect x=\"{Markup.Number(x)}\" y=\"{Markup.Number(y)}\" width=\"{Width}\" height=\"{Height}\" rx=\"5\"/>"
            + $"<text x=\"{Markup.Number(place.X)}\" y=\"{Markup.Number(y + 18)}\">{Markup.Line(name)}</text>"
            + $"<text class=\"dim\" x=\"{Markup.Number(place.X)}\" y=\"{Markup.Number(y + 33)}\">{Markup.Line(uses, 24)}</text></g>\n";
    }
}
