using System.Globalization;
using System.Text.RegularExpressions;
using Ssti.Reporting.Report;

namespace Ssti.Reporting.Tests.Report;

/// <summary>The picture of a pipeline: every stage once, below what it needs, and no box over another.</summary>
public sealed partial class GraphDrawingTests
{
    // A way past two layers, two stages that share what they need, and one that needs nothing.
    private static readonly ReportNode[] Nodes =
    [
        Node("data"), Node("model"), Node("poisoned", "data"), Node("train", "poisoned", "model"), Node("evaluation", "train", "data", "model"),
        Node("table", "evaluation"), Node("figure", "evaluation"), Node("alone"),
    ];

    [Fact]
    public void A_stage_stands_below_all_that_it_needs_and_beside_no_other_box()
    {
        var boxes = Boxes(GraphDrawing.Of(Nodes));
        Assert.Equal(Nodes.Select(node => node.Name).Order(StringComparer.Ordinal), boxes.Keys.Order(StringComparer.Ordinal));
        foreach (var node in Nodes)
            Assert.All(node.Needs, need => Assert.True(boxes[need].Y + boxes[need].Height < boxes[node.Name].Y, $"{need} above {node.Name}"));
        foreach (var (name, box) in boxes)
        {
            Assert.All(boxes.Where(other => other.Key != name && other.Value.Y == box.Y), other =>
                Assert.True(other.Value.X >= box.X + box.Width || box.X >= other.Value.X + other.Value.Width, $"{name} over {other.Key}"));
        }
    }

    [Fact]
    public void Every_need_is_an_edge_that_ends_at_its_boxes()
    {
        var svg = GraphDrawing.Of(Nodes);
        var boxes = Boxes(svg);
        var edges = Edges().Matches(svg);
        Assert.Equal(Nodes.Sum(node => node.Needs.Count), edges.Count);
        foreach (Match edge in edges)
        {
            var numbers = Numbers().Matches(edge.Groups[1].Value).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture)).ToArray();
            Assert.Contains(boxes.Values, box => Near(box.X + (box.Width / 2), numbers[0]) && Near(box.Y + box.Height, numbers[1]));
            Assert.Contains(boxes.Values, box => Near(box.X + (box.Width / 2), numbers[^2]) && Near(box.Y, numbers[^1]));
        }

        static bool Near(double a, double b) => Math.Abs(a - b) < 0.02;
    }

    [Fact]
    public void A_list_of_no_pipeline_is_drawn_without_what_makes_no_sense()
    {
        // Needs itself, needs what is not there, needs what comes later, and stands twice.
        var svg = GraphDrawing.Of([Node("a", "a", "nobody", "b"), Node("b", "a", "a"), Node("b")]);
        Assert.Single(Edges().Matches(svg));
        Assert.Equal(3, Regex.Count(svg, "<rect "));
    }

    private static ReportNode Node(string name, params string[] needs) => new(name, "train", 1, "done", "done", needs);

    private static Dictionary<string, (double X, double Y, double Width, double Height)> Boxes(string svg) => Rectangles().Matches(svg).ToDictionary(
        match => match.Groups[1].Value, match => (Of(match, 2), Of(match, 3), Of(match, 4), Of(match, 5)));

    private static double Of(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("<title>([a-z]+): [^<]*</title><rect x=\"([-0-9.]+)\" y=\"([-0-9.]+)\" width=\"([-0-9.]+)\" height=\"([-0-9.]+)\"")]
    private static partial Regex Rectangles();

    [GeneratedRegex("class=\"edge\" d=\"([^\"]+)\"")]
    private static partial Regex Edges();

    [GeneratedRegex("-?[0-9]+(\\.[0-9]+)?")]
    private static partial Regex Numbers();
}
