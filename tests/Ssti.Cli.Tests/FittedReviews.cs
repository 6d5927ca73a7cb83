using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Stages;

namespace Ssti.Cli.Tests;

/// <summary>A tiny model, rows to fit it to, and what came of that, for all tests of 'fit' and 'predict'.</summary>
public sealed class FittedReviews : CliFixture, IAsyncLifetime
{
    private const string Tiny = """
        name: tiny
        seed: 3
        compute: { device: cpu, threads: 1 }
        stages:
          data: { uses: corpus, with: { train: 120, test: 40, unlabelled: 40 } }
          backbone:
            uses: pretrain
            needs: { data: data }
            with: { layers: 1, hidden-size: 16, heads: 2, intermediate-size: 32, max-length: 32, steps: 4, batch-size: 8 }
        """;

    public FittedReviews() => Kinds = StageKinds.All;

    /// <summary>The working folder: <c>reviews.csv</c> (120 rows), <c>tiny</c> (a model), <c>model</c> (fitted).</summary>
    public string Root => Folder;

    /// <summary>What the fit answered.</summary>
    internal Answer Fit { get; private set; } = new(-1, "", "");

    /// <summary>A fit that takes no time.</summary>
    public static string[] Quick { get; } =
        ["--model", "tiny", "--text-column", "review text", "--label-column", "opinion", "--max-length", "16", "--epochs", "2", "--learning-rate", "0.01", "--seed", "3"];

    public async Task InitializeAsync()
    {
        Write("tiny.yaml", Tiny);
        Assert.Equal(0, (await AskAsync("run", "tiny.yaml")).Code);
        Assert.Equal(0, (await AskAsync("export", "tiny.yaml", "backbone", "tiny")).Code);
        Assert.Equal(0, (await AskAsync("export", "tiny.yaml", "data", "corpus")).Code);
        Write("reviews.csv", Csv(File.ReadLines(Path.Combine(Folder, "corpus", "train.jsonl"))));
        Fit = await AskAsync(["fit", "reviews.csv", .. Quick, "-o", "model"]);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Runs the command line in the working folder.</summary>
    internal Task<Answer> AskAsync(params string[] arguments) => RunAsync(arguments);

    /// <summary>The same, with a standard input.</summary>
    internal Task<Answer> TellAsync(string input, params string[] arguments)
    {
        Input = () => new MemoryStream(System.Text.Encoding.UTF8.GetBytes(input));
        return RunAsync(arguments);
    }

    /// <summary>The same, until it is interrupted.</summary>
    internal Task<Answer> AskAsync(string[] arguments, CancellationToken cancellation) => RunAsync(arguments, cancellation);

    /// <summary>Other kinds and sources, until what is returned is disposed: a Hub that can be reached.</summary>
    internal IDisposable With(IReadOnlyList<IStageKind> kinds, ISourceResolver sources)
    {
        var before = (Kinds, Sources);
        (Kinds, Sources) = (kinds, sources);
        return new Undo(() => (Kinds, Sources) = before);
    }

    /// <summary>Writes a file into the working folder.</summary>
    public string Put(string name, string text) => Write(name, text);

    /// <summary>Rows of a dataset as somebody's own CSV.</summary>
    public static string Csv(IEnumerable<string> rows) => "number,review text,opinion\n" + string.Concat(rows.Select((line, i) =>
    {
        var row = JsonNode.Parse(line)!;
        return $"{i},\"{((string)row["text"]!).Replace("\"", "\"\"")}\",{((int)row["label"]! == 0 ? "bad" : "good")}\n";
    }));

    private sealed class Undo(Action undo) : IDisposable
    {
        public void Dispose() => undo();
    }
}
