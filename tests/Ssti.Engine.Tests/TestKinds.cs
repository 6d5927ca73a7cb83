using System.ComponentModel;
using Ssti.Engine.Stages;

namespace Ssti.Engine.Tests;

/// <summary>Stage kinds that do something small and exact with text files.</summary>
internal static class TestKinds
{
    public static StageCatalog Catalog(params IStageKind[] more) => new([new TextKind(), new UpperKind(), new JoinKind(), new CopyKind(), new FailKind(), .. more]);
}

internal enum Letter
{
    LowerCase,
    UpperCase,
}

internal sealed record Nested
{
    [Description("how often")]
    public int Times { get; init; } = 1;

    public string? Suffix { get; init; }
}

internal sealed record TextParameters
{
    [Description("what to write")]
    public required string Text { get; init; }

    public int Rank { get; init; } = 8;

    public double WordShare { get; init; }

    public bool Exact { get; init; }

    public Letter Letter { get; init; }

    public IReadOnlyList<string> Splits { get; init; } = ["train"];

    public Nested Nested { get; init; } = new();

    public SourcePath? Source { get; init; }

    public long? Big { get; init; }
}

/// <summary>Writes its text, its seed and its source.</summary>
internal sealed class TextKind : StageKind<TextParameters>
{
    public override string Name => "text";

    public override int Version => 1;

    public override string Summary => "Writes a text.";

    public override IEnumerable<ParameterError> Validate(TextParameters parameters)
    {
        if (parameters.Rank < 0) yield return new ParameterError("rank", "must not be negative");
    }

    public override async Task RunAsync(TextParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Log("writing");
        context.Metrics["length"] = parameters.Text.Length;
        context.Progress(new StageProgress(1, 1, "texts"));
        var source = parameters.Source?.LocalPath is { } path ? await File.ReadAllTextAsync(path, cancellation) : "";
        await File.WriteAllTextAsync(context.Output("text.txt"), $"{parameters.Text}|{parameters.Rank}|{source}", cancellation);
    }
}

internal sealed record NoParameters;

/// <summary>Its one input in capitals.</summary>
internal sealed class UpperKind : StageKind<NoParameters>
{
    public override string Name => "upper";

    public override int Version => 1;

    public override string Summary => "Capitals.";

    public override IReadOnlyList<StageInput> Inputs => [new("data", "a text")];

    public override Task RunAsync(NoParameters parameters, StageContext context, CancellationToken cancellation) =>
        File.WriteAllTextAsync(context.Output("text.txt"), File.ReadAllText(context.Input("data").PathOf("text.txt")).ToUpperInvariant(), cancellation);
}

/// <summary>Its inputs with their cells, a line each.</summary>
internal sealed class JoinKind : StageKind<NoParameters>
{
    public override string Name => "join";

    public override int Version => 1;

    public override string Summary => "Joins texts.";

    public override IReadOnlyList<StageInput> Inputs => [new("parts", "texts", Many: true), new("title", "a text", Required: false)];

    public override Task RunAsync(NoParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var lines = context.Inputs["parts"].Select(p => $"{p.StageName}[{string.Join(',', p.Cell.Select(c => $"{c.Key}={c.Value}"))}]: {File.ReadAllText(p.PathOf("text.txt"))}");
        return File.WriteAllTextAsync(context.Output("text.txt"), string.Join('\n', lines), cancellation);
    }
}

internal sealed record CopyParameters
{
    public string Prefix { get; init; } = "";
}

/// <summary>Two inputs that take one tree each.</summary>
internal sealed class CopyKind : StageKind<CopyParameters>
{
    public override string Name => "copy";

    public override int Version => 1;

    public override string Summary => "Copies.";

    public override IReadOnlyList<StageInput> Inputs => [new("data", "a text"), new("model", "a text", Required: false)];

    public override Task RunAsync(CopyParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var model = context.OptionalInput("model") is { } tree ? File.ReadAllText(tree.PathOf("text.txt")) : "";
        return File.WriteAllTextAsync(context.Output("text.txt"), parameters.Prefix + File.ReadAllText(context.Input("data").PathOf("text.txt")) + model, cancellation);
    }
}

internal sealed record FailParameters
{
    public bool Clearly { get; init; } = true;
}

/// <summary>Leaves half an output behind, and throws.</summary>
internal sealed class FailKind : StageKind<FailParameters>
{
    public override string Name => "fail";

    public override int Version => 1;

    public override string Summary => "Fails.";

    public override IReadOnlyList<StageInput> Inputs => [new("data", "a text", Required: false)];

    public override Task RunAsync(FailParameters parameters, StageContext context, CancellationToken cancellation)
    {
        File.WriteAllText(context.Output("half.txt"), "half");
        throw parameters.Clearly ? new StageException("the lake is dry; dig deeper") : new InvalidOperationException("a bug");
    }
}

/// <summary>Runs a delegate, for tests that need to see or steer what happens inside.</summary>
internal sealed class DelegateKind(string name, Func<StageContext, CancellationToken, Task> run, bool tensors = false, int version = 1) : StageKind<TextDefaults>
{
    public override string Name => name;

    public override int Version => version;

    public override string Summary => "Runs a delegate.";

    public override bool UsesTensors => tensors;

    public override IReadOnlyList<StageInput> Inputs => [new("data", "a text", Required: false)];

    public override Task RunAsync(TextDefaults parameters, StageContext context, CancellationToken cancellation) => run(context, cancellation);
}

internal sealed record StillParameters
{
    public string Text { get; init; } = "";

    public bool Draws { get; init; }
}

/// <summary>Writes the seed it is given, which is one only when its parameters say that it draws.</summary>
internal sealed class StillKind : StageKind<StillParameters>
{
    public override string Name => "still";

    public override int Version => 1;

    public override string Summary => "Draws or not.";

    public override bool UsesSeed(StillParameters parameters) => parameters.Draws;

    public override Task RunAsync(StillParameters parameters, StageContext context, CancellationToken cancellation) =>
        File.WriteAllTextAsync(context.Output("text.txt"), $"{context.Seed}", cancellation);
}

internal sealed record GrownParameters
{
    public string Text { get; init; } = "";

    [AddedLater]
    public int? More { get; init; }
}

/// <summary>A kind that got a parameter after people had stored results.</summary>
internal sealed class GrownKind : StageKind<GrownParameters>
{
    public override string Name => "grown";

    public override int Version => 1;

    public override string Summary => "Has grown.";

    public override bool UsesSeed(GrownParameters parameters) => false;

    public override Task RunAsync(GrownParameters parameters, StageContext context, CancellationToken cancellation) => Task.CompletedTask;
}

internal sealed record TextDefaults
{
    public string Text { get; init; } = "";
}
