using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti report</c>: a run as one HTML page.</summary>
internal static class ReportCommand
{
    private const int MostRows = 50;

    private static readonly Argument<string> Run = new("run") { Description = CommonOptions.RunHelp, Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = _ => "last" };

    private static readonly Option<int?> Rows = WholeNumber.Option("--rows", null, 0, $"Injected rows shown of each split (default: {RunReport.UsualRows}).", MostRows);

    public static Command Create(CliHost host)
    {
        var command = new Command(
            "report", "Put a run on one HTML page: claims, tables, figures, rows, graph, times, keys; in a terminal, without --output, as report-<run>.html.")
        {
            Run, OutputFile.Option, Rows, CommonOptions.OfPipeline, CommonOptions.Store,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var store = CommonOptions.Open(parsed, host).MustExist(host.WorkingFolder);
            using var use = store.UseToRead();
            var run = RunNames.In(store, parsed, host).Find(parsed.GetRequiredValue(Run));
            var page = await RunReport.OfAsync(store, run, parsed.GetValue(Rows) ?? RunReport.UsualRows, cancellation);
            var html = Reporting.Report.ReportHtml.Of(page);
            var file = parsed.GetValue(OutputFile.Option) ?? (host.Terminal.Columns is null ? null : $"report-{run.Id}.html");
            var path = file is null ? null : Path.GetFullPath(file, host.WorkingFolder);
            if (path is not null) await OutputFile.WriteAsync(path, html, cancellation);
            if (parsed.GetValue(CommonOptions.Json))
            {
                JsonOutput.Write(host.Terminal.Out, new JsonObject
                {
                    ["run"] = run.Id, ["file"] = path, ["bytes"] = Encoding.UTF8.GetByteCount(html), ["html"] = path is null ? html : null,
                    ["claims"] = new JsonObject(page.Claims.Select(claim => KeyValuePair.Create(claim.Stage, (JsonNode?)claim.Content.Verdict.ToString()))),
                });
            }
            else if (path is null) await host.Terminal.Out.WriteAsync(html);
            else CommonOptions.Note(parsed, host, $"{path}: open it in a browser");
            return ExitCodes.Done;
        });
        return command;
    }
}
