using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Commands;
using Ssti.Cli.Display;
using Ssti.Corpus;
using Ssti.Corpus.Sources;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Fit;

/// <summary>
/// Fits in two runs of the same pipeline file: the first reads rows and model, from which the training is chosen; the second is the whole, in which those two are cached.
/// </summary>
internal sealed class FitRun
{
    private readonly CliHost _host;
    private readonly ParseResult _parsed;
    private readonly FitPlace _place;
    private readonly bool _quiet, _verbose;
    private RunResult? _last;

    private FitRun(CliHost host, ParseResult parsed, FitPlace place) =>
        (_host, _parsed, _place, _quiet, _verbose) = (host, parsed, place, parsed.GetValue(CommonOptions.Quiet), parsed.GetValue(CommonOptions.Verbose));

    /// <summary>Fits; returns the exit code.</summary>
    /// <exception cref="UserException">The data cannot be trained on as they are; the message says what to do.</exception>
    public static async Task<int> RunAsync(CliHost host, ParseResult parsed, FitPlace place, CancellationToken cancellation)
    {
        var fit = new FitRun(host, parsed, place);
        var (pipeline, glance) = await fit.PlanAsync(cancellation);
        using var store = CommonOptions.Open(parsed, host, place.Pipeline);
        using var locked = place.Lock(store);
        Fitted? fitted;
        await using (var shown = new ShownRun(host, fit._quiet, cancellation)) fitted = await fit.FitAsync(pipeline, glance, store, shown, cancellation);
        return fitted is null ? fit.Ended(fit._last!) : fit.Report(fitted);
    }

    private sealed record Fitted(FittedFolder Folder, FitChoice Choice, TrainingSurvey Survey, RunOutputs Outputs);

    // Null where a run did not come to its end.
    private async Task<Fitted?> FitAsync(FitPipeline pipeline, SourceGlance glance, OpenStore store, ShownRun shown, CancellationToken cancellation)
    {
        using var before = new FilesBefore(pipeline.Path, pipeline.LocalPath);
        if (await SurveyAsync(pipeline, store, shown, cancellation) is not (var surveyed, { } survey)) return null;
        var choice = FitChoice.Of(_parsed, survey);
        if (!_quiet) foreach (var told in choice.Told) shown.Display.Info($"note: {told}");
        await surveyed.WriteAsync(choice, cancellation);
        before.Forget();
        if (await ExecuteAsync(store, shown) is not { } outputs) return null;
        var folder = new FittedFolder(_place, store.Artifacts, _last!);
        await folder.WriteAsync(glance, cancellation);
        return new(folder, choice, survey, outputs);
    }

    // What the data are, by a look at their first row: what is wrong with the columns is told at once.
    private async Task<(FitPipeline Pipeline, SourceGlance Glance)> PlanAsync(CancellationToken cancellation)
    {
        var import = RowOptions.Of(_parsed);
        SourceGlance glance;
        try
        {
            var source = new LocalFolder(_place.Data);
            if (source.IsSingleFile) import = import with { Split = "train" };
            if (FitOptions.LabelsOf(_parsed) is { Count: > 0 } labels) import = import with { Labels = labels };
            glance = await TextRows.GlanceAsync(source, import, cancellation);
        }
        catch (CorpusException error)
        {
            throw RowOptions.Explain(error);
        }

        if (!glance.Splits.Contains("train")) throw new UserException($"{_place.Data} has no training rows: its files are of {string.Join(", ", glance.Splits)}");
        if (!glance.HasFields && (_parsed.GetValue(RowOptions.Text) ?? _parsed.GetValue(RowOptions.Label)) is not null)
            throw new UserException($"{_place.Data}: files of this format have no columns; leave {RowOptions.Text.Name} and {RowOptions.Label.Name} out");
        if (glance is { HasFields: true, Label: null })
        {
            throw RowOptions.Explain(new CorpusException("") { Missing = new MissingField(Path.GetFileName(_place.Data), "label", null, glance.Fields) });
        }

        var (test, validation) = (glance.Splits.Contains("test"), glance.Splits.Contains("validation"));
        string[] splits = test && validation ? ["train", "validation", "test"] : test || validation ? ["train", "test"] : ["train"];
        if (splits.Contains("test") && _parsed.GetValue(FitOptions.Test) is not null)
            throw new UserException($"{FitOptions.Test.Name}: the data have test rows of their own ({string.Join(", ", glance.Splits)}), which are measured; leave it out");
        return (Pipeline(import, splits), glance);
    }

    private FitPipeline Pipeline(ImportOptions import, IReadOnlyList<string> splits)
    {
        List<(string, double)> held = [];
        if (!splits.Contains("validation")) held.Add(("validation", _parsed.GetValue(FitOptions.Validation) ?? FitChoice.UsualShare));
        if (!splits.Contains("test")) held.Add(("test", _parsed.GetValue(FitOptions.Test) ?? FitChoice.UsualShare));
        if (held.Sum(split => split.Item2) >= 1)
            throw new UserException($"{FitOptions.Validation.Name} and {FitOptions.Test.Name} add up to 1 or more: nothing is left to train on");
        return new FitPipeline(_place.Pipeline, _place.Name, _place.Data, _place.Model)
        {
            Title = _place.Title, Device = _parsed.GetValue(PipelineOptions.Device), Import = import, Splits = splits, HeldOut = held,
            Seed = _parsed.GetValue(FitOptions.Seed) ?? FitChoice.UsualSeed,
        };
    }

    // Null where the first run did not come to its end.
    private async Task<(FitPipeline, TrainingSurvey?)> SurveyAsync(FitPipeline pipeline, OpenStore store, ShownRun shown, CancellationToken cancellation)
    {
        await pipeline.WriteAsync(null, cancellation);
        if (await ExecuteAsync(store, shown) is null) return (pipeline, null);
        var scratch = Directory.CreateTempSubdirectory("ssti-fit-").FullName;
        TrainingSurvey survey;
        try
        {
            var rows = pipeline.HeldOut.Count > 0 ? FitPipeline.Rows : FitPipeline.Data;
            survey = TrainingSurvey.Of(
                await TreeAsync(store.Artifacts, rows, cancellation), await TreeAsync(store.Artifacts, FitPipeline.Backbone, cancellation), scratch, cancellation);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        // A test split without labels, as those of competitions: the validation split is what can be measured on, and another one is held out.
        if (survey.TestFrom == "validation" && pipeline.Splits.Contains("validation"))
            return await SurveyAsync(Pipeline(pipeline.Import, ["train", "test"]), store, shown, cancellation);
        string[] classes = [.. survey.Labels.Where((_, label) => survey.Counts["train"][label] > 0)];
        if (classes.Length < 2)
        {
            throw new UserException(
                $"{_place.Data}: the training rows have {(classes.Length == 0 ? "no class" : $"one class only ('{classes[0]}')")}, and there is "
                + "nothing to tell apart"
                + (_parsed.GetValue(RowOptions.Label) is null ? $"; is the label in another column? Name it with {RowOptions.Label.Name}" : ""));
        }

        return (pipeline, survey);
    }

    private async Task<RunOutputs?> ExecuteAsync(OpenStore store, ShownRun shown)
    {
        using var session = PipelineSession.Open(_parsed, _host, _place.Pipeline, opened: store);
        var telemetry = _host.Telemetry();
        using var export = telemetry as IDisposable;
        var listener = new RunListener(shown.Display, _verbose, _host.Time, new ValidationListener(shown.Display, _verbose, telemetry));
        (_last, var outputs) = await shown.RunAsync(
            session,
            new RunOptions { CommandLine = Secrets.Without($"ssti {string.Join(' ', _parsed.Tokens.Select(token => token.Value))}") },
            listener);
        return _last.Outcome == RunOutcome.Succeeded ? outputs : null;
    }

    private async Task<InputTree> TreeAsync(IArtifactStore store, string stage, CancellationToken cancellation)
    {
        var result = _last!.Stages.Single(one => one.Instance.Name == stage);
        var paths = new Dictionary<string, string>();
        foreach (var file in (await store.TreeAsync(result.Tree!.Value, cancellation)).Files) paths[file.Path] = await store.CheckedPathAsync(file.Digest, cancellation);
        return new InputTree(stage, result.Instance.Kind.Name, new Dictionary<string, string>(), paths);
    }

    private int Ended(RunResult result)
    {
        if (_parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(_host.Terminal.Out, RunText.Json(result, new RunOutputs([], [], [])));
        RunText.WriteWarnings(_host.Terminal.Error, result);
        RunText.WriteFailures(_host.Terminal.Error, result, strict: false, RowOptions.InOptions);
        if (result.Outcome != RunOutcome.Cancelled) return ExitCodes.Failed;
        _host.Terminal.Error.WriteLine("interrupted; what is finished is kept, and a training in its last checkpoint: the same command goes on from here");
        return ExitCodes.Interrupted;
    }

    private int Report(Fitted fitted)
    {
        var ((folder, choice, survey, outputs), output, result) = (fitted, _host.Terminal.Out, _last!);
        if (_parsed.GetValue(CommonOptions.Json))
        {
            JsonOutput.Write(output, new JsonObject([.. RunText.Json(result, outputs).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())),
                KeyValuePair.Create<string, JsonNode?>("fit", folder.ToJson(choice, survey))]));
        }
        else
        {
            (outputs with { Pictures = [] }).Write(_host.Terminal, _place.Pipeline, "");
            if (!_quiet) foreach (var line in folder.Tell(choice, survey, RunsAgain())) output.WriteLine(line);
        }

        RunText.WriteWarnings(_host.Terminal.Error, result);
        return ExitCodes.Done;
    }

    // With the options that another command on this pipeline needs.
    private string RunsAgain() => $"ssti run {Path.GetRelativePath(_host.WorkingFolder, _place.Pipeline)}{PipelineOptions.Again(_parsed)}";
}
