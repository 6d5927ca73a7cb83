using System.Text.Json.Nodes;
using Ssti.Cli.Commands;
using Ssti.Engine.Stages;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary>A working folder of its own, and the command line run in it inside this process.</summary>
public abstract class CliFixture : IDisposable
{
    protected CliFixture() => Folder = Directory.CreateTempSubdirectory("ssti-cli-").FullName;

    protected string Folder { get; }

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
        IStageKind[] kinds = [new WriteStage(), new WaitStage(), new TableStage()];
        var code = await CommandLine.RunAsync(
            arguments,
            new CliHost
            {
                Kinds = () => kinds,
                Terminal = new Terminal(output, TextWriter.Synchronized(error), IsInteractive: false),
                WorkingFolder = Folder,
                Environment = _ => null,
                Probe = new FakeProbe(),
            },
            cancellation);
        // What differs from run to run is the folder.
        return new(code, output.ToString().Replace(Folder, "~"), error.ToString().Replace(Folder, "~"));
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
