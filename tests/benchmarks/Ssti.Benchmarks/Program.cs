using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using Ssti.Benchmarks;

// dotnet run -c Release --project tests/benchmarks/Ssti.Benchmarks -- --filter '*Injection*'
// Data is read from the folder SSTI_SHARED names, else from a folder `shared` beside the repository.
var config = ManualConfig.CreateEmpty()
    .AddLogger(ConsoleLogger.Default)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddColumn(new RowsPerSecondColumn())
    .AddExporter(MarkdownExporter.GitHub)
    .AddDiagnoser(BenchmarkDotNet.Diagnosers.MemoryDiagnoser.Default)
    .AddJob(Job.Default.WithWarmupCount(3).WithIterationCount(10))
    .AddAnalyser(DefaultConfig.Instance.GetAnalysers().ToArray())
    .AddValidator(DefaultConfig.Instance.GetValidators().ToArray());
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
