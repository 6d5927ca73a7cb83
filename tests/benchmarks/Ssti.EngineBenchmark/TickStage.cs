using System.Globalization;
using Ssti.Engine.Stages;

namespace Ssti.EngineBenchmark;

internal sealed record TickParameters
{
    public int Value { get; init; }
}

/// <summary>The least a stage can do: one file of a few bytes, other ones for each stage.</summary>
internal sealed class TickStage : StageKind<TickParameters>
{
    public override string Name => "tick";

    public override int Version => 1;

    public override string Summary => "Writes a number.";

    public override IReadOnlyList<StageInput> Inputs { get; } = [new("from", "the tick before", Required: false)];

    public override Task RunAsync(TickParameters parameters, StageContext context, CancellationToken cancellation)
    {
        File.WriteAllText(context.Output("tick"), string.Create(CultureInfo.InvariantCulture, $"{context.StageName} {parameters.Value}\n"));
        return Task.CompletedTask;
    }
}
