using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Store.Files;

namespace Ssti.Engine.Tests;

/// <summary>A folder of its own with a pipeline and a store in it.</summary>
internal sealed class Sandbox : IDisposable
{
    public Sandbox(string suffix = "")
    {
        Folder = Path.Combine(Path.GetTempPath(), "ssti-" + Guid.NewGuid().ToString("n")[..12] + suffix);
        Directory.CreateDirectory(Folder);
        Store = new FileStore(Path.Combine(Folder, ".ssti"));
        Workspace = new Workspace(Path.Combine(Folder, ".ssti"));
    }

    public string Folder { get; }

    public FileStore Store { get; }

    public Workspace Workspace { get; }

    public FixedProbe Probe { get; } = new();

    public string Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    public PipelineResult TryLoad(string yaml, StageCatalog? catalog = null, params string[] sets) =>
        PipelineLoader.Load(Write("p.yaml", yaml), sets, catalog ?? TestKinds.Catalog());

    public Pipeline Load(string yaml, StageCatalog? catalog = null, params string[] sets)
    {
        var result = TryLoad(yaml, catalog, sets);
        Assert.True(result.Pipeline is not null, string.Join('\n', result.Diagnostics));
        return result.Pipeline!;
    }

    /// <summary>The diagnostics of a pipeline, with the sandbox's own path left out.</summary>
    public string Errors(string yaml, params string[] sets) =>
        string.Join('\n', TryLoad(yaml, null, sets).Diagnostics).Replace(Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
            .Replace(Folder, "ROOT", StringComparison.Ordinal);

    // A new builder each time, as each process has: sources are hashed anew.
    public Runner Runner() => new(Store, Workspace, new KeyBuilder(Probe));

    public Task<RunResult> Run(Pipeline pipeline, RunOptions? options = null, IRunListener? listener = null, CancellationToken cancellation = default) =>
        Runner().RunAsync(pipeline, options ?? new RunOptions { Jobs = 4 }, listener, cancellation);

    public async Task<string> Text(RunResult run, string instance, string file = "text.txt")
    {
        var tree = await Ssti.Store.ActionCache.TreeAsync(Store, run.Stages.Single(s => s.Instance.Name == instance).Tree!.Value);
        return await File.ReadAllTextAsync(Store.PathOf(tree.Files.Single(f => f.Path == file).Digest));
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

internal sealed class FixedProbe : IComputeProbe
{
    public string LibTorch { get; set; } = "2.10.0";

    /// <summary>The GPUs of this machine by number; null when nobody knows.</summary>
    public IReadOnlyList<int>? Gpus { get; set; }

    public IReadOnlyList<int>? GpusOf(string deviceClass) => deviceClass == "cuda-sm90" ? Gpus : [];

    public ComputeSettings Resolve(ComputeRequest request) =>
        new(request.Device == "auto" ? "cpu" : request.Device, request.Device == "cuda" ? "cuda-sm90" : "cpu-avx2", request.Threads, request.Dtype, request.Tf32, LibTorch);
}

internal sealed class Recorder : IRunListener
{
    public List<RunEvent> Events { get; } = [];

    public void On(RunEvent happened) => Events.Add(happened);
}
