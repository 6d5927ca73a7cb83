using System.Text.Json.Nodes;
using Ssti.Cli.Commands;
using Ssti.Engine.Stages;
using Ssti.Stages;
using Ssti.Store.Files;

namespace Ssti.Cli.Tests;

/// <summary>A working folder of its own, and the command line run in it inside this process.</summary>
public abstract class CliFixture : IDisposable
{
    protected CliFixture() => Folder = Directory.CreateTempSubdirectory("ssti-cli-").FullName;

    protected string Folder { get; }

    /// <summary>The working folder, in the fixture's own.</summary>
    internal string Home { get; set; } = "";

    /// <summary>What <c>uses:</c> may name.</summary>
    internal IReadOnlyList<IStageKind> Kinds { get; set; } = [new WriteStage(), new WaitStage(), new TableStage()];

    /// <summary>Puts revisions to remote sources; null leaves them as they are written.</summary>
    internal ISourceResolver? Sources { get; set; }

    /// <summary>The environment; empty, whatever the machine's is.</summary>
    internal Dictionary<string, string> Variables { get; } = [];

    /// <summary>Standard input; nothing.</summary>
    internal Func<Stream> Input { get; set; } = () => Stream.Null;

    /// <summary>The terminal's width; none, as of a pipe.</summary>
    internal int? Columns { get; set; }

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal sealed record Answer(int Code, string Out, string Error)
    {
        public JsonNode Json => JsonNode.Parse(Out)!;
    }

    protected string Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.ReplaceLineEndings("\n"));
        return path;
    }

    internal Task<Answer> RunAsync(params string[] arguments) => RunAsync(arguments, CancellationToken.None);

    internal async Task<Answer> RunAsync(string[] arguments, CancellationToken cancellation)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        var code = await CommandLine.RunAsync(
            arguments,
            new CliHost
            {
                Kinds = () => Kinds,
                Sources = () => Sources,
                Terminal = new Terminal(output, TextWriter.Synchronized(error), IsInteractive: false, Columns),
                WorkingFolder = Path.Combine(Folder, Home),
                Input = () => Input(),
                Environment = name => Variables.GetValueOrDefault(name),
                Probe = new FakeProbe(),
            },
            cancellation);
        // What differs from run to run is the folder.
        return new(code, output.ToString().Replace(Folder, "~"), error.ToString().Replace(Folder, "~"));
    }

    /// <summary>The file of a stage's only output, in a store.</summary>
    internal async Task<string> BlobAsync(string store, string stage)
    {
        var files = new FileStore(Path.Combine(Folder, store));
        var keys = await files.KeysAsync().ToListAsync();
        var record = (await files.RecordsAsync(keys)).SelectMany(records => records).First(record => record.Stage == stage);
        return files.PathOf(record.Files.Single().Digest);
    }

    /// <summary>Turns a bit in a stage's output: the size stays, so that only reading it can tell.</summary>
    internal async Task DamageAsync(string store, string stage)
    {
        var path = await BlobAsync(store, stage);
        var bytes = File.ReadAllBytes(path);
        bytes[0] ^= 1;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllBytes(path, bytes);
    }

    internal const string TwoStages = """
        name: two
        description: Two stages.
        stages:
          first:
            uses: write
            with: { text: one }
          second:
            uses: write
            matrix: { letter: [a, b] }
            needs: { data: first }
            with: { text: "${{ matrix.letter }}" }
        """;
}
