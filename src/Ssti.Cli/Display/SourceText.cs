using System.Text.Json.Nodes;
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Reporting.Tables;

namespace Ssti.Cli.Display;

/// <summary>The remote sources of a pipeline and their revisions, for people and for programs.</summary>
internal static class SourceText
{
    /// <summary>A row a source; nothing where all sources are local.</summary>
    public static void Write(Terminal terminal, Pipeline pipeline)
    {
        if (pipeline.Sources.Count == 0) return;
        var table = new Table(
            "Sources",
            [new("source", "source", Align.Left), new("revision", "revision", Align.Left), new("from", "from", Align.Left)],
            [.. pipeline.Sources.Select(source => (IReadOnlyList<Cell>)[new TextCell(source.Name), new TextCell(source.Revision), new TextCell(From(source))])],
            Note(pipeline) is { } note ? [note] : []);
        terminal.Out.WriteLine(table.ToConsole(terminal.Columns));
    }

    /// <summary>What to do about sources that may be others tomorrow; null when there are none.</summary>
    public static string? Note(Pipeline pipeline)
    {
        var open = pipeline.Sources.Where(source => source.Origin == PinOrigin.Resolved).ToList();
        if (open.Count == 0) return null;
        var one = open.Count == 1;
        var names = open.Select(source => $"{source.Name} ({source.Revision[..Math.Min(12, source.Revision.Length)]})");
        return $"note: {string.Join(", ", names)} {(one ? "is" : "are")} not locked, "
            + $"and may be {(one ? "another" : "others")} tomorrow or for somebody else: ssti lock {pipeline.File}";
    }

    public static JsonArray Json(Pipeline pipeline) => new([.. pipeline.Sources.Select(source => new JsonObject
    {
        ["source"] = source.Name,
        ["revision"] = source.Revision,
        ["from"] = source.Origin.ToString().ToLowerInvariant(),
        ["detail"] = source.Told,
        ["stages"] = new JsonArray([.. source.Stages.Select(stage => JsonValue.Create(stage))]),
    })]);

    private static string From(PinnedSource source) => source.Origin switch
    {
        PinOrigin.Pipeline => "the pipeline",
        PinOrigin.Lock => "the lock file",
        _ => $"unlocked, {source.Told}",
    };
}
