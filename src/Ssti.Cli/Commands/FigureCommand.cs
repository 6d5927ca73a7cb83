using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Engine.Records;
using Ssti.Reporting.Figures;
using Ssti.Stages;
using Ssti.Store;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti figure</c>: the figures of a run as pictures. PNG is drawn here and now, and never stored: its pixels depend on the processor.</summary>
internal static class FigureCommand
{
    private static readonly Argument<string> Run = new("run")
    {
        Description = CommonOptions.RunHelp, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last",
    };

    private static readonly Option<bool> Png = new("--png") { Description = "PNG alone (default: PNG and SVG)." };
    private static readonly Option<bool> Svg = new("--svg") { Description = "SVG alone." };
    private static readonly Option<string> Folder = new("--output", "-o") { Description = "The folder (default: the working folder).", HelpName = "folder", DefaultValueFactory = _ => "." };

    private static readonly Option<int?> Scale = WholeNumber.Option("--scale", null, 1, $"Pixels of a PNG for each of the figure's, at most {FigureDrawing.LargestScale} (default: 2).");

    private static readonly Option<bool> Overwrite = new("--force", "-f") { Description = "Write over pictures that are there." };

    public static Command Create(CliHost host)
    {
        var command = new Command("figure", "Draw the figures of a run: <stage>.png and <stage>.svg.")
        {
            Run, Png, Svg, Folder, Scale, Overwrite, CommonOptions.Stages, CommonOptions.OfPipeline, CommonOptions.Store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            using var use = store.UseToRead();
            if (parsed.GetValue(Scale) > FigureDrawing.LargestScale) throw new UserException($"--scale: at most {FigureDrawing.LargestScale}");
            var run = RunNames.In(store, parsed, host).Find(parsed.GetRequiredValue(Run));
            var figures = await FiguresAsync(store.Artifacts, run, StageSelection.Of(parsed), cancellation);
            var (png, svg) = (parsed.GetValue(Png) || !parsed.GetValue(Svg), parsed.GetValue(Svg) || !parsed.GetValue(Png));
            var pictures = new List<(string Stage, string File, byte[] Bytes)>();
            foreach (var (stage, figure) in figures)
            {
                if (svg) pictures.Add((stage, $"{stage}.svg", Encoding.UTF8.GetBytes(FigureDrawing.ToSvg(figure))));
                if (png) pictures.Add((stage, $"{stage}.png", FigureDrawing.ToPng(figure, parsed.GetValue(Scale) ?? 2)));
            }

            Write(host, parsed, pictures);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task<IReadOnlyList<(string Stage, Figure Figure)>> FiguresAsync(
        IArtifactStore store, PastRun run, StageSelection selection, CancellationToken cancellation)
    {
        var (figures, gone) = (new List<(string, Figure)>(), new List<string>());
        // By the file and not by the kind: a histogram of token entropies is a figure as well.
        foreach (var stage in selection.In(run))
        {
            if (stage.Uses == "figure" && !await PastOutputs.IsThereAsync(store, stage, cancellation)) gone.Add(stage.Stage);
            if (await PastOutputs.ReadAsync(store, stage, [FigureStage.JsonFile, TokenEntropyStage.HistogramFile], Figure.FromJson, cancellation,
                why => throw new UserException($"the figure of {stage.Stage} cannot be drawn: {why}", ExitCodes.Failed)) is { } figure) figures.Add((stage.Stage, figure));
        }

        if (figures.Count > 0 && gone.Count == 0) return figures;
        throw new UserException(gone.Count > 0 ? $"{string.Join(", ", gone)}: not made in run {run.Id}, or not in the store any more"
            : $"run {run.Id} of {run.Pipeline} drew no figure{(selection.IsAll ? "" : $" in {selection}")}");
    }

    // All are drawn before any is written.
    private static void Write(CliHost host, ParseResult parsed, IReadOnlyList<(string Stage, string File, byte[] Bytes)> pictures)
    {
        var folder = Path.GetFullPath(parsed.GetRequiredValue(Folder), host.WorkingFolder);
        if (!parsed.GetValue(Overwrite) && pictures.Select(picture => Path.Combine(folder, picture.File)).FirstOrDefault(Path.Exists) is { } taken)
            throw new UserException($"'{taken}' is there already; name another folder with -o, or write over it with --force");
        Directory.CreateDirectory(folder);
        var written = new JsonArray();
        foreach (var (stage, file, bytes) in pictures)
        {
            var path = Path.Combine(folder, file);
            var aside = $"{path}.{Guid.NewGuid():n}.tmp";
            File.WriteAllBytes(aside, bytes);
            File.Move(aside, path, overwrite: true);
            written.Add(new JsonObject { ["stage"] = stage, ["file"] = path, ["bytes"] = bytes.Length });
            if (!parsed.GetValue(CommonOptions.Json)) host.Terminal.Out.WriteLine(path);
        }

        if (parsed.GetValue(CommonOptions.Json)) JsonOutput.Write(host.Terminal.Out, new JsonObject { ["figures"] = written });
    }
}
