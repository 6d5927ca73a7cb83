// Whole-process measurements of the engine and the store, side by side with public tools. See docs/performance.md.
//   dotnet run -c Release --project tests/benchmarks/Ssti.EngineBenchmark -- graph [stages] [plain|matrix] [runs]
//   dotnet run -c Release --project tests/benchmarks/Ssti.EngineBenchmark -- hash [MiB]
//   dotnet run -c Release --project tests/benchmarks/Ssti.EngineBenchmark -- files [count]
// SSTI_BENCH_SNAKEMAKE=run lets snakemake fill its graph itself, which takes a quarter of an hour; otherwise ninja makes its files.
// Work is done under SSTI_BENCH (default: a folder of the system's temporary one) and left there, so that a graph is filled only once.
// "ssti ..." as arguments is the command line itself with one kind of stage more: what the graph benchmark starts.
using Ssti.Cli;
using Ssti.Cli.Commands;
using Ssti.Corpus.Hub;
using Ssti.EngineBenchmark;
using Ssti.Stages;

if (args is ["ssti", .. var command])
{
    Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
    return await CommandLine.RunAsync(command, new CliHost
    {
        Kinds = () =>
            [
                .. StageKinds.With(
                    HubOptions.FromEnvironment(Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile))),
                new TickStage()],
        Terminal = Terminal.OfProcess(Environment.GetEnvironmentVariable),
        WorkingFolder = Environment.CurrentDirectory,
        Environment = Environment.GetEnvironmentVariable,
        Probe = new ComputeProbe(),
    });
}

var root = Environment.GetEnvironmentVariable("SSTI_BENCH") ?? Path.Combine(Path.GetTempPath(), "ssti-bench");
Directory.CreateDirectory(root);
Console.WriteLine(Machine.Describe());
switch (args)
{
    case ["graph", .. var rest]:
        GraphBenchmark.Run(root, At(rest, 0, 10_000), rest.ElementAtOrDefault(1) ?? "plain", At(rest, 2, 7));
        return 0;
    case ["hash", .. var rest]:
        HashBenchmark.Run(root, At(rest, 0, 512));
        return 0;
    case ["files", .. var rest]:
        await FilesBenchmark.RunAsync(root, At(rest, 0, 20_000));
        return 0;
    default:
        Console.Error.WriteLine("say graph, hash or files; the first lines of Program.cs say more");
        return 2;
}

static int At(string[] rest, int index, int otherwise) => rest.Length > index ? int.Parse(rest[index]) : otherwise;
