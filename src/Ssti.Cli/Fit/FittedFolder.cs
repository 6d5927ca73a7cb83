using System.Globalization;
using System.Text.Json.Nodes;
using Ssti.Corpus.Sources;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Fit;

/// <summary>The folder of a fitted model: what the training left, the report, and <see cref="FitFile"/>. There whole or not at all.</summary>
internal sealed class FittedFolder(FitPlace place, IArtifactStore store, RunResult run)
{
    private JsonNode? _training;

    /// <summary>Writes it aside, and puts it in its place.</summary>
    public async Task WriteAsync(SourceGlance glance, CancellationToken cancellation)
    {
        var parent = Path.GetDirectoryName(place.Folder)!;
        var aside = Path.Combine(parent, $".{Path.GetFileName(place.Folder)}-{Guid.NewGuid().ToString("n")[..8]}");
        try
        {
            await Exporter.ExportAsync(store, [(Tree(FitPipeline.Tuned), ""), (Tree(FitPipeline.Page), "")], aside, overwrite: false, cancellation);
            _training = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(aside, TrainStage.DescriptionFile), cancellation));
            var file = FitFile.Of(
                await ModelAsync(cancellation), Tree(FitPipeline.Backbone).ToString(), glance.Text, glance.Label, Path.GetFileName(place.Pipeline), run.RunId);
            await File.WriteAllTextAsync(Path.Combine(aside, FitFile.Name), file.ToJson(), cancellation);
            cancellation.ThrowIfCancellationRequested();
            Replace(aside);
        }
        finally
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
        }
    }

    /// <summary>What came out, for people.</summary>
    public IEnumerable<string> Tell(FitChoice choice, TrainingSurvey survey, string again)
    {
        var counts = survey.Counts;
        yield return $"rows: {counts["train"].Sum()} trained on, {counts["validation"].Sum()} looked at meanwhile, {counts["test"].Sum()} measured";
        var (look, how) = (_training!["validation"]!, CultureInfo.InvariantCulture);
        var best = look["best"]!;
        yield return string.Create(
            how,
            $"kept: the state after update {best["step"]} (validation loss {(double)best["loss"]!:0.000}, {100 * (double)best["accuracy"]!:0.0} % right); ")
            + ((bool)look["stoppedEarly"]! ? $"stopped after {look["updates"]} of {choice.Steps} updates, as the loss fell no more" : $"all {choice.Steps} updates were made");
        yield return $"model: {place.Shown} "
            + $"({(choice.Train == "adapter" ? "an adapter and its head, as PEFT saves them" : choice.Train == "head" ? "the head alone" : "all weights, and the head")})";
        yield return $"report: {Path.Combine(place.Shown, ReportStage.HtmlFile)}";
        yield return $"pipeline: {again}  gives the same";
        yield return $"next: ssti predict {place.Shown} ROWS";
    }

    /// <summary>The same for programs.</summary>
    public JsonObject ToJson(FitChoice choice, TrainingSurvey survey) => new()
    {
        ["folder"] = place.Folder,
        ["pipeline"] = place.Pipeline,
        ["report"] = Path.Combine(place.Folder, ReportStage.HtmlFile),
        ["labels"] = new JsonArray([.. survey.Labels.Select(label => (JsonNode)label)]),
        ["rows"] = new JsonObject(survey.Counts.Select(split => KeyValuePair.Create(split.Key, (JsonNode?)split.Value.Sum()))),
        ["train"] = choice.Train,
        ["learningRate"] = double.Parse(choice.LearningRate, CultureInfo.InvariantCulture),
        ["steps"] = choice.Steps,
        ["batchSize"] = choice.BatchSize,
        ["maxLength"] = choice.MaxLength,
        ["classWeights"] = choice.Balanced ? "balanced" : "equal",
        ["validation"] = _training!["validation"]!.DeepClone(),
    };

    private Digest Tree(string stage) => run.Stages.Single(one => one.Instance.Name == stage).Tree!.Value;

    // Where the model is found again: at the revision that was read, or its folder.
    private async Task<string> ModelAsync(CancellationToken cancellation)
    {
        if (place.Model.Contains("://", StringComparison.Ordinal))
        {
            var files = (await store.TreeAsync(Tree(FitPipeline.Backbone), cancellation)).Files;
            var source = JsonNode.Parse(await store.CheckedTextAsync(files.Single(file => file.Path == ModelStage.SourceFile).Digest, cancellation))!;
            return (string?)source["revision"] is { } revision && place.Model.StartsWith("hf://", StringComparison.Ordinal)
                ? $"{place.Model.Split('@')[0]}@{revision}"
                : place.Model;
        }

        var project = ProjectFolder.Of(Path.GetDirectoryName(place.Folder)!);
        return project is not null && place.Model.StartsWith(project + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? Path.GetRelativePath(place.Folder, place.Model) : place.Model;
    }

    private void Replace(string aside)
    {
        if (!Directory.Exists(place.Folder))
        {
            Directory.Move(aside, place.Folder);
            return;
        }

        var old = $"{aside}.old";
        Directory.Move(place.Folder, old);
        try
        {
            Directory.Move(aside, place.Folder);
        }
        catch
        {
            Directory.Move(old, place.Folder);
            throw;
        }

        Directory.Delete(old, recursive: true);
    }
}
