using Ssti.Engine.Keys;
using Ssti.Engine.Pipelines;
using Ssti.Engine.Running;
using Ssti.Engine.Stages;
using Ssti.Nets.Native;
using Ssti.Stages;
using Ssti.Store;
using Ssti.Store.Files;
using Ssti.Tests;

namespace Ssti.Snapshots.Tests;

/// <summary>A pipeline of the repository, run by the real kinds into a store of its own.</summary>
internal sealed class RealRun : IDisposable
{
    private readonly string _folder;
    private readonly bool _owns;
    private readonly FileStore _store;

    private RealRun(Pipeline pipeline, string? folder)
    {
        Pipeline = pipeline;
        (_owns, _folder) = (folder is null, folder ?? Directory.CreateTempSubdirectory("ssti snapshots ").FullName);
        _store = new FileStore(_folder);
    }

    public Pipeline Pipeline { get; }

    /// <summary>What the stages computed with.</summary>
    public KeyBuilder Keys { get; } = new(new ComputeProbe());

    public RunResult Result { get; private set; } = null!;

    /// <summary>Why the snapshots of trained numbers do not hold on this machine, or null: they are of the pinned path on the built-in libtorch.</summary>
    public static string? Unpinned()
    {
        if (!LibTorch.CpuDeviceClass().StartsWith("cpu-avx2-", StringComparison.Ordinal))
            return $"snapshots of trained numbers are of the path cpu-avx2, and this processor has {LibTorch.CpuDeviceClass()}";
        var torch = LibTorch.Locate();
        return torch.IsBuiltIn ? null : $"snapshots of trained numbers are of the built-in libtorch, and {LibTorch.DirectoryVariable} names {torch.Version}";
    }

    /// <summary>The ending of a snapshot of trained numbers, which are of a maker's processors. Skips where none was noted on those of this machine's.</summary>
    /// <param name="snapshot">The snapshot's file without the ending.</param>
    public static string Trained(string snapshot)
    {
        var ending = LibTorch.CpuDeviceClass();
        var path = Path.Combine(Repository.Root, "tests/Ssti.Snapshots.Tests/__snapshots__", $"{snapshot}_{ending}.snap");
        Skip.If(
            !File.Exists(path) && Environment.GetEnvironmentVariable("SNAPSHOOTER_STRICT_MODE") is "on" or "true",
            $"no snapshot was noted on {ending} yet: one run without SNAPSHOOTER_STRICT_MODE on such a machine writes it");
        return ending;
    }

    /// <summary>Whether an instance, or any it takes from, computes with tensors.</summary>
    public bool ComputesWithTensors(StageInstance instance) =>
        instance.Kind.UsesTensors || instance.Inputs.SelectMany(input => input.From).Any(index => ComputesWithTensors(Pipeline.Instances[index]));

    /// <summary>Loads a pipeline by its path in the repository.</summary>
    public static Pipeline Load(string path, string? profile = null, IReadOnlyList<string>? sets = null)
    {
        var loaded = PipelineLoader.Load(Path.Combine(Repository.Root, path), sets ?? [], new StageCatalog(StageKinds.All), profile: profile);
        Assert.True(loaded.Pipeline is not null, string.Join('\n', loaded.Diagnostics));
        return loaded.Pipeline;
    }

    /// <summary>Runs a pipeline of the repository.</summary>
    /// <param name="path">Its path there.</param>
    /// <param name="profile">The profile; null for the file's own values.</param>
    /// <param name="sets">As on the command line.</param>
    /// <param name="store">A store that the caller owns; null for one of its own.</param>
    public static async Task<RealRun> Of(string path, string? profile = null, IReadOnlyList<string>? sets = null, string? store = null)
    {
        var run = new RealRun(Load(path, profile, sets), store);
        await run.AgainAsync();
        return run;
    }

    /// <summary>Runs it (again) and keeps the result; every stage must succeed.</summary>
    public async Task<RunResult> AgainAsync()
    {
        Result = await new Runner(_store, new Workspace(_folder), Keys).RunAsync(Pipeline, new RunOptions());
        Assert.True(Result.Outcome == RunOutcome.Succeeded, string.Join('\n', Result.Stages.Select(stage => $"{stage.Instance.Name}: {stage.State} {stage.Error}")));
        return Result;
    }

    public Digest TreeDigest(string instance) => Result.Stages.Single(stage => stage.Instance.Name == instance).Tree!.Value;

    public Task<Tree> TreeAsync(string instance) => _store.TreeAsync(TreeDigest(instance));

    public async Task<string> TextAsync(string instance, string file) =>
        await File.ReadAllTextAsync(_store.PathOf((await TreeAsync(instance)).Files.Single(stored => stored.Path == file).Digest));

    /// <summary>A stored file.</summary>
    public string PathOf(Digest digest) => _store.PathOf(digest);

    /// <summary>The key document an instance was run under.</summary>
    public KeyDocument Document(string instance) => Keys.Build(Pipeline, Pipeline.Instances.Single(i => i.Name == instance), i => TreeDigest(Pipeline.Instances[i].Name));

    public void Dispose()
    {
        if (_owns) Directory.Delete(_folder, recursive: true);
    }
}
