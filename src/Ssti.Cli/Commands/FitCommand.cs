using System.CommandLine;
using Ssti.Cli.Fit;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti fit</c>: a classifier of a user's own rows, by a pipeline that is written for it.</summary>
internal static class FitCommand
{
    private static readonly Argument<string> Data = new("data")
    {
        Description = "A file of labelled rows (CSV, TSV, JSON lines, Parquet, fastText's .txt), or a folder with train and test files.",
    };

    public static Command Create(CliHost host)
    {
        var command = new Command("fit", "Train a classifier on your own rows, with LoRA and defaults that suit them: the model in a folder, a table by class, a report.") { Data };
        foreach (var option in (Option[])[RowOptions.Model, RowOptions.Text, RowOptions.Label, RowOptions.Encoding, RowOptions.Delimiter, RowOptions.NoHeader, RowOptions.NoQuotes,
            .. FitOptions.All, PipelineOptions.Device, CommonOptions.Store]) command.Add(option);
        command.SetAction((parsed, cancellation) => FitRun.RunAsync(host, parsed, FitPlace.Of(host, parsed, parsed.GetRequiredValue(Data)), cancellation));
        return command;
    }
}
