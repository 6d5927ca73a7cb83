using System.Security.Cryptography;
using System.Text;
using Ssti.Engine.Stages;

namespace Ssti.Stages.Tests;

/// <summary>Runs a stage in a folder of its own, and shows what it left.</summary>
internal sealed class StageRun : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ssti-stage-").FullName;

    public string Output => Path.Combine(_root, "output");

    public List<string> Log { get; } = [];

    public StageContext? Context { get; private set; }

    /// <summary>The output's files, relative, in ordinal order.</summary>
    public IEnumerable<string> Files => Directory.GetFiles(Output, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Output, file).Replace('\\', '/')).Order(StringComparer.Ordinal);

    /// <summary>A digest of every name and byte of the output.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Files)
        {
            var bytes = File.ReadAllBytes(Path.Combine(Output, file));
            hash.AppendData(Encoding.UTF8.GetBytes($"{file}\0{bytes.Length}\0"));
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Fails when the output's bytes are others than those noted for the stage's version.</summary>
    public void AssertBytes(IStageKind stage, int version, string digest)
    {
        Assert.True(stage.Version == version, $"version {stage.Version} of '{stage.Name}' has no digest here: run the test, look at what changed, and note it");
        Assert.True(Digest() == digest, $"'{stage.Name}' gives other bytes ({Digest()}) than its version {version} did: stored results would be stale, so raise Version");
    }

    public async Task<StageRun> RunAsync<T>(StageKind<T> stage, T parameters, long seed = 42, params (string Name, InputTree Tree)[] inputs) where T : class
    {
        Assert.Empty(stage.Validate(parameters));
        if (Directory.Exists(Output)) Directory.Delete(Output, recursive: true);
        foreach (var folder in new[] { "output", "scratch" }) Directory.CreateDirectory(Path.Combine(_root, folder));
        Context = new StageContext
        {
            StageName = "stage", Seed = seed, Compute = new ComputeSettings("cpu", "cpu-avx2", 2, "fp32", false, "none"),
            Inputs = inputs.GroupBy(input => input.Name)
                .ToDictionary(group => group.Key, group => (IReadOnlyList<InputTree>)[.. group.Select(input => input.Tree)]),
            OutputFolder = Output, ScratchFolder = Path.Combine(_root, "scratch"),
            Progress = _ => { }, Log = Log.Add,
        };
        await stage.RunAsync(parameters, Context, CancellationToken.None);
        return this;
    }

    /// <summary>A folder as the output of an upstream stage.</summary>
    public static InputTree Tree(string folder, string stageName = "data", string uses = "dataset") => new(stageName, uses, new Dictionary<string, string>(),
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(folder, file).Replace('\\', '/')));

    public static SourcePath Local(string path) => new(path, Path.GetFullPath(path));

    public static SourcePath Uri(string uri) => new(uri, null);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
