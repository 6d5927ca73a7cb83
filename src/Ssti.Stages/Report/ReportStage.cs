using System.Text;
using Ssti.Engine.Stages;
using Ssti.Reporting.Report;
using Ssti.Store;

namespace Ssti.Stages;

/// <summary>
/// Puts what other stages left on one page, <c>report.html</c>: claims, tables, figures, attention over the text, injected rows, measurements. It knows no clock and no
/// machine, so times, keys and the graph of a run stand in the page of <c>ssti report</c> instead.
/// </summary>
public sealed class ReportStage : StageKind<ReportParameters>
{
    /// <summary>The page.</summary>
    public const string HtmlFile = "report.html";

    private const int MostRows = 50;

    /// <inheritdoc/>
    public override string Name => "report";

    /// <inheritdoc/>
    public override int Version => 1;

    /// <inheritdoc/>
    public override string Summary => "Puts claims, tables, figures, attention and injected rows on one HTML page that needs nothing else.";

    /// <inheritdoc/>
    public override bool UsesSeed(ReportParameters parameters) => false;

    /// <inheritdoc/>
    public override bool TellsProfile => true;

    /// <inheritdoc/>
    public override IReadOnlyList<StageInput> Inputs { get; } =
        [new("parts", "What is shown (uses: claim, table, figure, attention, inject, evaluate …): by its files and its kind", Many: true)];

    /// <inheritdoc/>
    public override IEnumerable<ParameterError> Validate(ReportParameters parameters)
    {
        if (string.IsNullOrWhiteSpace(parameters.Title)) yield return new("title", "is empty; give the page a name");
        if (parameters.Rows is < 0 or > MostRows) yield return new("rows", $"must be from 0 to {MostRows}");
    }

    /// <inheritdoc/>
    public override async Task RunAsync(ReportParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var (parts, origins, missing) = (new ReportParts(parameters.Rows), new List<ReportOrigin>(), new List<ReportNote>());
        var trees = context.Inputs["parts"];
        var datasets = ReportParts.FirstDatasets(trees, tree => (tree.StageName, [.. tree.Files]));
        foreach (var (number, tree) in trees.Index())
        {
            cancellation.ThrowIfCancellationRequested();
            var (files, injected) = (ReportParts.FilesOf(tree.Uses, [.. tree.Files], datasets.Contains(tree)), ReportParts.IsInjected([.. tree.Files]));
            if (injected && !datasets.Contains(tree)) missing.Add(new(tree.StageName, ReportParts.TooMany));
            else if (files.Count == 0) missing.Add(new(tree.StageName, $"a {tree.Uses} stage leaves nothing that a report shows"));
            parts.Add(tree, files);
            origins.Add(new(tree.StageName, tree.Uses, tree.Cell)
            {
                Output = files.Count == 0 ? null : Digest.Of(await File.ReadAllBytesAsync(tree.PathOf(files[0]), cancellation)).ToString(),
                Numerics = parts.NumericsOf(tree.StageName),
            });
            context.Progress(new(number + 1, trees.Count, "parts"));
        }

        if (missing.Count == trees.Count)
            throw new StageException("none of the parts holds anything that a report shows; give it claims, tables, figures, evaluations or injected datasets");
        var html = ReportHtml.Of(parts.On(new ReportPage(parameters.Title)
        {
            Lead = parameters.Lead,
            Facts =
            [
                .. context.Profile is { } profile ? [new ReportFact("Profile", profile)] : Array.Empty<ReportFact>(),
                new("Made by", $"a report stage, from the outputs of {trees.Count} stages"),
                new("Not on this page", "times, keys and the graph: 'ssti report' shows a run with them"),
            ],
            Doubts = parts.Doubts,
            Missing = missing,
            Origins = origins,
            More = "'ssti export' writes the stage's output",
        }));
        context.Log($"{trees.Count} parts, {Encoding.UTF8.GetByteCount(html)} bytes");
        await File.WriteAllTextAsync(context.Output(HtmlFile), html, new UTF8Encoding(false), cancellation);
    }
}
