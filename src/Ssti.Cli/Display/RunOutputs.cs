using System.Text.Json.Nodes;
using Ssti.Engine.Running;
using Ssti.Reporting.Claims;
using Ssti.Reporting.Tables;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Display;

/// <summary>What a run ended in, for people: what its stages of kind table, claim, figure and report left, cached ones too, in the pipeline's order.</summary>
/// <param name="Tables">The tables.</param>
/// <param name="Claims">The claims.</param>
/// <param name="Pictures">Of a figure or a report its file, which another program opens, and its title.</param>
internal sealed record RunOutputs(
    IReadOnlyList<(string Stage, Table Table)> Tables, IReadOnlyList<(string Stage, Claim Claim)> Claims,
    IReadOnlyList<(string Stage, string File, string? Title)> Pictures)
{
    /// <summary>Reads them.</summary>
    /// <param name="store">Where they lie.</param>
    /// <param name="stages">The stages of the run, with their kinds and outputs.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="StoreException">One cannot be read; it was put aside, where it is damaged.</exception>
    public static async Task<RunOutputs> OfAsync(
        IArtifactStore store, IEnumerable<(string Stage, string Uses, Digest? Tree)> stages, CancellationToken cancellation)
    {
        var (tables, claims, pictures) = (new List<(string, Table)>(), new List<(string, Claim)>(), new List<(string, string, string?)>());
        foreach (var (stage, uses, digest) in stages)
        {
            if (uses is not ("table" or "claim" or "figure" or "report") || digest is not { } tree) continue;
            // By the file as well: a kind of another assembly may have such a name.
            var files = (await store.TreeAsync(tree, cancellation)).Files;
            if (uses == "table" && await ReadAsync(TableStage.JsonFile) is { } table) tables.Add((stage, Table.FromJson(table)));
            else if (uses == "claim" && await ReadAsync(ClaimStage.JsonFile) is { } claim) claims.Add((stage, ClaimText.FromJson(claim)));
            else if (uses == "figure" && await ReadAsync(FigureStage.JsonFile) is { } figure)
                pictures.Add((stage, FigureStage.SvgFile, Reporting.Figures.Figure.FromJson(figure).Title));
            else if (uses == "report" && files.Any(file => file.Path == ReportStage.HtmlFile)) pictures.Add((stage, ReportStage.HtmlFile, null));

            async Task<string?> ReadAsync(string name)
            {
                if (files.FirstOrDefault(file => file.Path == name) is not { Path: not null } file) return null;
                return await store.CheckedTextAsync(file.Digest, cancellation);
            }
        }

        return new(tables, claims, pictures);
    }

    /// <summary>Of a run that is over, what is there of them.</summary>
    /// <remarks>Of a stage that 'run --strict' fails for its warnings there are outputs as well.</remarks>
    public static Task<RunOutputs> OfAsync(IArtifactStore store, RunResult result, CancellationToken cancellation) => OfAsync(
        store,
        result.Stages.Where(stage => stage.State is StageState.Done or StageState.Cached).Select(stage => (stage.Instance.Name, stage.Instance.Kind.Name, stage.Tree)),
        cancellation);

    /// <summary>Tables and claims, and how to look at the pictures.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="pipeline">The pipeline's file.</param>
    /// <param name="overrides">What makes it another than the file says, as options.</param>
    public void Write(Terminal terminal, string pipeline, string overrides)
    {
        foreach (var table in Tables.Select(table => table.Table).Concat(Claims.Select(claim => ClaimText.ToTable(claim.Claim))))
            terminal.Out.WriteLine(table.ToConsole(terminal.Columns));
        foreach (var (stage, file, title) in Pictures)
            terminal.Out.WriteLine($"{file} of {stage}{(title is null ? "" : $" ({title})")}: ssti export {pipeline} {stage} FOLDER{overrides}");
        if (Pictures.Count > 0) terminal.Out.WriteLine();
    }

    /// <summary>The members of a run's JSON.</summary>
    public IEnumerable<KeyValuePair<string, JsonNode?>> ToJson() =>
    [
        new("tables", new JsonObject(Tables.Select(table => KeyValuePair.Create(table.Stage, JsonNode.Parse(table.Table.ToJson()))))),
        new("claims", new JsonObject(Claims.Select(claim => KeyValuePair.Create(claim.Stage, JsonNode.Parse(ClaimText.ToJson(claim.Claim)))))),
        new("pictures", new JsonObject(Pictures.Select(picture =>
            KeyValuePair.Create<string, JsonNode?>(picture.Stage, new JsonObject { ["file"] = picture.File, ["title"] = picture.Title })))),
    ];
}
