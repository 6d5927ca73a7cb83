using System.Text.Json.Nodes;
using Ssti.Corpus.Datasets;
using Ssti.Engine.Stages;
using Ssti.Injection.Randomness;

namespace Ssti.Example.Tests;

/// <summary>Drops random words of a dataset: if a model clings to one injected token, clean accuracy falls and the attack goes with the token.</summary>
public sealed class TokenDropStage : StageKind<TokenDropParameters>
{
    public override string Name => "token-drop";

    public override int Version => 1;

    public override string Summary => "Drops a share of the words of every row, at random.";

    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "the dataset (uses: dataset, corpus or inject)")];

    public override IEnumerable<ParameterError> Validate(TokenDropParameters parameters)
    {
        if (parameters.Share is not (>= 0 and < 1)) yield return new("share", "must be from 0 to below 1");
    }

    public override Task RunAsync(TokenDropParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var data = DatasetReader.Open(context.Input("data").PathOf);
        using var writer = new DatasetWriter(context.OutputFolder, data.Info.Name, data.Info.Labels);
        foreach (var split in data.Info.Splits)
        {
            using var rows = writer.OpenSplit(split.Name);
            foreach (var row in data.Read(split.Name))
            {
                cancellation.ThrowIfCancellationRequested();
                rows.Write(parameters.Splits.Contains(split.Name) ? row with { Text = Drop(row, parameters.Share, context.Seed) } : row);
            }

            context.Progress(new(rows.Rows, split.Rows, "rows", split.Name));
        }

        writer.Complete(new JsonObject { ["stage"] = Name, ["share"] = parameters.Share, ["of"] = data.Info.Provenance.DeepClone() });
        return Task.CompletedTask;
    }

    // A stream for each row, so that a row comes out the same whatever stands before it.
    private static string Drop(Row row, double share, long seed)
    {
        var words = row.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var keep = Math.Max(1, words.Length - (int)Math.Round(words.Length * share));
        if (keep >= words.Length) return row.Text;
        var chosen = new CPythonRandom(RowStreams.SeedOf(seed, "drop", row.Id)).Sample(words.Length, keep);
        return string.Join(' ', chosen.Order().Select(at => words[at]));
    }
}
