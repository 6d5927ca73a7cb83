using Ssti.Cli.Commands;
using Ssti.Cli;
using Ssti.Corpus.Hub;
using Ssti.Stages;
using Ssti.Telemetry;

// UTF-8 whatever the locale: the tables have dashes and plus-minus signs.
Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

static HubOptions Hub() => HubOptions.FromEnvironment(Environment.GetEnvironmentVariable, HubOptions.Home);

return await CommandLine.RunAsync(args, new CliHost
{
    Kinds = () => StageKinds.With(Hub(), Environment.GetEnvironmentVariable),
    Sources = () => new HubResolver(Hub()),
    Terminal = Terminal.OfProcess(Environment.GetEnvironmentVariable),
    WorkingFolder = Environment.CurrentDirectory,
    Environment = Environment.GetEnvironmentVariable,
    Probe = new ComputeProbe(),
    Telemetry = () => TelemetryExport.Start("ssti", Environment.GetEnvironmentVariable, problem => Console.Error.WriteLine($"warning: {problem}")),
});
