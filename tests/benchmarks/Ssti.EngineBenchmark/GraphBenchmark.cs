namespace Ssti.EngineBenchmark;

/// <summary>
/// How long "nothing to do" takes: <c>ssti plan</c>, <c>ssti run</c>, <c>ninja -n</c> and <c>snakemake -n -q</c> in turn, on one graph that each has run before.
/// </summary>
internal static class GraphBenchmark
{
    // Beyond, snakemake takes hours to fill a graph.
    private const int MostForSnakemake = 10_000;

    public static void Run(string root, int stages, string shape, int runs)
    {
        var folder = Path.Combine(root, $"graph-{shape}-{stages}");
        var ssti = Path.Combine(AppContext.BaseDirectory, "Ssti.EngineBenchmark");
        var graph = new Graph(stages, shape == "matrix");
        var filled = Path.Combine(folder, "filled");
        var snakemake = stages <= MostForSnakemake && Exists("/usr/bin/snakemake");
        var ninja = Exists("/usr/bin/ninja");
        if (!File.Exists(filled))
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            foreach (var tool in (string[])["ssti", "ninja", "snakemake"]) Directory.CreateDirectory(Path.Combine(folder, tool));
            graph.WritePipeline(Path.Combine(folder, "ssti", "bench.yaml"));
            graph.WriteNinja(Path.Combine(folder, "ninja", "build.ninja"));
            graph.WriteSnakefile(Path.Combine(folder, "snakemake", "Snakefile"));
            Console.WriteLine($"each runs the graph for real once: ssti {Machine.Time(Path.Combine(folder, "ssti"), ssti, "ssti", "run", "bench.yaml", "-q").Wall:0} s");
            if (ninja) Console.WriteLine($"ninja {Machine.Time(Path.Combine(folder, "ninja"), "ninja").Wall:0} s");
            if (snakemake) Console.WriteLine($"snakemake {FillSnakemake(graph, Path.Combine(folder, "snakemake")):0} s");
            File.WriteAllText(filled, "");
        }

        var contenders = new List<(string Name, string Folder, string[] Command)>
        {
            ("ssti plan", "ssti", [ssti, "ssti", "plan", "bench.yaml"]),
            ("ssti run", "ssti", [ssti, "ssti", "run", "bench.yaml", "-q"]),
        };
        if (ninja) contenders.Add(("ninja -n", "ninja", ["ninja", "-n"]));
        if (snakemake) contenders.Add(("snakemake -n -q", "snakemake", ["snakemake", "-n", "-q"]));
        var samples = contenders.ToDictionary(c => c.Name, _ => new List<Sample>());
        // The first round warms the page cache and is not counted.
        for (var run = -1; run < runs; run++)
            foreach (var (name, at, command) in contenders)
            {
                var sample = Machine.Time(Path.Combine(folder, at), command);
                if (run >= 0) samples[name].Add(sample);
            }

        Console.WriteLine($"{stages} stages ({shape}), nothing to do; medians of {runs}, the commands in turn; load {Machine.Load()}");
        Console.WriteLine("| command | wall s | processor s | peak MiB | wall, times ssti plan | processor, times ssti plan |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var plan = samples["ssti plan"];
        foreach (var (name, _, _) in contenders)
        {
            var median = Sample.Median(samples[name]);
            var wall = Sample.Middle(samples[name].Zip(plan, (a, b) => a.Wall / b.Wall));
            var cpu = Sample.Middle(samples[name].Zip(plan, (a, b) => a.Cpu / b.Cpu));
            Console.WriteLine($"| {name} | {median.Wall:0.00} | {median.Cpu:0.00} | {median.Memory:0} | {wall:0.00} | {cpu:0.00} |");
        }
    }

    // Snakemake takes a quarter of an hour to run ten thousand jobs for real. With outputs that another made it has no notes to compare, and is faster.
    private static double FillSnakemake(Graph graph, string folder)
    {
        if (Environment.GetEnvironmentVariable("SSTI_BENCH_SNAKEMAKE") == "run") return Machine.Time(folder, "snakemake", "-j2", "-q").Wall;
        graph.WriteNinja(Path.Combine(folder, "build.ninja"));
        return Machine.Time(folder, "ninja").Wall;
    }

    private static bool Exists(string program) => File.Exists(program);
}
