using System.CommandLine;
using Ssti.Cli.Display;
using Ssti.Cli.Fit;
using Ssti.Corpus;
using Ssti.Corpus.Sources;
using Ssti.Engine.Stages;
using Ssti.Nets.Native;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti predict</c>: label and probability of each text, as it is read.</summary>
internal static class PredictCommand
{
    private static readonly Argument<string> Folder = new("model-folder")
    {
        Description = "What 'ssti fit' wrote, 'ssti export' made of a train stage, or PEFT saved (then with --model and --labels).",
    };

    private static readonly Argument<string?> Rows = new("rows")
    {
        Description = "The file of texts: CSV, TSV, JSON lines, Parquet, or a text a line (.txt). Without one, or with -, standard input, a text a line.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> AllClasses = new("--all-classes") { Description = "The probability of every class, too." };

    public static Command Create(CliHost host)
    {
        var command = new Command("predict", "Classify texts with a model that 'ssti fit' made: CSV (with --json, a JSON object a line), a row as soon as it is read.")
        {
            Folder, Rows, RowOptions.Model, AdapterAudit.Labels, AdapterAudit.MaxLength, RowOptions.Text, RowOptions.Id, RowOptions.Format,
            RowOptions.Encoding, RowOptions.Delimiter, RowOptions.NoHeader, RowOptions.NoQuotes, AllClasses, OutputFile.Option, PipelineOptions.Device, CommonOptions.Store,
        };
        command.SetAction((parsed, cancellation) => PredictAsync(host, parsed, cancellation));
        return command;
    }

    private static async Task<int> PredictAsync(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var folder = Path.GetFullPath(parsed.GetRequiredValue(Folder), host.WorkingFolder);
        OutputFile.Look(host.WorkingFolder, [folder, parsed.GetValue(Rows)], (OutputFile.Option.Name, parsed.GetValue(OutputFile.Option)));
        var compute = host.Probe.Resolve(new ComputeRequest { Device = parsed.GetValue(PipelineOptions.Device) ?? "auto" });
        var scratch = Directory.CreateTempSubdirectory("ssti-predict-").FullName;
        using var files = Opened(folder, scratch, compute, Said);
        var fitted = FitFile.Read(folder);
        await TakeBaseAsync(host, parsed, files, folder, fitted, cancellation);
        if (!files.IsDescribed)
        {
            string[] labels = [.. (parsed.GetValue(AdapterAudit.Labels) ?? []).SelectMany(names => names.Split(',', StringSplitOptions.TrimEntries))];
            await files.DescribeAsync(labels.Length > 0 ? labels : null, parsed.GetValue(AdapterAudit.MaxLength), Kind(host, "adapter"), cancellation);
        }
        else if ((parsed.GetResult(AdapterAudit.Labels) ?? parsed.GetResult(AdapterAudit.MaxLength)) is { Implicit: false } given)
        {
            throw new UserException($"{given.Option.Name} belongs to an adapter of PEFT's; {folder} says itself what its classes are called and how long its rows are");
        }

        using var source = TextSource.Open(host, parsed, parsed.GetValue(Rows), fitted?.Text);
        var report = new PredictionReport();
        var output = parsed.GetValue(OutputFile.Option) is { } file ? Path.GetFullPath(file, host.WorkingFolder) : null;
        try
        {
            if (output is not null) await OutputFile.WriteAsync(output, writer => ClassifyAsync(writer));
            else
            {
                var writer = host.Terminal.OpenOut();
                await ClassifyAsync(writer);
                if (writer != host.Terminal.Out) await writer.DisposeAsync();
            }
        }
        catch (StageException error) when (error.InnerException is CorpusException wrong)
        {
            throw RowOptions.Explain(wrong, parsed.GetValue(RowOptions.Text) is null && fitted?.Text is not null ? " (the model was fitted on it)" : null);
        }
        catch (IOException error) when (output is null && Terminal.IsNobodyReading(error))
        {
            // 'ssti predict … | head': whoever read has enough.
            return ExitCodes.Done;
        }

        foreach (var warning in report.Warnings()) host.Terminal.Error.WriteLine($"warning: {warning}");
        CommonOptions.Note(parsed, host, report.Summary(output));
        return ExitCodes.Done;

        Task ClassifyAsync(TextWriter writer) => RowClassifier.UseAsync(files, compute, (classifier, doubts) =>
        {
            foreach (var doubt in doubts) host.Terminal.Error.WriteLine($"warning: {doubt}");
            report.Begin(classifier);
            var lines = new PredictionLines(classifier.Labels, parsed.GetValue(CommonOptions.Json), parsed.GetValue(AllClasses));
            foreach (var rows in source.Windows(classifier.RowsTogether, cancellation))
            {
                cancellation.ThrowIfCancellationRequested();
                var predictions = classifier.Classify([.. rows.Select(row => row.Text)], cancellation);
                report.Count(predictions);
                writer.Write(lines.Of(rows, predictions));
                writer.Flush();
            }

            writer.Write(lines.End());
            writer.Flush();
        });

        void Said(string line)
        {
            if (parsed.GetValue(CommonOptions.Verbose)) host.Terminal.Error.WriteLine(line);
        }
    }

    private static ClassifierFiles Opened(string folder, string scratch, ComputeSettings compute, Action<string> log)
    {
        try
        {
            return ClassifierFiles.Open(folder, scratch, compute, log);
        }
        catch (StageException error)
        {
            Directory.Delete(scratch, recursive: true);
            throw new UserException(error.Message);
        }
    }

    private static async Task TakeBaseAsync(CliHost host, ParseResult parsed, ClassifierFiles files, string folder, FitFile? fitted, CancellationToken cancellation)
    {
        if (parsed.GetValue(RowOptions.Model) is { } named)
        {
            await files.FetchBaseAsync(SourceOf(named, host.WorkingFolder), Kind(host, "model"), cancellation);
            return;
        }

        if (fitted is null)
        {
            throw new UserException($"{folder} does not say where the model is that was tuned{ClassifierHint.Of(folder)}: give it with --model");
        }

        using var store = CommonOptions.Open(parsed, host);
        if (store.Exists && await InStoreAsync(store.Artifacts, fitted, cancellation) is { } stored) files.TakeBase(fitted.Model, stored);
        else await files.FetchBaseAsync(SourceOf(fitted.Model, folder), Kind(host, "model"), cancellation);
    }

    // As the fit left it in the store: nothing has to be fetched.
    private static async Task<IReadOnlyDictionary<string, string>?> InStoreAsync(IArtifactStore store, FitFile fitted, CancellationToken cancellation)
    {
        if (Digest.TryParse(fitted.Base, out var tree) && (await store.SizesAsync([tree], cancellation))[0] >= 0)
        {
            var files = (await store.TreeAsync(tree, cancellation)).Files;
            if ((await store.SizesAsync([.. files.Select(file => file.Digest)], cancellation)).Any(size => size < 0)) return null;
            var paths = new Dictionary<string, string>();
            foreach (var file in files) paths[file.Path] = await store.LocalPathAsync(file.Digest, cancellation);
            return paths;
        }

        return null;
    }

    private static SourcePath SourceOf(string named, string folder) =>
        named.Contains("://", StringComparison.Ordinal) ? new(named, null) : new(named, Path.GetFullPath(named, folder));

    private static IStageKind Kind(CliHost host, string name) => host.Kinds().FirstOrDefault(kind => kind.Name == name)
        ?? throw new UserException($"this program has no stage kind '{name}', which reads models");
}
