using System.CommandLine;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Stages;

namespace Ssti.Cli.Commands;

/// <summary><c>ssti schema</c>: the pipeline format as JSON Schema, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Create(CliHost host)
    {
        var command = new Command("schema", "Print the JSON Schema of pipelines, for editors that complete and check YAML.");
        command.SetAction(_ =>
        {
            JsonOutput.Write(host.Terminal.Out, PipelineSchema.Of(new StageCatalog(host.Kinds())));
            return ExitCodes.Done;
        });
        return command;
    }
}
