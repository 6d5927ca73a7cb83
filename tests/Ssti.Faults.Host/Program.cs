// Runs a pipeline of small stages as a process of its own, so that tests can kill it.
//   Ssti.Faults.Host <pipeline> <store> <file that executions are appended to> [jobs]
// Prints "instance state tree" for each stage as it ends, then "outcome <outcome>".
using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Faults.Host;
using Ssti.Store;
using Ssti.Store.Files;

var loaded = PipelineLoader.Load(args[0], [], new StageCatalog([new MakeKind(args[2]), new MixKind(args[2])]));
if (loaded.Pipeline is not { } pipeline)
{
    Console.Error.WriteLine(string.Join('\n', loaded.Diagnostics));
    return 2;
}

try
{
    // SSTI_FAULTS_CLOCK: what the clock of records and journals says, such as 1999-01-01.
    var time = Environment.GetEnvironmentVariable("SSTI_FAULTS_CLOCK") is { } at
        ? new FixedClock(DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture)) : TimeProvider.System;
    var runner = new Runner(new FileStore(args[1]), new Workspace(args[1]), new KeyBuilder(new CpuProbe()), time);
    var result = await runner.RunAsync(pipeline, new RunOptions { Jobs = args.Length > 3 ? int.Parse(args[3]) : 4 }, new Printer());
    return result.Outcome == RunOutcome.Succeeded ? 0 : 1;
}
catch (StoreException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
