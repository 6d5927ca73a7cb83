using System.Text.Json.Nodes;
using Ssti.Engine.Stages;
using Ssti.Reporting.Measures;

namespace Ssti.Cli.Tests;

/// <summary>Kinds that do in no time what real ones do: write files, read inputs, report, fail, and wait.</summary>
public sealed record WriteParameters
{
    public string Text { get; init; } = "hello";

    public string File { get; init; } = "text.txt";

    public bool Fail { get; init; }

    public bool Crash { get; init; }
}

public sealed class WriteStage : StageKind<WriteParameters>
{
    public override string Name => "write";

    public override int Version => Bumped;

    public int Bumped { get; init; } = 1;

    public override string Summary => "Writes a text.";

    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "anything", Required: false, Many: true)];

    public override IEnumerable<ParameterError> Validate(WriteParameters parameters)
    {
        if (parameters.Text.Length == 0) yield return new("text", "is empty; give some");
    }

    public override async Task RunAsync(WriteParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Log($"writing {parameters.Text}");
        context.Progress(new(1, 1, "files"));
        if (parameters.Fail) throw new StageException("the text cannot be written: fail is true; set it to false");
        if (parameters.Crash) throw new InvalidOperationException("a bug");
        context.Metrics["letters"] = parameters.Text.Length;
        await File.WriteAllTextAsync(context.Output(parameters.File), parameters.Text, cancellation);
    }
}

public sealed record WaitParameters;

public sealed class WaitStage : StageKind<WaitParameters>
{
    public override string Name => "wait";

    public override int Version => 1;

    public override string Summary => "Waits until it is interrupted.";

    public override Task RunAsync(WaitParameters parameters, StageContext context, CancellationToken cancellation)
    {
        context.Progress(new(0, null, "nothing"));
        return Task.Delay(Timeout.Infinite, cancellation);
    }
}

/// <summary>A machine that is the same everywhere.</summary>
internal sealed class FakeProbe : IComputeProbe
{
    public ComputeSettings Resolve(ComputeRequest request) => request.Device == "cuda"
        ? throw new StageException("device cuda: there is no GPU")
        : new("cpu", "cpu-avx2", request.Threads, request.Dtype, false, "2.10.0");
}

public sealed record WarnParameters
{
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>Warns.</summary>
public sealed class WarnStage : StageKind<WarnParameters>
{
    public override string Name => "warn";

    public override int Version => 1;

    public override string Summary => "Warns.";

    public override IReadOnlyList<StageInput> Inputs { get; } = [new("data", "anything", Required: false, Many: true)];

    public override async Task RunAsync(WarnParameters parameters, StageContext context, CancellationToken cancellation)
    {
        foreach (var warning in parameters.Warnings) context.Warn(warning);
        await File.WriteAllTextAsync(context.Output("text.txt"), context.StageName, cancellation);
    }
}

public sealed record FlakyParameters
{
    public int Failures { get; init; } = 1;
}

/// <summary>Fails so many times, and then no more.</summary>
public sealed class FlakyStage : StageKind<FlakyParameters>
{
    public override string Name => "flaky";

    public override int Version => 1;

    public override string Summary => "Fails at first.";

    public override async Task RunAsync(FlakyParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var tries = Path.Combine(context.ScratchFolder, "tries");
        await File.AppendAllTextAsync(tries, "x", cancellation);
        if (new FileInfo(tries).Length <= parameters.Failures) throw new StageException("not yet");
        await File.WriteAllTextAsync(context.Output("text.txt"), "at last", cancellation);
    }
}

public sealed record DiceParameters;

/// <summary>Breaks the rule: other bytes each time.</summary>
public sealed class DiceStage : StageKind<DiceParameters>
{
    public override string Name => "dice";

    public override int Version => 1;

    public override string Summary => "Rolls dice.";

    public override async Task RunAsync(DiceParameters parameters, StageContext context, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(context.Output("a.txt"), "same", cancellation);
        await File.WriteAllTextAsync(context.Output("b.txt"), Guid.NewGuid().ToString(), cancellation);
    }
}

public sealed record StubbornParameters;

/// <summary>Looks at no token.</summary>
public sealed class StubbornStage : StageKind<StubbornParameters>
{
    public override string Name => "stubborn";

    public override int Version => 1;

    public override string Summary => "Does not listen.";

    public override Task RunAsync(StubbornParameters parameters, StageContext context, CancellationToken cancellation)
    {
        Thread.Sleep(TimeSpan.FromMinutes(2));
        return Task.CompletedTask;
    }
}

public sealed record NapParameters
{
    public int Milliseconds { get; init; } = 150;
}

/// <summary>Takes a while, and has tensors in its key.</summary>
public sealed class NapStage : StageKind<NapParameters>
{
    public override string Name => "nap";

    public override int Version => 1;

    public override string Summary => "Takes a while.";

    public override bool UsesTensors => true;

    public override async Task RunAsync(NapParameters parameters, StageContext context, CancellationToken cancellation)
    {
        await Task.Delay(parameters.Milliseconds, cancellation);
        await File.WriteAllTextAsync(context.Output("text.txt"), "rested", cancellation);
    }
}

public sealed record GapParameters
{
    public required double Value { get; init; }
}

/// <summary>Measures a gap that it is told, of a hundred rows.</summary>
public sealed class GapStage : StageKind<GapParameters>
{
    public override string Name => "gap";

    public override int Version => 1;

    public override string Summary => "Measures.";

    public override bool UsesSeed(GapParameters parameters) => false;

    public override Task RunAsync(GapParameters parameters, StageContext context, CancellationToken cancellation) => File.WriteAllTextAsync(
        context.Output(MeasureSet.FileName),
        MeasureSet.ToJson(
            new Dictionary<string, NamedMeasure>
            {
                ["gap"] = NamedMeasure.Of(
                    "pp", "how far apart, as \"told\"",
                    new Reading(parameters.Value, 100, new(parameters.Value - 0.5, parameters.Value + 0.5)))
            },
            new JsonObject()), cancellation);
}
