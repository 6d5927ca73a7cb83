using System.CommandLine;
using System.Text.Json.Nodes;
using Ssti.Cli.Display;
using Ssti.Nets.Conversion;
using Ssti.Nets.Models;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti convert</c>: a model in another program's format as a folder that the model stage, and transformers, can read.</summary>
internal static class ConvertCommand
{
    private static readonly Argument<string> From = new("from")
    {
        Description = "A llama2.c checkpoint (.bin) or a BERT encoder in ONNX (.onnx), or the folder of one.",
    };

    private static readonly Argument<string> To = new("to-folder") { Description = "Where to write; must not be there, or be empty." };

    private static readonly Option<string?> Tokenizer = new("--tokenizer")
    {
        Description = "The tokenizer's file, or its folder (default: what lies beside the weights).", HelpName = "file|folder",
    };

    public static Command Create(CliHost host)
    {
        var command = new Command("convert", "Convert a model (llama2.c, ONNX) into safetensors, config.json and tokenizer files as Hugging Face lays them out.")
        {
            From, To, Tokenizer,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(host, parsed, cancellation)));
        return command;
    }

    private static int Run(CliHost host, ParseResult parsed, CancellationToken cancellation)
    {
        var (from, to) = (PathOf(parsed.GetRequiredValue(From), host), PathOf(parsed.GetRequiredValue(To), host));
        var tokenizer = parsed.GetValue(Tokenizer) is { } named ? PathOf(named, host) : null;
        var json = parsed.GetValue(CommonOptions.Json);
        var last = default(ConversionProgress);
        try
        {
            var source = ConversionSource.Find(from, tokenizer);
            using (var meter = new Meter(host.Terminal, parsed.GetValue(CommonOptions.Quiet) || json, "convert", host.Time, "tensor"))
            {
                ModelConverter.Convert(source, to, progress =>
                {
                    last = progress;
                    meter.Show(progress.Done, progress.Bytes, progress.Total, progress.AllBytes);
                }, cancellation);
            }

            string[] files = [.. Directory.GetFiles(to).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
            if (json) JsonOutput.Write(host.Terminal.Out, new JsonObject
            {
                ["from"] = source.Weights, ["format"] = source.IsOnnx ? "onnx" : "llama2.c", ["folder"] = to, ["tensors"] = last.Total, ["bytes"] = last.AllBytes,
                ["files"] = new JsonArray([.. files.Select(file => (JsonNode)file)]),
            });
            else host.Terminal.Out.WriteLine($"{to}: {string.Join(", ", files)}; {Amounts.Of(last.Total, "tensor")}, {Amounts.Bytes(last.AllBytes)}");
            return ExitCodes.Done;
        }
        catch (ModelException error)
        {
            throw new UserException(error.Message);
        }
    }

    private static string PathOf(string named, CliHost host) =>
        named.Length > 0 ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(named, host.WorkingFolder)) : throw new UserException("an empty name is no file or folder");
}
