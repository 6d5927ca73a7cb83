using System.Text;
using System.Text.Json.Nodes;
using Ssti.Engine.Pipelines;

namespace Ssti.Cli.Display;

/// <summary>A node of a graph: a stage, or one of its cells.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uses">Its kind.</param>
/// <param name="Cells">How many cells it stands for.</param>
/// <param name="Stale">How many of them would run.</param>
internal sealed record GraphNode(string Name, string Uses, int Cells, int Stale);

/// <summary>A pipeline as a graph, in text formats that others draw.</summary>
internal sealed record StageGraph(string Name, IReadOnlyList<GraphNode> Nodes, IReadOnlyList<(int From, int To)> Edges)
{
    public static StageGraph Of(string name, IReadOnlyList<(StageInstance Instance, bool IsStale)> stages, bool cells)
    {
        var groups = stages.GroupBy(stage => cells ? stage.Instance.Name : stage.Instance.Stage).ToList();
        var index = new Dictionary<int, int>();
        for (var node = 0; node < groups.Count; node++)
            foreach (var stage in groups[node]) index[stage.Instance.Index] = node;
        var edges = stages.SelectMany(stage => stage.Instance.Inputs.SelectMany(input => input.From)
            .Select(from => (index[from], index[stage.Instance.Index]))).Distinct().Order().ToList();
        var nodes = groups.Select(group => new GraphNode(group.Key, group.First().Instance.Kind.Name, group.Count(), group.Count(stage => stage.IsStale))).ToList();
        return new(name, nodes, edges);
    }

    public string ToMermaid()
    {
        var text = new StringBuilder("flowchart LR\n");
        for (var i = 0; i < Nodes.Count; i++) text.Append($"  n{i}[\"{Escape(Label(Nodes[i], "<br/>"), "#quot;")}\"]\n");
        foreach (var (from, to) in Edges) text.Append($"  n{from} --> n{to}\n");
        text.Append("  classDef stale stroke-dasharray: 5 4,stroke-width:2px\n");
        if (Nodes.Any(node => node.Stale > 0))
            text.Append($"  class {string.Join(",", Enumerable.Range(0, Nodes.Count).Where(i => Nodes[i].Stale > 0).Select(i => $"n{i}"))} stale\n");
        return text.ToString();
    }

    public string ToDot()
    {
        var text = new StringBuilder($"digraph \"{Escape(Name, "\\\"")}\" {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
        for (var i = 0; i < Nodes.Count; i++)
            text.Append($"  n{i} [label=\"{Escape(Label(Nodes[i], "\\n"), "\\\"")}\"{(Nodes[i].Stale > 0 ? ", style=dashed" : "")}];\n");
        foreach (var (from, to) in Edges) text.Append($"  n{from} -> n{to};\n");
        return text.Append("}\n").ToString();
    }

    public JsonObject ToJson() => new()
    {
        ["pipeline"] = Name,
        ["nodes"] = new JsonArray([.. Nodes.Select(node => new JsonObject
        {
            ["name"] = node.Name, ["uses"] = node.Uses, ["cells"] = node.Cells, ["stale"] = node.Stale,
        })]),
        ["edges"] = new JsonArray([.. Edges.Select(edge => new JsonObject { ["from"] = Nodes[edge.From].Name, ["to"] = Nodes[edge.To].Name })]),
    };

    private static string Label(GraphNode node, string line)
    {
        var cells = node.Cells > 1 ? $" × {node.Cells}" : "";
        var stale = node.Stale == 0 ? "" : node.Cells == 1 ? $"{line}would run" : $"{line}{node.Stale} would run";
        return $"{node.Name}{line}{node.Uses}{cells}{stale}";
    }

    private static string Escape(string text, string quote) => text.Replace("\"", quote, StringComparison.Ordinal);
}
